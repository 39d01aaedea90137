"""Run the app on a cluster whose nodes fail under load, and print a report."""

import argparse
import signal
import sys

from harness.processes import NotInstalledError, ServerError, require

from . import galera, patroni
from .galera.nodes import NEEDED as GALERA_NEEDS
from .galera.report import Report as GaleraReport
from .galera.run import run as run_galera
from .patroni.programs import NEEDED as PATRONI_NEEDS
from .patroni.report import Report as PatroniReport
from .patroni.run import run as run_patroni
from .patroni.scenarios import SCENARIOS


def main() -> int:
    """Print the report; return 0 if everything held."""
    arguments = parse()
    # End on SIGTERM as on Control-C: what was started is stopped. A shell's background
    # job begins with SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        require(GALERA_NEEDS if arguments.cluster == "galera" else PATRONI_NEEDS)
        report = run(arguments)
    except (NotInstalledError, ServerError) as exc:
        print(exc, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; everything is stopped", file=sys.stderr)
        return 130
    print(report.text())
    broken = report.broken_promises()
    print("\n" + ("\n".join(f"BROKEN: {text}" for text in broken) or "all held"))
    return 1 if broken else 0


def run(arguments: argparse.Namespace) -> GaleraReport | PatroniReport:
    """Run the cluster. Raise ServerError if something fails."""
    if arguments.cluster == "galera":
        return run_galera()
    everything = "all" in arguments.scenarios
    return run_patroni(list(SCENARIOS) if everything else arguments.scenarios)


def parse() -> argparse.Namespace:
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(prog="python -m cluster", description=__doc__)
    clusters = parser.add_subparsers(dest="cluster", required=True)
    clusters.add_parser("galera", help=galera.__doc__)
    patroni_parser = clusters.add_parser("patroni", help=patroni.__doc__)
    patroni_parser.add_argument(
        "scenarios",
        nargs="*",
        choices=[*SCENARIOS, "all"],
        default="all",
        help="what is to happen, in this order (default: all)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
