"""The tables, in Markdown that also reads well in a terminal."""

from collections.abc import Iterable
from itertools import chain
from statistics import median

from .apps import OURS
from .figures import Ratio, paired_ratio, percentile
from .measure import Results, Sample, Samples
from .plan import Plan

MISSING = "–"  # noqa: RUF001 - a dash, as tables have it


def report(results: list[Results], plan: Plan, machine: dict[str, str]) -> str:
    """The whole of `results.md`."""
    facts = [f"- {name}: {value}" for name, value in machine.items()]
    sections = chain.from_iterable(_engine(result, plan) for result in results)
    head = "Written by `python -m comparison`. Do not edit: run it again."
    return "\n\n".join(["# Results", head, "\n".join(facts), *sections]) + "\n"


def table(header: list[str], rows: Iterable[list[str]]) -> str:
    """A Markdown table; all columns but the first are aligned to the right."""
    lines = [header, *rows]
    widths = [max(len(line[n]) for line in lines) for n in range(len(header))]
    ruler = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]

    def text(cells: list[str]) -> str:
        first = cells[0].ljust(widths[0])
        others = [c.rjust(w) for c, w in zip(cells[1:], widths[1:], strict=True)]
        return "| " + " | ".join([first, *others]) + " |"

    return "\n".join([text(header), text(ruler), *map(text, lines[1:])])


def number(value: float | None) -> str:
    """Three significant digits, as many as the figures are good for."""
    if value is None:
        return MISSING
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f}"


def _engine(results: Results, plan: Plan) -> Iterable[str]:
    yield f"## {results.engine}"
    for name, reason in results.left_out.items():
        yield f"{name} is not measured here, because it does not start: {reason}"
    yield from _routes(results, plan)
    yield from _clients(results, plan)
    yield from _rows(results, plan)
    yield from _items_per_user(results, plan)
    yield from _memory(results)


def _routes(results: Results, plan: Plan) -> Iterable[str]:
    if not results.routes:
        return
    yield f"### Routes, {plan.clients} clients"
    yield (
        f"{plan.users:,} users with {plan.items_per_user} items each; the median of "
        f"rounds, {plan.rounds} of {plan.seconds:g} s, in which the apps take turns. "
        f"CPU is that of the app's process. The last column says how many times as "
        f"many requests a second {OURS.name} answers: the median of the rounds, and "
        "the extremes."
    )
    for route, by_app in results.routes.items():
        header = [f"`{route}`", "requests/s", "CPU ms/request", "p50 ms", "p99 ms"]
        header += ["failed", f"{OURS.name} is"]
        ours = by_app.get(OURS.name, [])
        yield table(
            header,
            (
                [name, *_route_figures(samples), _ratio(ours, samples)]
                for name, samples in by_app.items()
            ),
        )


def _route_figures(rounds: list[Sample]) -> list[str]:
    cpu = [sample.cpu_ms for sample in rounds if sample.cpu_ms is not None]
    latencies = [latency for sample in rounds for latency in sample.load.latencies]
    return [
        number(median(sample.load.per_second for sample in rounds)),
        number(median(cpu) if cpu else None),
        _ms(latencies, 50),
        _ms(latencies, 99),
        str(sum(sample.load.failed + sample.load.unanswered for sample in rounds)),
    ]


def _ms(latencies: list[float], percent: float) -> str:
    return number(percentile(latencies, percent) * 1000 if latencies else None)


def _ratio(ours: list[Sample], theirs: list[Sample]) -> str:
    if ours is theirs:
        return "1"
    ratio = paired_ratio(
        [sample.load.per_second for sample in ours],
        [sample.load.per_second for sample in theirs],
    )
    return show_ratio(ratio) if ratio else MISSING


def show_ratio(ratio: Ratio) -> str:
    """The median and, in brackets, the extremes."""
    extremes = f"({number(ratio.lowest)} to {number(ratio.highest)})"
    return f"{number(ratio.median)} × {extremes}"  # noqa: RUF001 - a multiplication


def _clients(results: Results, plan: Plan) -> Iterable[str]:
    if not results.clients:
        return
    yield "### From one client to many, reading one user"
    yield (
        f"Each on a new server, for {plan.ladder_seconds:g} s and at most "
        f"{plan.patience:g} s until the last answer. Failed are other answers than "
        "200; unanswered is what had none by then."
    )
    header = ["clients, app", "requests/s", "p50 ms", "p99 ms"]
    header += ["answered", "failed", "unanswered"]
    yield table(
        header,
        (
            [
                f"{clients:,}, {name}",
                number(sample.load.per_second),
                _ms(sample.load.latencies, 50),
                _ms(sample.load.latencies, 99),
                f"{len(sample.load.latencies):,}",
                f"{sample.load.failed:,}",
                f"{sample.load.unanswered:,}",
            ]
            for clients, samples in results.clients.items()
            for name, sample in samples.items()
        ),
    )


def _rows(results: Results, plan: Plan) -> Iterable[str]:
    if results.rows:
        yield "### The cost of a request as rows grow"
        yield f"{plan.items_per_user} items per user. {_COST}"
    for route, rungs in results.rows.items():
        yield _cost_table(f"`{route}`, items", rungs)


def _items_per_user(results: Results, plan: Plan) -> Iterable[str]:
    if results.items_per_user:
        yield "### The cost of a request as the items of a user grow"
        yield f"{plan.ladder_users} users. {_COST}"
    for route, rungs in results.items_per_user.items():
        yield _cost_table(f"`{route}`, items per user", rungs)


_COST = (
    "One client. CPU ms of the app's process for a request, and in brackets the ms "
    "that the client waits (p50)."
)


def _cost_table(title: str, rungs: dict[int, Samples]) -> str:
    names = list(next(iter(rungs.values())))
    return table(
        [title, *names],
        (
            [f"{rung:,}", *(_cost(samples[name]) for name in names)]
            for rung, samples in rungs.items()
        ),
    )


def _cost(sample: Sample) -> str:
    if not sample.load.latencies:
        return "no answer in time"
    return f"{number(sample.cpu_ms)} ({_ms(sample.load.latencies, 50)})"


def _memory(results: Results) -> Iterable[str]:
    if not results.idle_mib:
        return
    yield "### Memory"
    yield "The most memory (RSS) that the app's process had, in MiB."
    header = ["app", "started", "a page of 1,000 users"]
    rows = [
        [name, number(idle), number(results.largest_page[name].peak_mib)]
        for name, idle in results.idle_mib.items()
    ]
    if results.clients:
        clients = max(results.clients)
        header.append(f"{clients:,} clients at once")
        for row in rows:
            row.append(number(results.clients[clients][row[0]].peak_mib))
    yield table(header, rows)
