"""TLS, certificates and passwords: who gets in, and the errors of who does not."""

import os
import re
import shutil
import signal
import subprocess
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
import trustme
from fastapi.testclient import TestClient
from peewee import PostgresqlDatabase

from harness.processes import NotInstalledError
from harness.servers import DatabaseServer, Mariadb, running
from peewee_app.database import db
from peewee_app.fastapi_peewee import connect, connector
from peewee_app.web.startup import StartupError

from ..engines import on
from ..factories import create_app

pytestmark = on("postgresql", "mariadb")

HOST = "127.0.0.1"
PASSWORD = "p@:/%#?&=+;'\"\\ $ö密"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class Certificates:
    """Files of one authority's certificates, for the servers and the app."""

    def __init__(self, directory: Path, name: str) -> None:
        self.authority = trustme.CA()
        self.directory = directory / name
        self.directory.mkdir()
        self.ca = self.directory / "ca.pem"
        self.authority.cert_pem.write_to_path(self.ca)

    def issue(self, name: str, *, user: str | None = None, **more: Any) -> Path:
        """Return the path of a certificate and key, without `.pem` or `.key`."""
        certificate = self.authority.issue_cert(name, common_name=user, **more)
        stem = self.directory / f"{len(list(self.directory.iterdir()))}"
        certificate.cert_chain_pems[0].write_to_path(stem.with_suffix(".pem"))
        certificate.private_key_pem.write_to_path(stem.with_suffix(".key"))
        stem.with_suffix(".key").chmod(0o600)
        return stem


class TlsServer(DatabaseServer):
    """A server with a certificate, and the users `app` and `certified`."""

    certificate: Path

    @abstractmethod
    def create_users(self) -> None:
        """Create users and their database `app`."""

    @abstractmethod
    def set_password(self, password: str) -> None:
        """Set user `app`'s."""

    @abstractmethod
    def url(self, userinfo: str, client: Path | None = None) -> str:
        """Return a URL that checks the server and shows `client`."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.ours = Certificates(directory, "ours")
        self.foreign = Certificates(directory, "foreign")
        self.good = self.ours.issue(HOST)
        self.client = self.ours.issue("app@example.org", user="certified")
        self.use(self.good)

    def use(self, certificate: Path) -> None:
        """Show this certificate from the next start on."""
        self.certificate = certificate
        if self.user:
            shutil.chown(certificate.with_suffix(".key"), self.user)

    def restart(self, certificate: Path) -> None:
        self.stop()
        self.use(certificate)
        self.start()


class TlsPostgresql(TlsServer):
    """Debian's PostgreSQL: the one in the wheel is built without TLS."""

    def __init__(self, directory: Path) -> None:
        programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
        if not programs:
            raise NotInstalledError(
                "no PostgreSQL with TLS: apt-get install postgresql"
            )
        self.programs = programs[-1]
        super().__init__(directory)
        self.data = directory / "data"
        if self.user:
            shutil.chown(directory, self.user)
        subprocess.run(
            [
                *(self.programs / "initdb", "-D", self.data, "--no-sync"),
                *("--username=postgres", "--auth=trust", "--encoding=UTF8"),
            ],
            user=self.user,
            check=True,
            capture_output=True,
        )
        (self.data / "pg_hba.conf").write_text(
            "host all postgres 127.0.0.1/32 trust\n"
            "hostssl all certified 127.0.0.1/32 cert\n"
            "hostssl all all 127.0.0.1/32 scram-sha-256\n"
        )

    @property
    def user(self) -> str | None:
        return None if os.geteuid() else "postgres"

    def command(self) -> list[str]:
        settings = {
            "port": self.port,
            "listen_addresses": HOST,
            "unix_socket_directories": "",
            "fsync": "off",
            "ssl": "on",
            "ssl_ca_file": self.ours.ca,
            "ssl_cert_file": self.certificate.with_suffix(".pem"),
            "ssl_key_file": self.certificate.with_suffix(".key"),
        }
        return [
            *(str(self.programs / "postgres"), "-D", str(self.data)),
            *(f"-c{name}={value}" for name, value in settings.items()),
        ]

    def stop(self, number: int = signal.SIGINT) -> None:
        """Stop it by SIGINT: with SIGTERM it would wait for its clients."""
        super().stop(number)

    def connect(self) -> Any:
        return psycopg.connect(
            host=HOST,
            port=self.port,
            user="postgres",
            dbname="postgres",
            autocommit=True,
        )

    def set_password(self, password: str) -> None:
        quoted = password.replace("'", "''")
        self.execute(
            "SET standard_conforming_strings = on",
            f"ALTER USER app PASSWORD '{quoted}'",
        )

    def create_users(self) -> None:
        self.execute(
            "CREATE DATABASE app",
            *("CREATE USER app", "CREATE USER certified"),
            "ALTER DATABASE app OWNER TO app",
            "GRANT app TO certified",
        )

    def url(self, userinfo: str, client: Path | None = None) -> str:
        options = f"sslmode=verify-full&sslrootcert={self.ours.ca}"
        if client:
            options += f"&sslcert={client}.pem&sslkey={client}.key"
        return f"postgresql://{userinfo}@{HOST}:{self.port}/app?{options}"


