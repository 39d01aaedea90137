"""MariaDB Galera cluster: a node dies and comes back, and writes conflict."""
