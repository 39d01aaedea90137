"""Machine that the figures come from, without its name."""

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

import psutil

PACKAGES = (
    *("fastapi", "starlette", "uvicorn", "pydantic", "peewee", "sqlalchemy"),
    *("sqlmodel", "tortoise-orm", "psycopg", "asyncpg", "aiosqlite"),
)


def describe() -> dict[str, str]:
    """Return hardware, system and versions, in the order to show."""
    memory = psutil.virtual_memory().total / 2**30
    cores = f"{os.cpu_count()} cores, {_cpu_model()}, {memory:.0f} GiB of memory"
    return {
        "Machine": cores,
        "System": _system(),
        "Python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }


def _cpu_model() -> str:
    try:
        info = Path("/proc/cpuinfo").read_text()
    except OSError:
        info = ""
    model = re.search(r"model name\s*: (.+)", info)
    return model[1] if model else platform.machine()


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return f"{platform.system()} {platform.release()}"
