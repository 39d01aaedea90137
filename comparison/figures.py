"""Statistics."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the percentile by nearest rank."""
    ordered = sorted(values)
    return ordered[max(math.ceil(len(ordered) * percent / 100), 1) - 1]


@dataclass(frozen=True)
class Ratio:
    """Ratio of two medians, and the extremes of the ratios of single rounds."""

    of_medians: float
    lowest: float
    highest: float

    @property
    def is_clear(self) -> bool:
        """True if all rounds agree: more, or less."""
        return self.lowest > 1 or self.highest < 1


def paired_ratio(ours: Sequence[float], theirs: Sequence[float]) -> Ratio | None:
    """Return the ratio of ours to theirs; each round is a pair.

    On a shared machine speed drifts from minute to minute, and with it both of a pair.
    So the ratio of the medians is within the extremes of the pairs. Return None if
    theirs has a zero, and if there is no pair.
    """
    if not ours or not all(theirs):
        return None
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    return Ratio(median(ours) / median(theirs), min(ratios), max(ratios))
