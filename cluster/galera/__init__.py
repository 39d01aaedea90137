"""A MariaDB Galera cluster: a node dies, comes back, and conflicts are met."""
