"""Programs that do not outlive the tests, whatever ends these."""

import shutil


def dying_with_us(signal: str) -> list[str]:
    """What to put before a command, for it to get the signal when we are gone.

    "We" are the thread that starts it; also one that is killed. Only on Linux.
    """
    setpriv = shutil.which("setpriv")
    return [setpriv, f"--pdeathsig={signal}"] if setpriv else []
