"""Measure the apps side by side, and print the tables."""

import argparse
import math
import signal
import sys
from pathlib import Path

from tqdm import tqdm

from .apps import APPS
from .databases import check_connections
from .in_process import measure_in_process
from .machine import describe
from .measure import Measurement, Results
from .plan import FULL, IN_PROCESS, PARTS, QUICK, Plan, work
from .plots import write_in_process_plot, write_plots
from .report import report


def arguments(words: list[str] | None) -> argparse.Namespace:
    """Return the command line, parsed."""
    parser = argparse.ArgumentParser("python -m comparison", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few minutes, rough")
    parser.add_argument(
        "--postgresql",
        metavar="URL",
        help="measure on this server too, in databases that are made and dropped; "
        "for example postgresql://postgres@127.0.0.1/postgres",
    )
    parser.add_argument(
        "--parts", nargs="+", choices=[*PARTS, IN_PROCESS], help="by default all"
    )
    parser.add_argument("--apps", nargs="+", choices=[app.name for app in APPS])
    parser.add_argument(
        "--output",
        metavar="FOLDER",
        type=Path,
        help="where to write results.md and the plots; a complete run writes them to "
        "this package's folder, one with --quick, --parts or --apps nowhere",
    )
    options = parser.parse_args(words)
    if not (options.output or options.quick or options.parts or options.apps):
        options.output = Path(__file__).parent
    options.parts = options.parts or [*PARTS, IN_PROCESS]
    return options


def run(plan: Plan, options: argparse.Namespace) -> list[Results]:
    """Measure on SQLite and, if a server is given, on PostgreSQL."""
    apps = [app for app in APPS if not options.apps or app.name in options.apps]
    servers = [None, options.postgresql] if options.postgresql else [None]
    if options.parts == [IN_PROCESS]:
        servers = []
    total = work(plan, apps, options.parts, len(servers))
    minutes = math.ceil(total.seconds / 60)
    print(f"This takes about {minutes} min.", file=sys.stderr)
    all_results = []
    with tqdm(total=total.steps, unit="step") as progress:

        def next_step(what: str) -> None:
            progress.update()
            progress.set_description(what)

        for server in servers:
            measurement = Measurement(apps, plan, server, next_step)
            all_results.append(measurement.run(options.parts))
    return all_results


def main(words: list[str] | None = None) -> None:
    """Run the command."""
    options = arguments(words)
    # As with Ctrl+C: stop the servers and drop the databases.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if options.postgresql:
        check_connections(options.postgresql)
    plan = QUICK if options.quick else FULL
    results = run(plan, options)
    costs = (
        measure_in_process(plan.process_rounds) if IN_PROCESS in options.parts else {}
    )
    text = report(results, costs, plan, describe())
    print(text)
    if options.output:
        options.output.mkdir(parents=True, exist_ok=True)
        (options.output / "results.md").write_text(text)
        for result in results:
            write_plots(result, options.output)
        write_in_process_plot(costs, options.output)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("stopped")
