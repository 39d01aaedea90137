"""Tables in Markdown that also reads well in a terminal."""

from collections.abc import Iterable

from .figures import Ratio

MISSING = "–"  # noqa: RUF001 - a dash, as tables have it
TIMES = "×"  # noqa: RUF001 - a multiplication


def table(header: list[str], rows: Iterable[list[str]]) -> str:
    """Return a Markdown table; columns after the first are right-aligned."""
    lines = [header, *rows]
    widths = [max(len(line[n]) for line in lines) for n in range(len(header))]
    ruler = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]

    def text(cells: list[str]) -> str:
        first = cells[0].ljust(widths[0])
        others = [c.rjust(w) for c, w in zip(cells[1:], widths[1:], strict=True)]
        return "| " + " | ".join([first, *others]) + " |"

    return "\n".join([text(header), text(ruler), *map(text, lines[1:])])


def number(value: float | None) -> str:
    """Return a figure with three digits, and at most two decimals."""
    if value is None:
        return MISSING
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f}"


def ratio(value: Ratio | None) -> str:
    """Return the ratio and, in brackets, the extremes of the rounds.

    Say "no difference" if the rounds disagree.
    """
    if value is None:
        return MISSING
    figure = f"{number(value.of_medians)} {TIMES}"
    if not value.is_clear:
        figure = "no difference"
    return f"{figure} ({number(value.lowest)} to {number(value.highest)})"
