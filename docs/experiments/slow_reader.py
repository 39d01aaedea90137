"""A client that reads slowly: how long does its request hold a connection?"""

import socket
import threading
from collections.abc import Iterator

import uvicorn
from fastapi import Depends, FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()
held: set[str] = set()


def get_db() -> Iterator[None]:
    """Stands for any dependency that takes a connection and gives it back."""
    held.add("a connection")
    yield
    held.clear()


def answer() -> StreamingResponse:
    """More than the buffers between server and client take."""
    return StreamingResponse(b"x" * 65_536 for _ in range(1_000))


app.get("/request", dependencies=[Depends(get_db, scope="request")])(answer)
app.get("/function", dependencies=[Depends(get_db, scope="function")])(answer)


def main() -> None:
    """Ask for each, read the first byte only, and look what is held."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=[[listener]])
        thread.start()
        for scope in ("request", "function"):
            with socket.create_connection(listener.getsockname()) as client:
                client.sendall(f"GET /{scope} HTTP/1.1\r\nHost: app\r\n\r\n".encode())
                client.recv(1)
                print(f'scope="{scope}": held: {", ".join(held) or "nothing"}')
        server.should_exit = True
        thread.join()


if __name__ == "__main__":
    main()
