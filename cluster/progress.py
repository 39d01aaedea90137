"""Progress of a run."""

import sys
import time


def say(text: str) -> None:
    """Print the text with the time of day, to stderr."""
    print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)
