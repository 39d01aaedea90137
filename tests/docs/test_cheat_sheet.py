"""Each row of the cheat sheet does the same in both, and the page is up to date."""

import pytest

from docs.comparison import cheat_sheet
from docs.comparison.rows import TOPICS
from docs.comparison.sheet import Row

ROWS = [row for topic in TOPICS for row in topic.rows]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.title)
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


def test_it_has_a_row_for_each_task() -> None:
    titles = [row.title for row in ROWS]
    assert len(titles) >= 70
    assert len(set(titles)) == len(titles)


def test_the_page_is_written_from_the_rows() -> None:
    assert cheat_sheet.PAGE.read_text() == cheat_sheet.page(), (
        "run python -m docs.comparison.cheat_sheet"
    )
