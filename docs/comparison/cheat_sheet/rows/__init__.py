"""Rows of the cheat sheet, by topic."""

from docs.comparison.cheat_sheet.sheet import Topic

from . import (
    around,
    counting,
    objects,
    queries,
    reading,
    relations,
    tables,
    transactions,
    writing,
)

TOPICS: list[Topic] = [
    reading.row,
    counting.row,
    queries.row,
    relations.row,
    writing.row,
    transactions.row,
    objects.row,
    tables.row,
    around.row,
]
