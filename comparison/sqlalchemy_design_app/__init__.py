"""SQLAlchemy with the design of `peewee_app`: no more requests at once than there are
connections; the others wait as coroutines, and hold nothing. Queries return rows, which
become JSON on the thread that ran the query.

This app differs from the tutorial's by design, and from `peewee_app` mostly by the ORM.
"""
