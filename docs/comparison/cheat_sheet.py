"""Write the cheat sheet, `cheat_sheet.md`, from its rows.

python -m docs.comparison.cheat_sheet
"""

import inspect
from pathlib import Path
from types import ModuleType

from . import pw, sa
from .rows import TOPICS
from .sheet import Code, Row, source

PAGE = Path(__file__).with_suffix(".md")
HIDDEN = "# What is not shown on the page."

INTRODUCTION = """\
<!-- Written by python -m docs.comparison.cheat_sheet: change its rows, and run it. -->

# Cheat sheet

SQLAlchemy 2 and Peewee 4, task by task. Each piece of code was run, on SQLite in
memory, and gave what stands below it; a test runs them all again and compares. Each
starts with the same new database: three users, of whom the third is not active and has
no items, the first two items and the second one; two tags; two members of a team; and
two documents. `session` is a SQLAlchemy session and `engine` its engine.

## The models
"""


def page() -> str:
    """The whole page."""
    parts = [INTRODUCTION, beside(code(models(sa)), code(models(pw)))]
    for topic in TOPICS:
        parts.append(f"## {topic.title}\n")
        parts.extend(section(row) for row in topic.rows)
    return "\n".join(parts)


def models(module: ModuleType) -> str:
    """The module's models: what is between its `__all__` and what is hidden."""
    _, _, rest = inspect.getsource(module).partition("\n]\n")
    return rest.partition(HIDDEN)[0].strip()


def section(row: Row) -> str:
    """A row, with what its code gives."""
    note = f"{row.note}\n\n" if row.note else ""
    both = beside(side(row.sqlalchemy), side(row.peewee))
    return f"### {row.title}\n\n{note}{both}\n{given(row)}\n"


def side(given: Code | str) -> str:
    """One side of a row, in Markdown."""
    return given if isinstance(given, str) else code(source(given))


def code(text: str) -> str:
    """A block of Python."""
    return f"```python\n{text}\n```"


def beside(sqlalchemy: str, peewee: str) -> str:
    """Both, beside each other on the site, and one below the other on GitHub."""
    return f"""\
<div class="beside">
<div>

**SQLAlchemy**

{sqlalchemy}

</div>
<div>

**Peewee**

{peewee}

</div>
</div>
"""


def given(row: Row) -> str:
    """What the two sides gave, in a sentence or two."""
    sqlalchemy, peewee = row.results()
    if sqlalchemy == peewee:
        return f"Both give `{sqlalchemy}`."
    sides = [("SQLAlchemy", sqlalchemy), ("Peewee", peewee)]
    return " ".join(f"{name}'s {outcome(given)}." for name, given in sides if given)


def outcome(result: str) -> str:
    """The result with its verb."""
    error = result.removeprefix("raises ")
    return f"gives `{result}`" if error == result else f"raises `{error}`"


if __name__ == "__main__":
    PAGE.write_text(page())
