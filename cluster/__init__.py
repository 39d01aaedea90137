"""The app on a MariaDB Galera cluster: `python -m cluster` shows a node's death."""
