"""Markdown of the README and of `docs/`, and the blocks of code in it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from textwrap import dedent

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "comparison").glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
COMMENT = re.compile(
    r"<!--\s*(not run|run first|file|code|serve|for example|log|keep):?\s*(.*?)-->",
    re.S,
)


def name(document: Path) -> str:
    return str(document.relative_to(ROOT))


def tokens(document: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(document.read_text())


def inline(document: Path, kind: str) -> Iterator[Token]:
    """Yield the links, images or pieces of code in its text."""
    for token in tokens(document):
        yield from (child for child in token.children or [] if child.type == kind)


def anchors(document: Path) -> set[str]:
    """Return its headings' anchors on GitHub and in MyST."""
    found: dict[str, int] = {}
    parsed = tokens(document)
    for opening, content in pairwise(parsed):
        if opening.type == "heading_open":
            text = "".join(child.content for child in content.children or [])
            slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            found[slug] = found.get(slug, -1) + 1
    return {
        f"{slug}-{n}" if n else slug for slug, m in found.items() for n in range(m + 1)
    }


@dataclass
class Block:
    """A fenced block, with the comment before it.

    `<!-- not run: REASON -->` is for code that cannot run in the tests;
    `<!-- run first: CODE -->` is hidden from readers, in the block's language;
    `<!-- file: PATH -->`, or `code` where a program has written it, is a file, or the
    end of one; `<!-- serve -->` stands before the command that starts the app, and
    `<!-- log -->` before what the app has logged since; in a block that is shown
    `<!-- for example -->`, numbers differ from run to run. `<!-- keep -->` marks a
    block whose results later chapters need.
    """

    line: int
    language: str
    code: str
    reason: str = ""
    first: str = ""
    file: str = ""
    serves: bool = False
    is_example: bool = False
    is_log: bool = False
    is_kept: bool = False


def blocks(document: Path) -> list[Block]:
    """Return its fenced blocks."""
    found = []
    comment = ""
    for token in tokens(document):
        if token.type == "fence" and token.map:
            block = Block(token.map[0] + 1, token.info.strip(), token.content)
            if match := COMMENT.match(comment):
                kind, text = match.groups()
                if kind == "not run":
                    block.reason = text.strip()
                elif kind == "run first":
                    block.first = dedent(text)
                elif kind == "serve":
                    block.serves = True
                elif kind == "for example":
                    block.is_example = True
                elif kind == "keep":
                    block.is_kept = True
                elif kind == "log":
                    block.is_log = True
                else:
                    block.file = text.strip()
            found.append(block)
        comment = token.content if token.type == "html_block" else ""
    return found


@dataclass
class Step:
    """A command of a console block, and the output that the block shows for it."""

    command: str
    output: str


def steps(code: str) -> list[Step]:
    """Return the commands after `$`, each with its output; `>` continues one."""
    found: list[Step] = []
    for line in code.splitlines():
        if line.startswith("$ "):
            found.append(Step(line.removeprefix("$ "), ""))
        elif found and found[-1].command.endswith("\\"):
            found[-1].command += f"\n{line}"
        elif found and line.startswith("> ") and not found[-1].output:
            found[-1].command += f"\n{line.removeprefix('> ')}"
        elif found:
            found[-1].output += f"{line}\n"
    return found


def shows(expected: str, output: str) -> bool:
    """Compare with the output. Three dots, or `…`, match any text and lines."""
    parts = re.split(r"\.\.\.|…", expected.strip())
    pattern = ".*".join(re.escape(part) for part in parts)
    return re.fullmatch(pattern, output.strip().replace("\r", ""), re.S) is not None


def is_like(expected: str, output: str) -> bool:
    """Compare with the output, but for numbers."""
    varying = r"(?m)(?<=: )\d+$|(?<=^after )[\d.]+"
    return re.sub(varying, "N", expected) == re.sub(varying, "N", output)
