"""SQLModel, as FastAPI's present SQL (Relational) Databases tutorial has it, with the
older tutorial's API: a session for each request from a sync `yield` dependency, and
lazy relationships.
"""
