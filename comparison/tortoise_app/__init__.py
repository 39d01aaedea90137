"""Tortoise ORM, on aiosqlite or asyncpg, as its documentation has it with FastAPI: it
is registered in the lifespan, and `prefetch_related` loads the items of all users.
"""
