"""README and docs: links lead somewhere, names exist, and code runs."""

import importlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from harness.server import serve

from . import documents
from .documents import DOCUMENTS, ROOT, Block

PORT = "127.0.0.1:8000"
# test_tutorial.py runs its chapters one after the other.
TUTORIAL = [*(ROOT / "docs" / "tutorial").glob("[0-9]*.md")]
# test_cheat_sheet.py runs the code it is made from.
CHEAT_SHEET = ROOT / "docs" / "comparison" / "cheat_sheet"
RUN = {"python", "console", "sh", "diff"}
# Command that starts the app, or a page's own.
START = r"^((?:\w+=\S+ )*)(?:uvicorn (docs\.\S+)|peewee_app)$"
# A browser draws diagrams: see test_site.py.
DRAWN = {"mermaid"}
# test_tutorial.py compares the text that they show.
WITH_TEXT = {*(chapter.name for chapter in TUTORIAL), "telemetry.md"}
# They show files; the site's build fails if one is missing.
DIRECTIVES = ("{toctree}", "{include}", "{literalinclude}", "{eval-rst}")

# Pattern of a name: `snake_case`, `CamelCase`, `UPPER_CASE` or `file.py`.
NAME = re.compile(
    r"\b(?:[a-z]+(?:_[a-z\d]+)+|[A-Z]+(?:_[A-Z]+)+|(?:[A-Z][a-z]+){2,}|\w+\.py)\b"
)
SOURCES = (
    *("cluster", "comparison", "docs", "examples", "harness", "peewee_app", "tests"),
)
# Names that are not ours, and a made-up one.
ELSEWHERE = {
    *("MissingGreenlet", "async_scoped_session", "hide_parameters", "pool_pre_ping"),
    *("max_prepared_statements", "maximum_lag_on_failover", "pg_rewind"),
    *("safety_margin", "scoped_session", "synchronous_mode_strict", "users_id_seq"),
    *("get_things", "s_client"),
}
# It tells of what was, and the other one of both libraries.
WITH_OTHER_NAMES = {"CHANGELOG.md", "cheat_sheet"}

each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=documents.name)


def addresses(document: Path) -> Iterator[str]:
    for kind, attribute in (("link_open", "href"), ("image", "src")):
        for token in documents.inline(document, kind):
            yield str(token.attrs[attribute])


@each_document
def test_links_and_images_lead_somewhere(document: Path) -> None:
    for address in addresses(document):
        parts = urlsplit(address)
        if parts.scheme:
            assert parts.scheme in {"http", "https"}, address
            assert parts.hostname, address
            continue
        target = document
        if parts.path:
            target = document.parent / unquote(parts.path)
            assert target.resolve().is_relative_to(ROOT), address
            assert target.exists(), address
        if parts.fragment:
            assert parts.fragment in documents.anchors(target), address


@each_document
def test_files_and_names_in_the_text_exist(document: Path) -> None:
    for code in documents.inline(document, "code_inline"):
        text = code.content
        if re.fullmatch(r"(cluster|comparison|docs|peewee_app|tests)/[\w/.]*", text):
            assert (ROOT / text).exists(), text
        if match := re.fullmatch(r"((?:peewee_app|comparison)(?:\.\w+)+)(:\w+)?", text):
            assert resolves(match[1] + (match[2] or "").replace(":", ".")), text
        if not WITH_OTHER_NAMES & {document.name, document.parent.name}:
            names = {name for name in NAME.findall(text) if name.lower() not in words()}
            assert names <= ELSEWHERE


@cache
def words() -> frozenset[str]:
    """Return the words of code and file names, in lower case."""
    found = set()
    for directory in SOURCES:
        for file in (ROOT / directory).rglob("*"):
            if file.suffix == ".py" and file != Path(__file__):
                found |= {file.name, file.stem}
                found |= set(re.findall(r"\w+", file.read_text().lower()))
    for chapter in TUTORIAL:  # They name the reader's code.
        for block in documents.blocks(chapter):
            found |= {block.file, Path(block.file).stem}
            found |= set(re.findall(r"\w+", block.code.lower()))
    return frozenset(found)


