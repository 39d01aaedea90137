"""Write the pages of the cheat sheet from its rows.

python -m docs.comparison.cheat_sheet
"""

import ast
import inspect
from collections import defaultdict
from pathlib import Path
from textwrap import fill
from types import ModuleType

from . import pw, sa
from .rows import TOPICS
from .sheet import Code, Row, Topic, source, used_names

FOLDER = Path(__file__).parent
HIDDEN = "# Not shown on the page."
WRITTEN = """\
<!-- Written by python -m docs.comparison.cheat_sheet: change its rows, and run it. -->
"""

INTRODUCTION = """\
# Cheat sheet

SQLAlchemy 2 and Peewee 4, task by task. A test runs each piece of code, on SQLite and
on PostgreSQL; what it gives stands below it. Each starts with the same new database:
three users, of whom the first has two items, the second one, and the third none and is
not active; two tags; two members of a team; two documents. `session` is a SQLAlchemy
session and `engine` its engine.

## The tasks
"""


def pages() -> dict[str, str]:
    """Return the pages, by the names of their files."""
    written = {"index.md": first_page()}
    for topic in TOPICS:
        sections = [section(row) for row in topic.rows]
        parts = [WRITTEN, f"# {topic.title}\n", imports(topic), *sections]
        written[f"{topic.name}.md"] = "\n".join(parts)
    return written


def first_page() -> str:
    """Return the list of tasks, and the models."""
    tasks = [
        f"**[{topic.title}]({topic.name}.md)**: "
        + " · ".join(
            f"[{row.title}]({topic.name}.md#{row.anchor})" for row in topic.rows
        )
        + "\n"
        for topic in TOPICS
    ]
    models = ["## The models\n", "All pages have these, in a module `models`.\n"]
    both = beside(code(models_of(sa)), code(models_of(pw)))
    toctree = "\n".join(topic.name for topic in TOPICS)
    hidden = f"```{{toctree}}\n:hidden:\n\n{toctree}\n```\n"
    return "\n".join([WRITTEN, INTRODUCTION, *tasks, *models, both, hidden])


def models_of(module: ModuleType) -> str:
    """Return the module's models, and what they import."""
    _, _, rest = inspect.getsource(module).partition("\n]\n")
    models = rest.partition(HIDDEN)[0].strip()
    names = {
        node.id for node in ast.walk(ast.parse(models)) if isinstance(node, ast.Name)
    }
    return f"{import_lines(origins(module), names)}\n\n\n{models}"


def imports(topic: Topic) -> str:
    """Return the topic's imports."""
    sides = []
    for module, codes in [
        (sa, [row.sqlalchemy for row in topic.rows]),
        (pw, [row.peewee for row in topic.rows]),
    ]:
        names: set[str] = set()
        for given in codes:
            if callable(given):
                names |= used_names(given)
        around = inspect.getmodule(next(filter(callable, codes)))
        known = (origins(around) if around else {}) | origins(module)
        defined = models_of(module)
        for name in names:
            if f"\nclass {name}(" in defined or f"\n{name} = " in defined:
                known[name] = ("models", name)
        sides.append(code(import_lines(known, names)))
    return beside(*sides)


def origins(module: ModuleType) -> dict[str, tuple[str, str]]:
    """Return the origins of the module's names: a module, and the name there."""
    found = {}
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                text = f"{alias.name} as {alias.asname}" if alias.asname else alias.name
                found[alias.asname or alias.name] = (node.module, text)
    return found


def import_lines(known: dict[str, tuple[str, str]], names: set[str]) -> str:
    """Return the statements that import the names, as far as they are known."""
    by_module = defaultdict(list)
    for name in names & known.keys():
        module, text = known[name]
        if not module.startswith("docs."):
            by_module[module].append(text)
    lines = []
    for module, texts in sorted(by_module.items(), key=place):
        listed = ", ".join(sorted(texts))
        line = f"from {module} import {listed}"
        if len(line) > 64:
            indent = " " * 4
            block = fill(listed, 64, initial_indent=indent, subsequent_indent=indent)
            line = f"from {module} import (\n{block},\n)"
        lines.append(line)
    return "\n".join(lines)


def place(item: tuple[str, list[str]]) -> tuple[int, str]:
    """Sort the reader's own module after all others."""
    return item[0] == "models", item[0]


def section(row: Row) -> str:
    """Return a row, with what its code gives."""
    note = f"{row.note}\n\n" if row.note else ""
    both = beside(side(row.sqlalchemy), side(row.peewee))
    return f"## {row.title}\n\n{note}{both}\n{given(row)}".rstrip() + "\n"


def side(given: Code | str) -> str:
    """Return one side of a row, in Markdown."""
    return given if isinstance(given, str) else code(source(given))


def code(text: str) -> str:
    """Return a block of Python."""
    return f"```python\n{text}\n```"


def beside(sqlalchemy: str, peewee: str) -> str:
    """Return both, beside each other on the site, one below the other on GitHub."""
    return f"""\
<div class="beside narrow">
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
    """Return both sides' results, in a sentence or two."""
    sqlalchemy, peewee = row.results()
    if sqlalchemy == peewee:
        return "" if sqlalchemy == "None" else f"Both give `{sqlalchemy}`."
    sides = [("SQLAlchemy", sqlalchemy), ("Peewee", peewee)]
    return " ".join(f"{name} {outcome(given)}." for name, given in sides if given)


def outcome(result: str) -> str:
    """Return the result with its verb."""
    error = result.removeprefix("raises ")
    return f"gives `{result}`" if error == result else f"raises `{error}`"


if __name__ == "__main__":
    for name, page in pages().items():
        (FOLDER / name).write_text(page)
