"""Build the site, and serve it.

python -m docs            # build it, serve it, say where
python -m docs --build    # only build it, into build/docs
"""

import argparse
import shutil
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from sphinx.cmd.build import main as sphinx_build

SOURCE = Path(__file__).parent
TARGET = SOURCE.parent / "build" / "docs"


def build() -> None:
    """Build the site anew; exit with an error for any warning."""
    shutil.rmtree(TARGET, ignore_errors=True)
    strict = ["--fail-on-warning", "--nitpicky", "--quiet"]
    if status := sphinx_build([*strict, str(SOURCE), str(TARGET)]):
        raise SystemExit(status)


def server(port: int) -> ThreadingHTTPServer:
    """Return a local server of the site; port 0 is any free one."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(TARGET))
    return ThreadingHTTPServer(("127.0.0.1", port), handler)


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m docs", description=__doc__)
    parser.add_argument("--build", action="store_true", help="only build")
    parser.add_argument("--port", type=int, default=8001, help="to serve at")
    arguments = parser.parse_args()
    build()
    if arguments.build:
        return
    with server(arguments.port) as site:
        address = f"http://127.0.0.1:{site.server_port}/"
        print(f"The site is at {address}. Stop it by Ctrl-C.", flush=True)
        try:
            site.serve_forever()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
