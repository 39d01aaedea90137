"""Page of results: three questions, with answers for every engine."""

from collections.abc import Iterable, Iterator, Sequence
from statistics import median
from typing import NamedTuple

from .apps import DESIGN, FLOOR, ONE_CORE, OURS, PEERS, TUTORIAL, App
from .figures import Ratio, paired_ratio, percentile
from .in_process import NO_ORM, PEEWEE, SQLALCHEMY, Costs
from .markdown import TIMES, number, ratio, table
from .measure import Results, Sample, Samples
from .plan import Plan

Rounds = list[Sample]


def report(
    results: Sequence[Results],
    costs: dict[str, Costs],
    plan: Plan,
    machine: dict[str, str],
) -> str:
    """Return the whole of `results.md`; `costs` is what was measured in process."""
    facts = [f"- {name}: {value}" for name, value in machine.items()]
    head = "Written by `python -m comparison`. Do not edit: run it again."
    sections = ["# Results", *came_out(results), head, "\n".join(facts)]
    sections += _which_stack(results, plan)
    sections += _where_from(results, costs)
    sections += _what_happens(results, plan)
    return "\n\n".join(sections) + "\n"


def _plot(title: str, name: str, results: Results) -> str:
    return f"![{title}, {results.engine}]({name}-{results.engine_name}.svg)"


def per_second(rounds: Rounds) -> list[float]:
    """Return requests/s by round."""
    return [sample.load.per_second for sample in rounds]


def cpu_ms(rounds: Rounds) -> list[float]:
    """Return CPU ms of a request by round; 0 without an answer."""
    return [sample.cpu_ms or 0.0 for sample in rounds]


# Speed of each stack with the tutorial's API.


def _which_stack(results: Sequence[Results], plan: Plan) -> Iterator[str]:
    results = [result for result in results if result.routes or result.left_out]
    if not results:
        return
    yield "## Which stack serves the tutorial's API how fast?"
    yield (
        f"{plan.clients} clients; {plan.users:,} users with {plan.items_per_user} "
        f"items each. Figures are medians of {plan.rounds} rounds of {plan.seconds:g} "
        "s, in which the apps take turns. CPU is that of the app's process. The last "
        f"column is how many times as many requests a second {OURS.name} answers: the "
        "ratio of the medians and, in brackets, the least and the most of any round. "
        "Where some rounds say more and others less, it says no difference. Each app "
        f"runs as its users would run it. {OURS.name} keeps the threads of a process "
        "on one core by itself, so every other app is measured once more with all its "
        f"threads on one core: “{ONE_CORE.strip(', ')}”."
    )
    for result in results:
        yield f"### {result.engine}"
        for name, reason in result.left_out.items():
            yield f"{name} is not measured: it does not start. {reason}"
        if result.routes:
            yield _plot("Requests per second of each route", "routes", result)
            yield from _routes(result)


def _routes(results: Results) -> Iterator[str]:
    for route, by_app in results.routes.items():
        header = [f"`{route}`", "requests/s", "CPU ms/request", "p50 ms", "p99 ms"]
        header += ["failed", f"{OURS.name} is"]
        ours = by_app.get(OURS.name, [])
        yield table(
            header,
            (
                [name, *_route_figures(rounds), _faster(ours, rounds)]
                for name, rounds in by_app.items()
            ),
        )


def _route_figures(rounds: Rounds) -> list[str]:
    cpu = [sample.cpu_ms for sample in rounds if sample.cpu_ms is not None]
    latencies = [latency for sample in rounds for latency in sample.load.latencies]
    return [
        number(median(per_second(rounds))),
        number(median(cpu) if cpu else None),
        _ms(latencies, 50),
        _ms(latencies, 99),
        str(sum(sample.load.failed + sample.load.unanswered for sample in rounds)),
    ]


def _ms(latencies: list[float], percent: float) -> str:
    return number(percentile(latencies, percent) * 1000 if latencies else None)


def _faster(ours: Rounds, theirs: Rounds) -> str:
    if ours is theirs:
        return "1"
    return ratio(paired_ratio(per_second(ours), per_second(theirs)))


# The results in three sentences.


class Comparison(NamedTuple):
    """Ratios of ours to another app: requests per second, and CPU."""

    engine: str
    route: str
    name: str
    speed: Ratio
    cpu: Ratio

    @property
    def where(self) -> str:
        """Name of the app, the route and the engine."""
        return f"{self.name} on `{self.route}`, {self.engine.split()[0]}"

    @property
    def is_behind(self) -> bool:
        """True if ours is slower, or needs more CPU, in every round."""
        return self.speed.highest < 1 or self.cpu.lowest > 1

    @property
    def is_open(self) -> bool:
        """True if the rounds disagree on which is faster."""
        return not self.speed.is_clear

    def __str__(self) -> str:
        speed, cpu = number(self.speed.of_medians), number(self.cpu.of_medians)
        return f"{self.where} ({speed} {TIMES} the requests/s, {cpu} {TIMES} the CPU)"


def comparisons(
    results: Sequence[Results], apps: Iterable[App]
) -> Iterator[Comparison]:
    """Compare ours with each of the apps, on each route and engine."""
    names = [app.name for app in apps]
    for result in results:
        for route, by_app in result.routes.items():
            ours = by_app.get(OURS.name, [])
            for name in filter(by_app.__contains__, names):
                speed = paired_ratio(per_second(ours), per_second(by_app[name]))
                cpu = paired_ratio(cpu_ms(ours), cpu_ms(by_app[name]))
                if speed and cpu:
                    yield Comparison(result.engine, route, name, speed, cpu)


