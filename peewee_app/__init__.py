"""FastAPI's SQL (Relational) Databases tutorial, on Peewee."""
