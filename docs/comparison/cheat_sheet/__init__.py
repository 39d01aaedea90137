"""SQLAlchemy and Peewee, task by task: the rows, and what writes their pages."""
