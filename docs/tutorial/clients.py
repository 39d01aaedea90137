"""Send one request many times at once, and count the answers by status.

python clients.py NUMBER URL [JSON]     with JSON a POST, else a GET
"""

import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from urllib.parse import urlsplit


def ask(url: str, body: str | None) -> int:
    parts = urlsplit(url)
    client = HTTPConnection(parts.netloc, timeout=120)
    headers = {"Content-Type": "application/json"} if body else {}
    client.request("POST" if body else "GET", parts.path, body, headers)
    response = client.getresponse()
    response.read()
    client.close()
    return response.status


def main(number: int, url: str, body: str | None = None) -> None:
    start = time.monotonic()
    with ThreadPoolExecutor(number) as threads:
        answers = list(threads.map(lambda _: ask(url, body), range(number)))
    seconds = time.monotonic() - start
    counted = ", ".join(f"{n} times {s}" for s, n in sorted(Counter(answers).items()))
    print(f"{counted}, after {seconds:.1f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
