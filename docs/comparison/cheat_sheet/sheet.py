"""A row of the cheat sheet: a task, and the code for it in SQLAlchemy and in Peewee."""

import ast
import asyncio
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from inspect import iscoroutinefunction, signature
from textwrap import dedent
from typing import Any

from . import pw, sa

Code = Callable[..., object]

ERRORS = (sa.SQLAlchemyError, pw.PeeweeException, pw.DoesNotExist)


@dataclass
class Row:
    """A task, and for each library a function that does it, or a text why not.

    If `differs`, the functions give different results, and `note` says why.
    `only_sqlite` names the library whose function is of SQLite alone, or "both".
    """

    title: str
    note: str = ""
    differs: bool = False
    only_sqlite: str = ""
    sqlalchemy: Code | str = ""
    peewee: Code | str = ""

    @property
    def anchor(self) -> str:
        """Fragment of the row's URL."""
        return re.sub(r"[^\w\- ]", "", self.title.lower()).replace(" ", "-")

    def results(self, url: str = "") -> tuple[str, str]:
        """Return what the sides give, each in a new database; "" where none has code.

        The database is a SQLite one in memory, or that of a PostgreSQL URL.
        """
        sides = (("sqlalchemy", sa, self.sqlalchemy), ("peewee", pw, self.peewee))
        return tuple(  # type: ignore[return-value]
            run(code, library.database(url))
            if callable(code) and not (url and self.only_sqlite in {name, "both"})
            else ""
            for name, library, code in sides
        )


@dataclass
class Topic:
    """Rows that belong together. The functions are told to it by decorators:

    row = Topic("Reading")

    @row("By key")
    def _(session: sa.Session) -> object: ...

    @row.peewee
    def _() -> object: ...
    """

    title: str
    rows: list[Row] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Name of its page."""
        return self.title.split(",")[0].lower().replace(" ", "_")

    def __call__(
        self,
        title: str,
        note: str = "",
        *,
        differs: bool = False,
        only_sqlite: str = "",
    ) -> Callable[[Code], Code]:
        """Begin a row; the function that is decorated is SQLAlchemy's side."""
        row = Row(title, note, differs, only_sqlite)
        self.rows.append(row)

        def decorate(code: Code) -> Code:
            row.sqlalchemy = code
            return code

        return decorate

    def peewee(self, code: Code) -> Code:
        """Add Peewee's side of the row."""
        self.rows[-1].peewee = code
        return code

    def peewee_has(self, text: str) -> None:
        """Say of the last row that Peewee has no code for it, and what to do."""
        self.rows[-1].peewee = text

    def sqlalchemy_has(self, title: str, text: str, note: str = "") -> None:
        """Begin a row for which SQLAlchemy has no code."""
        self.rows.append(Row(title, note, sqlalchemy=text))


def run(code: Code, database: AbstractContextManager[dict[str, Any]]) -> str:
    """Return, as text, what the function returns or raises in the database."""
    with database as given:
        arguments = {name: given[name] for name in signature(code).parameters}
        try:
            result = code(**arguments)
            if iscoroutinefunction(code):
                result = asyncio.run(result)  # type: ignore[arg-type]
            return shown(result)
        except ERRORS as error:
            return f"raises {type(error).__name__}"


def shown(value: object) -> str:
    """Return a value as text, the same for rows and tuples, results and lists."""
    if isinstance(value, sa.Base | pw.Model):
        return f"{type(value).__name__}({', '.join(map(repr, key(value)))})"
    if isinstance(value, sa.Row | tuple):
        return f"({', '.join(map(shown, value))})"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{k!r}: {shown(v)}' for k, v in value.items())}}}"
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | type):
        return f"[{', '.join(map(shown, value))}]"
    return repr(value)


def key(row: sa.Base | pw.Model) -> tuple[object, ...]:
    """Return the primary key."""
    if isinstance(row, sa.Base):
        return tuple(sa.inspect(row).mapper.primary_key_from_instance(row))
    found = row.get_id()
    return found if isinstance(found, tuple) else (found,)


def used_names(code: Code) -> set[str]:
    """Return the names that the function's body uses, of either library or its own."""
    function = ast.parse(dedent(inspect.getsource(code))).body[0]
    assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)  # noqa: S101
    used, local = set(), set()
    for node in (n for statement in function.body for n in ast.walk(statement)):
        if isinstance(node, ast.ClassDef):
            local.add(node.name)
        elif isinstance(node, ast.Name):
            used.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            used.add(node.attr if node.value.id in {"sa", "pw"} else "")
    return used - local


def source(code: Code) -> str:
    """Return the function's body, as a reader writes it.

    Drop the last `return`, and `sa.` and `pw.`, since a program imports the names of
    one library only.
    """
    text = dedent(inspect.getsource(code))
    function = ast.parse(text).body[0]
    assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)  # noqa: S101
    lines = text.splitlines()
    last = function.body[-1]
    while isinstance(last, ast.With | ast.AsyncWith):
        last = last.body[-1]
    if isinstance(last, ast.Return):
        number = last.lineno - 1
        if lines[number].strip() == "return None":
            del lines[number]
            number -= 1
        lines[number] = lines[number].replace("return ", "", 1)
    body = dedent("\n".join(lines[function.body[0].lineno - 1 :]))
    body = re.sub(r"\b(?:sa|pw)\.(?=\w)", "", body)
    return re.sub(r"  # (?:type|noqa).*", "", body).rstrip()