def resolves(path: str) -> bool:
    """Return True if a module or its attribute has this name."""
    module, _, attribute = path.rpartition(".")
    try:
        importlib.import_module(path)
    except ImportError:
        return bool(module) and hasattr(importlib.import_module(module), attribute)
    return True


def test_contributing_names_every_module() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    package = ROOT / "peewee_app"
    files = {*package.glob("*.py"), *(package / "fastapi_peewee").glob("*.py")}
    names = {file.name for file in files if not file.name.startswith("__")}
    assert [name for name in sorted(names) if f"`{name}`" not in text] == []


@each_document
def test_commands_that_are_not_run_name_what_is_there(document: Path) -> None:
    """Check those in the text, and in blocks that are not run."""
    commands = [code.content for code in documents.inline(document, "code_inline")]
    commands += [block.code for block in documents.blocks(document) if block.reason]
    for command in commands:
        for module in re.findall(r"(?:uvicorn|python -m) ([\w.]+)", command):
            assert find_spec(module), command
        for file in re.findall(r"tests/\w+\.py", command):
            assert (ROOT / file).exists(), command


@each_document
def test_each_block_runs_or_says_why_not(document: Path) -> None:
    for block in documents.blocks(document):
        where = f"{documents.name(document)}:{block.line}"
        taken = block.language.startswith(DIRECTIVES)
        if block.language == "text":
            assert document.name in WITH_TEXT, where
        else:
            assert taken or block.language in RUN | DRAWN, where
        if block.language == "console" and not block.reason:
            assert documents.steps(block.code), f"{where}: no command"


def chosen(document: Path, *languages: str) -> list[Block]:
    return [
        block
        for block in documents.blocks(document)
        if block.language in languages and not block.reason and not block.file
    ]


def with_blocks(*languages: str) -> pytest.MarkDecorator:
    having = [
        document
        for document in DOCUMENTS
        if document.parent != CHEAT_SHEET and document not in TUTORIAL
        if chosen(document, *languages)
    ]
    return pytest.mark.parametrize("document", having, ids=documents.name)


@with_blocks("python")
def test_python_runs(
    document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run all blocks in turn, as one program."""
    monkeypatch.chdir(tmp_path)
    lines = [line for block in chosen(document, "python") for line in program(block)]
    (tmp_path / "program.py").write_text("\n".join(lines))
    run = subprocess.run(
        [sys.executable, "program.py"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr


def program(block: Block) -> list[str]:
    return [*block.first.splitlines(), *block.code.splitlines()]


class Shell:
    """Shell for a page's commands. It starts the app when a command asks it.

    A page may have an app of its own.
    """

    def __init__(self, document: Path, servers: ExitStack) -> None:
        start = re.search(START, document.read_text(), re.M)
        own_app = start and start[2]
        self._module = ("uvicorn", own_app) if own_app else ("peewee_app",)
        self._settings = dict(re.findall(r"(\w+)=(\S+)", start[1] if start else ""))
        self._servers = servers
        self._address = PORT

    def run(self, command: str) -> str:
        """Return the output, with the app's address as on the page."""
        if PORT in command and self._address == PORT:
            url = "sqlite:///./sql_app.db"
            app = serve(url, module=self._module, **self._settings)
            server = self._servers.enter_context(app)
            self._address = f"127.0.0.1:{server.port}"
        run = subprocess.run(
            ["bash", "-euc", command.replace(PORT, self._address)],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert run.returncode == 0, f"{command}\n{run.stdout}\n{run.stderr}"
        return run.stdout.replace(self._address, PORT)


@with_blocks("console", "sh")
def test_commands_print_what_the_page_shows(
    document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    with ExitStack() as servers:
        shell = Shell(document, servers)
        for block in chosen(document, "console", "sh"):
            if block.first:
                shell.run(block.first)
            if block.language == "sh":
                shell.run(block.code)
                continue
            for step in documents.steps(block.code):
                output = shell.run(step.command)
                assert documents.shows(step.output, output), (step, output)


def test_dots_stand_for_what_varies() -> None:
    assert documents.shows("a\nb", "a\nb\n")
    assert documents.shows("...\nlink: …; x\n...", "HTTP/1.1\nlink: </a>; x\n\n[]")
    assert not documents.shows("a...", "b")
    assert not documents.shows("a", "ab")
