"""Measurements on one database engine."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.load import Load, drive, requests_for
from harness.processes import ServerError
from harness.server import Server

from .apps import App, allow_open_files, serve
from .databases import engine, fill, fresh_database, remove_items
from .plan import (
    LARGEST_PAGE,
    NEW_ITEM,
    ONE_USER,
    ROUTES,
    ROUTES_OF_ITEMS,
    ROUTES_OF_ROWS,
    Plan,
    apps_of,
)

# Called before each step, with its name.
Report = Callable[[str], None]


@dataclass(frozen=True)
class Sample:
    """Result of a measurement of one app."""

    load: Load
    cpu_seconds: float
    # The most memory since the server's start; None where that cannot be read.
    peak_mib: float | None

    @property
    def cpu_ms(self) -> float | None:
        """Server's CPU time for a request, in ms; None without an answer."""
        answered = len(self.load.latencies)
        return self.cpu_seconds * 1000 / answered if answered else None


# Samples by the name of the app.
Samples = dict[str, Sample]


@dataclass
class Results:
    """All that was measured on one database engine."""

    # Name and version.
    engine: str
    # A sample for each route, app and round.
    routes: dict[str, dict[str, list[Sample]]] = field(default_factory=dict)
    # By number of clients; by route and number of items; ... of items per user.
    clients: dict[int, Samples] = field(default_factory=dict)
    rows: dict[str, dict[int, Samples]] = field(default_factory=dict)
    items_per_user: dict[str, dict[int, Samples]] = field(default_factory=dict)
    # The largest page, asked for once.
    largest_page: Samples = field(default_factory=dict)
    # A server that has answered nothing yet, in MiB.
    idle_mib: dict[str, float | None] = field(default_factory=dict)
    # Why an app could not be measured.
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def engine_name(self) -> str:
        """Return the engine, as it stands in the names of files."""
        return self.engine.split()[0].lower()


@dataclass
class Bench:
    """An app and its own database."""

    app: App
    url: str


