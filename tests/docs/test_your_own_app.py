"""Page "Your own app" shows the examples as they are."""

import pytest

from .documents import ROOT, Block, blocks

PAGE = ROOT / "docs" / "your_own_app.md"
SHOWN = [block for block in blocks(PAGE) if block.language == "python"]


@pytest.mark.parametrize("block", SHOWN, ids=lambda block: f"{block.line}")
def test_the_code_is_that_of_the_file(block: Block) -> None:
    path = block.reason.strip()
    assert path.startswith("examples/")
    assert block.code in (ROOT / path).read_text()


def test_every_file_of_the_blog_is_shown() -> None:
    shown = {ROOT / block.reason.strip() for block in SHOWN}
    files = (ROOT / "examples").rglob("*.py")
    names = ("__init__.py", "test_blog.py")
    assert shown == {file for file in files if file.name not in names}
