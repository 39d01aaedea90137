"""`peewee_app` serves the app as `uvicorn peewee_app.main:app` does, within limits.

Every option is uvicorn's own, and a given one overrides one that is set here.
"""

import sys

import uvicorn.main

OPTIONS = [
    # Limits what one connection holds in memory.
    "--http=peewee_app.web.protocol:HttpProtocol",
    # One core for each process, less garbage collection; `--loop auto` turns both off.
    "--loop=peewee_app.web.collector:new_event_loop",
    # Connections of a process: below the 1,024 descriptors that a process often has.
    "--limit-concurrency=900",
    # Seconds after a SIGTERM until requests are cancelled.
    "--timeout-graceful-shutdown=10",
]


def main() -> None:
    """Serve the app until a signal ends it."""
    arguments = ["peewee_app.main:app", *OPTIONS, *sys.argv[1:]]
    uvicorn.main.main(arguments, prog_name="peewee_app")


if __name__ == "__main__":
    main()
