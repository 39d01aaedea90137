"""PostgreSQL under Patroni: one fault after the other, and what it costs."""
