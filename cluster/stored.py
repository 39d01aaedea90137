"""What a node has in the end, compared with what the clients were told."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from .load import Tally


@dataclass
class Stored:
    """Rows of one node."""

    found: int = 0
    lost: int = 0
    doubled: int = 0
    # Rows of writes that were not acknowledged. That is allowed: the connection may
    # break between the write and the answer.
    unacknowledged: int = 0


def compare(
    tally: Tally, users: list[tuple[Any, ...]], items: list[tuple[Any, ...]]
) -> Stored:
    """Compare the tally with a node's users (email, id) and items (title, id)."""
    stored = Stored()
    for acknowledged, rows in [(tally.users, users), (tally.items, items)]:
        texts = Counter(text for text, _ in rows)
        found = len(acknowledged.items() & set(rows))
        sent = texts.keys() & (acknowledged.keys() | tally.unacknowledged)
        stored.found += found
        stored.lost += len(acknowledged) - found
        stored.doubled += sum(texts[text] - 1 for text in sent)
        stored.unacknowledged += len(texts.keys() & tally.unacknowledged)
    return stored


def show(counts: Counter[int]) -> str:
    """The counts in a line, such as `200: 95, 503: 3`."""
    return ", ".join(f"{name}: {count}" for name, count in sorted(counts.items()))
