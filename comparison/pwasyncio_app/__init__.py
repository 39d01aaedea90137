"""Peewee's own asyncio extension, `playhouse.pwasyncio`, on aiosqlite or asyncpg, as
Peewee's example for FastAPI has it: a connection from its pool for each request, held
by an async `yield` dependency.
"""