def came_out(results: Sequence[Results]) -> Iterator[str]:
    """Yield the results against the tutorial, other apps and the floor."""
    against = list(comparisons(results, PEERS))
    tutorial = [c for c in against if c.name == TUTORIAL.name]
    floor = list(comparisons(results, [FLOOR]))
    if not (tutorial and floor):
        return
    behind = "; ".join(str(c) for c in against if c.is_behind) or "none"
    equal = "; ".join(c.where for c in against if c.is_open and not c.is_behind)
    yield (
        f"{OURS.name} answers {_span(tutorial)} times as many requests a second as "
        f"{TUTORIAL.name}, and {_span(floor)} times as many as the floor, which has no "
        "ORM.\n"
        f"It is behind these apps: {behind}.\n"
        f"The rounds show no difference to these: {equal or 'none'}."
    )


def _span(found: Sequence[Comparison]) -> str:
    figures = [c.speed.of_medians for c in found]
    return f"{number(min(figures))} to {number(max(figures))}"


# Where the difference comes from.


def _where_from(results: Sequence[Results], costs: dict[str, Costs]) -> Iterator[str]:
    routes = [result for result in results if result.routes]
    if not costs and not routes:
        return
    yield "## Where does the difference come from?"
    if costs:
        yield from _in_process(costs)
    if routes:
        yield "### Over HTTP: the design, and the ORM"
        yield (
            "From the same rounds, requests/s and in brackets CPU ms: the same ORM "
            "with another design, and then another ORM with the same design. Of what "
            "is left between the last two, a part is the checks and error answers "
            f"that only {OURS.name} has."
        )
    for result in routes:
        yield from _over_http(result)


def _in_process(costs: dict[str, Costs]) -> Iterator[str]:
    yield "### In process: instances or rows, by each ORM"
    yield (
        "CPU ms from the query to the JSON on SQLite, the best of many runs, with no "
        "server and no client. Along a line the ORM differs, down a column the way it "
        "is used. SQLAlchemy keeps by itself the SQL that it has compiled for a "
        "statement; Peewee builds it each time, unless the app keeps it."
    )
    yield "![CPU from the query to the JSON](in-process.svg)"
    orms = [PEEWEE, SQLALCHEMY, NO_ORM]
    for answer, of_answer in costs.items():
        yield table(
            [answer, *orms],
            (
                [way, *(number(by_orm.get(orm)) for orm in orms)]
                for way, by_orm in of_answer.items()
            ),
        )


def _over_http(results: Results) -> Iterator[str]:
    three = (TUTORIAL, DESIGN, OURS)
    routes = {
        route: [by_app[app.name] for app in three]
        for route, by_app in results.routes.items()
        if all(app.name in by_app for app in three)
    }
    if not routes:
        return
    header = [results.engine, *(app.name for app in three)]
    header += ["the design makes", "the ORM and the rest make"]
    yield table(
        header,
        (
            [
                f"`{route}`",
                *map(_speed_and_cost, rounds),
                ratio(_of(rounds[1], rounds[0])),
                ratio(_of(rounds[2], rounds[1])),
            ]
            for route, rounds in routes.items()
        ),
    )


def _of(one: Rounds, other: Rounds) -> Ratio | None:
    return paired_ratio(per_second(one), per_second(other))


def _speed_and_cost(rounds: Rounds) -> str:
    return f"{number(median(per_second(rounds)))} ({number(median(cpu_ms(rounds)))})"


# What happens as clients and rows grow.


def _what_happens(results: Sequence[Results], plan: Plan) -> Iterator[str]:
    if not any(
        result.clients or result.rows or result.items_per_user or result.idle_mib
        for result in results
    ):
        return
    yield "## What happens as clients and rows grow?"
    for result in results:
        yield from _clients(result, plan)
        yield from _rows(result, plan)
        yield from _items_per_user(result, plan)
        yield from _memory(result)


def _clients(results: Results, plan: Plan) -> Iterator[str]:
    if not results.clients:
        return
    yield f"### From one client to many, reading one user, on {results.engine}"
    yield (
        f"Each on a new server, for {plan.ladder_seconds:g} s and at most "
        f"{plan.patience:g} s until the last answer. Failed are other answers than "
        "200; unanswered is what had none by then."
    )
    yield _plot("Requests per second, by the number of clients", "clients", results)
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


_COST = (
    "One client. CPU ms of the app's process for a request, and in brackets the ms "
    "that the client waits (p50)."
)


def _rows(results: Results, plan: Plan) -> Iterator[str]:
    if not results.rows:
        return
    yield f"### The cost of a request as rows grow, on {results.engine}"
    yield f"{plan.items_per_user} items per user. {_COST}"
    yield _plot("CPU for each request, by the number of items", "rows", results)
    for route, rungs in results.rows.items():
        yield _cost_table(f"`{route}`, items", rungs)


def _items_per_user(results: Results, plan: Plan) -> Iterator[str]:
    if not results.items_per_user:
        return
    yield f"### The cost of a request as a user's items grow, on {results.engine}"
    yield f"{plan.ladder_users} users. {_COST}"
    title = "CPU for each request, by the number of items per user"
    yield _plot(title, "items-per-user", results)
    for route, rungs in results.items_per_user.items():
        yield _cost_table(f"`{route}`, items per user", rungs)


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
    yield f"### Memory, on {results.engine}"
    yield "The most memory (RSS) that the app's process had, in MiB."
    yield table(
        ["app", "started", "a page of 1,000 users"],
        (
            [name, number(idle), number(results.largest_page[name].peak_mib)]
            for name, idle in results.idle_mib.items()
        ),
    )