class Measurement:
    """Run on one engine. `server_url` is a PostgreSQL server's, or None."""

    def __init__(
        self, apps: Sequence[App], plan: Plan, server_url: str | None, report: Report
    ) -> None:
        self.results = Results(engine(server_url))
        self._plan = plan
        self._report = report
        self._server_url = server_url
        self._apps = apps

    def run(self, parts: Sequence[str]) -> Results:
        """Measure the parts, in the order of MEASURES."""
        # A socket for each client, and some files.
        allow_open_files(max(self._plan.ladder_clients) + 1000)
        with ExitStack() as stack:
            benches = {bench.app: bench for bench in self._set_up(stack)}
            for part, measure in MEASURES.items():
                if part in parts:
                    apps = apps_of(part, list(benches))
                    measure(self, [benches[app] for app in apps])
        return self.results

    def _set_up(self, stack: ExitStack) -> Iterator[Bench]:
        for app in self._apps:
            folder = Path(stack.enter_context(TemporaryDirectory()))
            url = stack.enter_context(fresh_database(self._server_url, folder))
            try:
                with serve(app, url):  # It creates its tables.
                    pass
            except ServerError as exc:
                self.results.left_out[app.name] = str(exc)
            else:
                yield Bench(app, url)

    def routes(self, benches: list[Bench]) -> None:
        """Run all servers, and load one at a time, so that rounds compare."""
        plan = self._plan
        names = [bench.app.name for bench in benches]
        self.results.routes = {route: {name: [] for name in names} for route in ROUTES}
        with ExitStack() as stack:
            servers = []
            for bench in benches:
                fill(bench.url, plan.users, plan.items_per_user)
                servers.append(stack.enter_context(serve(bench.app, bench.url)))
            pairs = list(zip(benches, servers, strict=True))
            for number in range(plan.rounds + 1):
                for route in ROUTES:
                    # Reverse the order in every other round.
                    for bench, server in pairs[:: -1 if number % 2 else 1]:
                        self._report(f"{route}, {bench.app.name}")
                        seconds = plan.seconds if number else plan.warm_up
                        sample = self._sample(server, route, plan.clients, seconds)
                        if route == NEW_ITEM:
                            remove_items(bench.url, after=plan.items)
                        if number:
                            self.results.routes[route][bench.app.name].append(sample)

    def clients(self, benches: list[Bench]) -> None:
        """Read one user by more and more clients."""
        plan = self._plan
        for bench in benches:
            fill(bench.url, plan.users, plan.items_per_user)
        for clients in plan.ladder_clients:
            samples = self.results.clients.setdefault(clients, {})
            for bench in benches:
                self._report(f"{clients:,} clients, {bench.app.name}")
                # A new server each time: one that hangs would go on hanging.
                with serve(bench.app, bench.url) as server:
                    self._sample(server, ONE_USER, 1, plan.warm_up)
                    samples[bench.app.name] = self._sample(
                        server, ONE_USER, clients, plan.ladder_seconds
                    )

    def rows(self, benches: list[Bench]) -> None:
        """Measure a request as the tables grow."""
        plan = self._plan
        for items in plan.ladder_items:
            users = items // plan.items_per_user
            for bench in benches:
                self._report(f"{items:,} items, {bench.app.name}")
                fill(bench.url, users, plan.items_per_user)
                self._sample_rung(
                    bench, ROUTES_OF_ROWS, users, items, self.results.rows
                )

    def items_per_user(self, benches: list[Bench]) -> None:
        """Measure a request as its answer grows."""
        plan = self._plan
        for items in plan.ladder_items_per_user:
            for bench in benches:
                self._report(f"{items:,} items per user, {bench.app.name}")
                fill(bench.url, plan.ladder_users, items)
                self._sample_rung(
                    bench,
                    ROUTES_OF_ITEMS,
                    plan.ladder_users,
                    items,
                    self.results.items_per_user,
                )

    def _sample_rung(
        self,
        bench: Bench,
        routes: tuple[str, ...],
        users: int,
        rung: int,
        results: dict[str, dict[int, Samples]],
    ) -> None:
        seconds = self._plan.ladder_seconds
        with serve(bench.app, bench.url) as server:
            for route in routes:
                self._sample(server, route, 1, self._plan.warm_up, users)
                sample = self._sample(server, route, 1, seconds, users)
                of_rung = results.setdefault(route, {}).setdefault(rung, {})
                of_rung[bench.app.name] = sample

    def memory(self, benches: list[Bench]) -> None:
        """Measure one request for the largest page."""
        for bench in benches:
            self._report(f"memory, {bench.app.name}")
            fill(bench.url, max(self._plan.users, 1000), self._plan.items_per_user)
            with serve(bench.app, bench.url) as server:
                self.results.idle_mib[bench.app.name] = server.peak_mib()
                load = drive(
                    server.port,
                    iter([LARGEST_PAGE]),
                    clients=1,
                    seconds=self._plan.patience,
                    patience=self._plan.patience,
                )
                self.results.largest_page[bench.app.name] = Sample(
                    load, server.cpu_seconds(), server.peak_mib()
                )

    def _sample(
        self,
        server: Server,
        route: str,
        clients: int,
        seconds: float,
        users: int | None = None,
    ) -> Sample:
        build = ROUTES[route]
        number = users or self._plan.users
        before = server.cpu_seconds()
        load = drive(
            server.port,
            requests_for(lambda n: build(n, number)),
            clients=clients,
            seconds=seconds,
            patience=self._plan.patience,
        )
        return Sample(load, server.cpu_seconds() - before, server.peak_mib())


# By the names in PARTS.
MEASURES: dict[str, Callable[[Measurement, list[Bench]], None]] = {
    "routes": Measurement.routes,
    "clients": Measurement.clients,
    "rows": Measurement.rows,
    "items": Measurement.items_per_user,
    "memory": Measurement.memory,
}
