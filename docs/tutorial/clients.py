"""Send one request many times at once, and count the answers.

python clients.py NUMBER URL [JSON]     with JSON a POST, else a GET
"""

import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from threading import Barrier
from urllib.parse import urlsplit


def ask(url: str, body: str | None, ready: Barrier) -> str:
    parts = urlsplit(url)
    client = HTTPConnection(parts.netloc, timeout=120)
    method, headers = "GET", {}
    if body:
        method, headers = "POST", {"Content-Type": "application/json"}
    try:
        client.connect()
        ready.wait()
        client.request(method, parts.path, body, headers)
        answer = client.getresponse()
        answer.read()
        return f"{answer.status} {answer.reason}"
    except (HTTPException, OSError):
        return "no answer"
    finally:
        client.close()


def main(number: int, url: str, body: str | None = None) -> None:
    start = time.monotonic()
    ready = Barrier(number)  # All send when the last one is connected.
    with ThreadPoolExecutor(number) as threads:
        answers = list(threads.map(lambda _: ask(url, body, ready), range(number)))
    for answer, times in sorted(Counter(answers).items()):
        print(f"{answer}: {times}")
    print(f"after {time.monotonic() - start:.1f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
