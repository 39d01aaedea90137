"""SQLAlchemy with the design of `peewee_app`: as many requests as there are connections
are inside at once, and the others wait as coroutines before they hold anything; what
is read is rows, and becomes JSON on the thread that ran the query.

What is between this app and the tutorial's is design; what is between this one and
`peewee_app` is mostly the ORM.
"""
