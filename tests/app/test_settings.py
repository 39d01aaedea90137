"""Settings: their defaults, and errors of wrong values."""

import pytest

from peewee_app.settings import Settings, load_settings

NAMES = (
    "DATABASE_URL",
    "DATABASE_POOL_SIZE",
    "DATABASE_POOL_TIMEOUT",
    "MAX_BODY_SIZE",
    "MIGRATE_AT_START",
)


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def test_defaults() -> None:
    settings = load_settings()
    assert settings.database_url.get_secret_value() == "sqlite:///./sql_app.db"
    assert settings.database_pool_size == 1
    assert settings.database_pool_timeout == 10
    assert settings.echo_sql is False
    assert settings.max_body_size == 1024 * 1024
    assert settings.migrate_at_start


def test_a_server_gets_more_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://host/db")
    assert load_settings().database_pool_size == 20


def test_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:////data/app.db")
    monkeypatch.setenv("DATABASE_POOL_SIZE", "5")
    monkeypatch.setenv("DATABASE_POOL_TIMEOUT", "0.5")
    monkeypatch.setenv("ECHO_SQL", "1")
    monkeypatch.setenv("MAX_BODY_SIZE", "100")
    settings = load_settings()
    assert settings.database_url.get_secret_value() == "sqlite:////data/app.db"
    assert settings.database_pool_size == 5
    assert settings.database_pool_timeout == 0.5
    assert settings.echo_sql is True
    assert settings.max_body_size == 100


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", ""),
        ("DATABASE_URL", "oracle://scott:tiger@host/db"),
        ("DATABASE_URL", "sqlite://file.db"),
        ("DATABASE_POOL_SIZE", "0"),
        ("DATABASE_POOL_SIZE", "many tigers"),
        ("DATABASE_POOL_TIMEOUT", "0"),
        ("DATABASE_POOL_TIMEOUT", "nan"),
        ("DATABASE_POOL_TIMEOUT", "inf"),
        ("ECHO_SQL", "loud tigers"),
        ("MAX_BODY_SIZE", "-1"),
        ("MIGRATE_AT_START", "perhaps"),
        ("DATABASE_URL", "postgresql://scott:tiger@host/db?sslmod=require"),
        ("DATABASE_URL", "postgresql://scott:ti[ger@host/db?statement_timeout=0"),
        ("DATABASE_URL", "mysql://scott:tiger@host:port/db"),
        ("DATABASE_URL", "mysql://scott:tiger@[host/db"),
        ("DATABASE_URL", "mysql://scott:tiger@host"),
    ],
)
def test_a_wrong_value_stops_the_start_with_one_line_that_names_it(
    name: str,
    value: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as stopped:
        load_settings()
    assert stopped.value.code == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{name}: " in line
    assert "tiger" not in line


def test_a_password_in_the_url_does_not_show_in_a_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:///tiger.db")
    settings = Settings()
    assert "tiger" not in repr(settings)
    assert "tiger" not in str(settings.model_dump())
