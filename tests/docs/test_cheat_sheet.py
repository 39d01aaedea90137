"""Each row of the cheat sheet does the same in both, and the pages are up to date."""

import pytest

from docs.comparison.cheat_sheet import __main__ as cheat_sheet
from docs.comparison.cheat_sheet.rows import TOPICS
from docs.comparison.cheat_sheet.sheet import Row

from ..engines import on

ROWS = [row for topic in TOPICS for row in topic.rows]
each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.title)


@each_row
def test_both_give_the_same_or_the_row_says_why_not(row: Row) -> None:
    sqlalchemy, peewee = row.results()
    if sqlalchemy and peewee:
        assert (sqlalchemy != peewee) == row.differs
        assert row.note or not row.differs
    else:
        assert sqlalchemy or peewee
        assert row.sqlalchemy, "no text"
        assert row.peewee, "no text"
    failed = [side for side in (sqlalchemy, peewee) if side.startswith("raises")]
    assert not failed or row.differs or "error" in row.title.lower()


@on("postgresql")
@pytest.mark.slow
@each_row
def test_on_postgresql_it_gives_what_it_gives_on_sqlite(row: Row, url: str) -> None:
    for on_sqlite, on_postgresql in zip(row.results(), row.results(url), strict=True):
        assert on_postgresql == on_sqlite or not on_postgresql


def test_few_rows_are_of_sqlite_alone() -> None:
    assert [row.title for row in ROWS if row.only_sqlite] == [
        "Show the SQL",
        "Take SQLite's write lock at once",
        "The SQL of a table",
        "JSON: change a part, in the database",
    ]


def test_each_page_has_the_imports_of_its_code() -> None:
    for topic in TOPICS:
        for code in python_blocks(cheat_sheet.imports(topic)):
            compile(code, topic.name, "exec")
            lines = [line for line in code.splitlines() if "from models" not in line]
            exec("\n".join(lines), {})


def python_blocks(page: str) -> list[str]:
    return [part.partition("```")[0] for part in page.split("```python\n")[1:]]


def test_titles_are_unique() -> None:
    titles = [row.title for row in ROWS]
    assert len(set(titles)) == len(titles)


def test_the_pages_are_written_from_the_rows() -> None:
    pages = {page.name: page.read_text() for page in cheat_sheet.FOLDER.glob("*.md")}
    assert pages == cheat_sheet.pages(), "run python -m docs.comparison.cheat_sheet"
