"""The same application several times, and the figures that compare them.

`python -m comparison` measures `peewee_app` against a twin on SQLAlchemy and against a
floor that has no ORM at all.
"""
