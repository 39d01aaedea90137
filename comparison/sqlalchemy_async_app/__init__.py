"""SQLAlchemy's asyncio extension, on aiosqlite or asyncpg, as its documentation and
most project templates have it: an `AsyncSession` for each request, `selectinload`, and
nothing expired by a commit.
"""
