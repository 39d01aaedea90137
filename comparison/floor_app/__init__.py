"""Floor: the same answers from the bare driver, no ORM, and nothing that a service
needs besides: `sqlite3` by one thread hop, or asyncpg.

No app with an ORM can be faster, so the gap to this one is what an ORM costs.
"""
