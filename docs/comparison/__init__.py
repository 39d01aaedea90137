"""SQLAlchemy and Peewee, side by side."""
