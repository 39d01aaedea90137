"""URLs: special characters, and connections."""

import sys
from contextlib import closing
from urllib.parse import quote, urlsplit

import peewee
import pytest

from peewee_app.fastapi_peewee import connector, engines
from peewee_app.fastapi_peewee.engines.url import without_password

from ...engines import on
from .notes import ask

SERVERS = on("postgresql", "mariadb")


@pytest.mark.parametrize("password", ["p@ss:w/rd?#[%", "pässwörd€", "a+b c"])
@SERVERS
def test_percent_encoded_passwords(url: str, engine: str, password: str) -> None:
    name = "user@home"
    with closing(connector(url)()) as administrator:
        administrator.connect()
        if engine == "postgresql":
            administrator.execute_sql(f'DROP ROLE IF EXISTS "{name}"')
            administrator.execute_sql(f'CREATE ROLE "{name}" LOGIN')
        else:
            administrator.execute_sql(f"DROP USER IF EXISTS '{name}'@'127.0.0.1'")
            administrator.execute_sql(
                f"CREATE USER '{name}'@'127.0.0.1' IDENTIFIED BY %s", (password,)
            )
            administrator.execute_sql(f"GRANT ALL ON *.* TO '{name}'@'127.0.0.1'")
        parts = urlsplit(url)
        credentials = f"{quote(name, safe='')}:{quote(password, safe='')}"
        other = parts._replace(netloc=f"{credentials}@{parts.hostname}:{parts.port}")
        assert ask(other.geturl(), "SELECT CURRENT_USER") in (name, f"{name}@127.0.0.1")
        if engine == "mariadb":  # PostgreSQL in the tests asks for no password.
            wrong = other.geturl().replace(quote(password, safe=""), "tiger")
            with pytest.raises(peewee.OperationalError) as refused:
                ask(wrong, "SELECT 1")
            assert "tiger" not in str(refused.value)
            administrator.execute_sql(f"DROP USER '{name}'@'127.0.0.1'")
        else:
            with closing(connector(other.geturl())()) as connection:
                assert connection.connection().info.password == password
            administrator.execute_sql(f'DROP ROLE "{name}"')


@SERVERS
def test_other_spellings_of_the_scheme(url: str, engine: str) -> None:
    other = {"postgresql": "postgres", "mariadb": "mariadb"}[engine]
    assert ask(f"{other}:{url.partition(':')[2]}", "SELECT 1") == 1


@SERVERS
def test_options_go_to_the_driver(url: str, engine: str) -> None:
    if engine == "postgresql":
        options = "application_name=mine&options=-c%20work_mem%3D5MB"
        sql = (
            "SELECT current_setting('application_name') || current_setting('work_mem')"
        )
        assert ask(f"{url}?{options}", sql) == "mine5MB"
        with pytest.raises(peewee.OperationalError, match="SSL"):
            ask(f"{url}?sslmode=require", "SELECT 1")
    else:
        assert ask(f"{url}?charset=latin1", "SELECT @@character_set_client") == "latin1"
        with pytest.raises(peewee.OperationalError, match="SSL"):
            ask(f"{url}?ssl_verify_cert=true", "SELECT 1")


@pytest.mark.parametrize(
    ("url", "driver", "extra"),
    [
        ("postgresql://host/db", "psycopg", "peewee_app[postgres]"),
        ("mysql://host/db", "pymysql", "peewee_app[mysql]"),
        ("mariadb://host/db", "pymysql", "peewee_app[mysql]"),
    ],
)
def test_a_missing_driver_says_what_to_install(
    url: str, driver: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("postgresql", "mysql"):
        monkeypatch.delitem(sys.modules, f"{engines.__name__}.{module}", raising=False)
        monkeypatch.delattr(engines, module, raising=False)
    monkeypatch.setitem(sys.modules, driver, None)
    with pytest.raises(ValueError, match="pip install") as raised:
        connector(url)
    assert extra in str(raised.value)


def test_a_url_is_logged_without_its_password() -> None:
    url = "postgresql://scott:tiger@host:5432/db?password=tiger"
    assert without_password(url) == "postgresql://scott@host:5432/db"
