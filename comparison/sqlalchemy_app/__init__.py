"""Twin: FastAPI's SQL (Relational) Databases tutorial, on SQLAlchemy 2.

It keeps the tutorial's design: a session for each request from a sync `yield`
dependency, lazy relationships, and a look before each write.
"""