class TlsMariadb(TlsServer, Mariadb):
    def command(self) -> list[str]:
        return [
            *super().command(),
            f"--ssl-ca={self.ours.ca}",
            f"--ssl-cert={self.certificate.with_suffix('.pem')}",
            f"--ssl-key={self.certificate.with_suffix('.key')}",
        ]

    def set_password(self, password: str) -> None:
        quoted = password.replace("\\", "\\\\").replace("'", "''")
        self.execute(f"ALTER USER app@'127.0.0.1' IDENTIFIED BY '{quoted}'")

    def create_users(self) -> None:
        self.execute(
            "CREATE DATABASE app",
            "CREATE USER app@'127.0.0.1' REQUIRE SSL",
            "CREATE USER certified@'127.0.0.1' REQUIRE X509",
            "GRANT ALL ON app.* TO app@'127.0.0.1'",
            "GRANT ALL ON app.* TO certified@'127.0.0.1'",
        )

    def url(self, userinfo: str, client: Path | None = None) -> str:
        options = f"ssl_ca={self.ours.ca}&ssl_verify_identity=true"
        if client:
            options += f"&ssl_cert={client}.pem&ssl_key={client}.key"
        return f"mysql://{userinfo}@{HOST}:{self.port}/app?{options}"


KINDS: dict[str, Any] = {"postgresql": TlsPostgresql, "mariadb": TlsMariadb}
USER = f"app:{quote(PASSWORD, safe='')}"


@pytest.fixture(scope="module")
def started() -> Iterator[dict[str, TlsServer]]:
    """Yield the servers that tests have asked for."""
    servers: dict[str, TlsServer] = {}
    with ExitStack() as stack:
        for engine, kind in KINDS.items():
            servers[engine] = stack.enter_context(running(kind))
            servers[engine].create_users()
        yield servers


@pytest.fixture
def server(engine: str, started: dict[str, TlsServer]) -> TlsServer:
    """Server with good certificate and password."""
    server = started[engine]
    if server.certificate != server.good:
        server.restart(server.good)
    server.set_password(PASSWORD)
    return server


def start(url: str) -> TestClient:
    app = create_app(url)
    return TestClient(app, raise_server_exceptions=False)


def why_not(url: str) -> str:
    """Return the line that a failed start prints."""
    with pytest.raises(StartupError) as caught, start(url):
        pass
    line = str(caught.value)
    assert "\n" not in line
    assert PASSWORD not in line
    assert quote(PASSWORD, safe="") not in line
    return line


def is_encrypted() -> bool:
    if isinstance(db.obj, PostgresqlDatabase):
        sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        return bool(db.execute_sql(sql).fetchone()[0])
    return bool(db.execute_sql("SHOW STATUS LIKE 'Ssl_version'").fetchone()[1])


def test_a_password_with_every_special_character(server: TlsServer) -> None:
    url = server.url(USER)
    with start(url) as client:
        assert client.get("/users/").status_code == 200
    with connect(db, connector(url)):
        assert is_encrypted()


def test_a_client_certificate(server: TlsServer) -> None:
    with start(server.url("certified", server.client)) as client:
        assert client.get("/users/").status_code == 200


def test_a_wrong_password(server: TlsServer, caplog: pytest.LogCaptureFixture) -> None:
    wrong = "(?i)password authentication failed|access denied"
    with start(server.url(USER)) as client:
        assert client.get("/users/").status_code == 200
        server.set_password("another")
        server.restart(server.good)  # Open connections stay.
        response = client.get("/users/")
    assert response.status_code == 503
    assert "app" not in response.text
    (line,) = (r.getMessage() for r in caplog.records if "503" in r.getMessage())
    assert re.search(wrong, line)
    assert "\n" not in line
    assert PASSWORD not in caplog.text
    assert re.search(wrong, why_not(server.url(USER)))


def test_a_certificate_of_the_server_that_is_no_good(
    server: TlsServer, engine: str, caplog: pytest.LogCaptureFixture
) -> None:
    # libpq does not say why.
    failed = "certificate verify failed"
    expired, foreign = {
        "postgresql": (failed, failed),
        "mariadb": ("certificate has expired", "unable to get local issuer"),
    }[engine]
    url = server.url(USER)
    with start(url) as client:
        assert client.get("/users/").status_code == 200
        for certificate, why in (
            (server.ours.issue(HOST, not_after=LONG_AGO), expired),
            (server.foreign.issue(HOST), foreign),
            (
                server.ours.issue("other.example"),
                "does not match|mismatch|not valid for",
            ),
        ):
            server.restart(certificate)
            caplog.clear()
            response = client.get("/users/")
            assert response.status_code == 503
            assert "certificate" not in response.text
            (line,) = (r.getMessage() for r in caplog.records)
            assert re.search(why, line)
            assert re.search(why, why_not(url))


def test_a_certificate_of_the_client_that_is_no_good(
    server: TlsServer, engine: str
) -> None:
    expired = server.ours.issue("app@example.org", user="certified", not_after=LONG_AGO)
    foreign = server.foreign.issue("app@example.org", user="certified")
    reasons = {
        "postgresql": ["certificate expired", "unknown ca", "requires a valid client"],
        # It hangs up, maybe before the client has read why; its own log has that.
        "mariadb": ["expired|gone away", "unknown.ca|gone away", "Access denied"],
    }
    for client, why in zip((expired, foreign, None), reasons[engine], strict=True):
        line = why_not(server.url("certified", client))
        assert re.search(why, line, re.IGNORECASE)
