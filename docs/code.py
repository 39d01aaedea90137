"""Write code into pages, from the files that have it.

python -m docs.code

In a chapter of the tutorial, `<!-- beside: FILE FIRST..LAST | FILE FIRST..LAST -->` and
`<!-- end -->` stand around a part of Peewee's file and one of SQLAlchemy's, and what is
between the two is written anew. FIRST and LAST are names of the file's top level, or
`imports`. One name stands for itself, and no name for the whole file. On any page,
`<!-- from: FILE FIRST..LAST -->` begins a part of one file of the repository.
"""

import ast
import re
from pathlib import Path

DOCS = Path(__file__).parent
PAGES = [*sorted((DOCS / "tutorial").glob("*.md")), DOCS / "middleware.md"]
ONE = re.compile(r"(<!-- from: (\S+) (.+?) -->\n).*?(<!-- end -->)", re.S)
BOTH = re.compile(r"(<!-- beside: (.+?) -->\n).*?(<!-- end -->)", re.S)


def piece(file: Path, names: str = "") -> str:
    """Return the part of a file from the first name to the last one."""
    text = file.read_text()
    if not names:
        return text
    first, _, last = names.partition("..")
    spans: dict[str, tuple[int, int]] = {}
    end = 0
    for node in ast.parse(text).body:
        begin, end = end, node.end_lineno or 0
        for name in named(node):
            spans[name] = (spans.get(name, (begin,))[0], end)
    lines = text.splitlines()[spans[first][0] : spans[last or first][1]]
    return "\n".join(lines).strip("\n") + "\n"


def named(node: ast.stmt) -> list[str]:
    """Return the names by which a chapter calls a statement of the top level."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return ["imports"]
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return [target.id for target in targets if isinstance(target, ast.Name)]
    return [type(node).__name__.lower()]


def side(library: str, directory: str, wanted: str) -> str:
    """Return one side in Markdown: the library, the file, the code."""
    file, _, names = wanted.partition(" ")
    path = f"{directory}/{file}"
    code = piece(DOCS / "tutorial" / path, names.strip())
    return (
        f"<div>\n\n**{library}**, `{path}`\n\n"
        f"<!-- code: {path} -->\n```python\n{code}```\n\n</div>\n"
    )


def beside(match: re.Match[str]) -> str:
    """Return the region with both sides."""
    peewee, _, sqlalchemy = match[2].partition("|")
    sides = side("Peewee", "sql_app", peewee.strip()) + side(
        "SQLAlchemy", "sqlalchemy_app", (sqlalchemy or peewee).strip()
    )
    return f'{match[1]}<div class="beside">\n{sides}</div>\n{match[3]}'


def alone(match: re.Match[str]) -> str:
    """Return the region with its piece."""
    code = piece(DOCS.parent / match[2], match[3])
    return f"{match[1]}<!-- code: {match[2]} -->\n```python\n{code}```\n{match[4]}"


def written(page: Path) -> str:
    """Return the page's text with the code that the files have now."""
    return ONE.sub(alone, BOTH.sub(beside, page.read_text()))


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(written(page))
