"""Statistics."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest of the values that at least `percent` of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(math.ceil(len(ordered) * percent / 100), 1) - 1]


@dataclass(frozen=True)
class Ratio:
    """A ratio as it was in the middle one of several rounds, and in the extremes."""

    median: float
    lowest: float
    highest: float


def paired_ratio(ours: Sequence[float], theirs: Sequence[float]) -> Ratio | None:
    """How many times as large ours are, each compared with theirs of the same round.

    On a shared machine speed drifts from minute to minute, and with it both of a pair.
    None if theirs has a zero, and if there is no pair.
    """
    if not ours or not all(theirs):
        return None
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return Ratio(median(ratios), min(ratios), max(ratios))
