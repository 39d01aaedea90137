"""Tutorial, done by a reader: in an empty directory, chapter by chapter."""

import os
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
import pytest

from docs.code import PAGES, written
from harness.server import Server, serve

from . import documents
from .documents import ROOT, Block

TUTORIAL = ROOT / "docs" / "tutorial"
CHAPTERS = sorted(TUTORIAL.glob("[0-9]*.md"))
PORT = "127.0.0.1:8000"
SERVE = r"\(?((?:\w+=\S+ )*)(?:ulimit -n (\d+); )?uvicorn ([\w.:]+)(?: --reload)?\)?"
# From chapter 8 on they start several servers each, and one of them hangs.
each_chapter = pytest.mark.parametrize(
    "chapter",
    [
        pytest.param(each, marks=[pytest.mark.slow] if each.name > "08" else [])
        for each in CHAPTERS
    ],
    ids=lambda chapter: chapter.stem,
)


class Reader:
    """Reader who follows a chapter in the current directory.

    A command that asks the app starts it, and restarts it after a change.
    """

    def __init__(self, servers: ExitStack) -> None:
        self._servers = servers
        self._server: Server | None = None
        self._module, self._files = "sql_app.main:app", 1024
        self._log = ""
        self._settings: dict[str, Any] = {}

    def do(self, block: Block) -> None:
        """Copy the block's code into its file, or run its commands."""
        if block.file:
            self.save(block)
        elif block.language == "diff":
            self._stop()
            self._run(f"patch -p0 --no-backup-if-mismatch <<'END'\n{block.code}\nEND")
        elif block.serves:
            self._stop()
            self._serve(block.code.strip())
        elif block.language == "sh" and not block.reason:
            self._run(block.code)
        elif block.language == "console" and not block.reason:
            for step in documents.steps(block.code):
                output = self._run(step.command)
                compare = documents.is_like if block.is_example else documents.shows
                assert compare(step.output, output), (step, output)
        elif block.is_log:
            self._stop()
            assert documents.shows(f"...{block.code}...", self._log), self._log

    def save(self, block: Block) -> None:
        """Write the file; a part that begins with no import is put at its end."""
        if block.file.startswith("sqlalchemy_app/"):
            return
        self._stop()
        file = Path(block.file.removeprefix("docs/tutorial/"))
        is_new = block.code.startswith(('"""', "import", "from", "class ItemBase"))
        before = "" if is_new else f"{file.read_text()}\n\n"
        file.parent.mkdir(exist_ok=True)
        file.write_text(before + block.code)

    def _serve(self, command: str) -> None:
        match = re.fullmatch(SERVE, command)
        if match is None:
            program = subprocess.Popen(
                command.split(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            self._servers.callback(program.communicate, b"\n")
            assert program.stdout is not None
            program.stdout.readline()
            return
        self._settings = dict(re.findall(r'(\w+)="(\S+)"', match[1]))
        for name, value in self._settings.items():
            self._settings[name] = value.replace("$PWD", str(Path.cwd()))
        self._module, self._files = match[3], int(match[2] or 1024)

    def _run(self, command: str) -> str:
        if re.search(r"^rm ", command, re.M):
            self._stop()
        if PORT in command and self._server is None:
            module = ("uvicorn", self._module)
            app = serve(
                "sqlite:///./sql_app.db",
                "--no-access-log",
                module=module,
                **self._settings,
            )
            self._server = self._servers.enter_context(app)
            room = (self._files, self._files)
            resource.prlimit(self._server.process.pid, resource.RLIMIT_NOFILE, room)
            # Readers wait until they see that the app has started.
            httpx2.get(f"{self._server.base_url}/openapi.json", timeout=60)
        address = f"127.0.0.1:{self._server.port}" if self._server else PORT
        run = subprocess.run(
            ["bash", "-euc", command.replace(PORT, address)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if "python" in command else subprocess.PIPE,
            text=True,
            timeout=120,
        )
        assert run.returncode == 0, f"{command}\n{run.stdout}\n{run.stderr}"
        return run.stdout.replace(address, PORT)

    def _stop(self) -> None:
        if self._server:
            self._log = self._server.stop()
            self._server = None


@pytest.fixture
def directory() -> Iterator[Path]:
    """Directory that another user, a database server's, may read."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@each_chapter
def test_a_reader_gets_what_the_chapter_shows(
    chapter: Path, monkeypatch: pytest.MonkeyPatch, directory: Path
) -> None:
    monkeypatch.chdir(directory)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    with ExitStack() as servers:
        reader = Reader(servers)
        Path("sql_app").mkdir()
        Path("sql_app/__init__.py").touch()
        shutil.copytree(TUTORIAL / "sqlalchemy_app", "sqlalchemy_app")
        shutil.copy(TUTORIAL / "clients.py", ".")
        for earlier in CHAPTERS[: CHAPTERS.index(chapter)]:
            for block in documents.blocks(earlier):
                if block.file or block.language == "diff" or block.is_kept:
                    reader.do(block)
        for block in documents.blocks(chapter):
            reader.do(block)


def test_the_chapters_make_the_small_app(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sql_app").mkdir()
    Path("sql_app/__init__.py").touch()
    reader = Reader(ExitStack())
    for chapter in CHAPTERS[:6]:
        for block in documents.blocks(chapter):
            if block.file:
                reader.save(block)
    assert files("sql_app") == files(TUTORIAL / "sql_app")
    for chapter in CHAPTERS[6:12]:
        for block in documents.blocks(chapter):
            if block.file or block.language == "diff":
                reader.do(block)
    assert files("sql_app") == files(TUTORIAL / "strong_app")


def files(directory: str | Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in Path(directory).glob("*.py")}


@pytest.mark.parametrize("page", PAGES, ids=documents.name)
def test_the_code_is_that_of_the_files(page: Path) -> None:
    assert page.read_text() == written(page), "run python -m docs.code"


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.stem)
def test_each_block_is_used_or_says_why_not(chapter: Path) -> None:
    for block in documents.blocks(chapter):
        where = f"{chapter.name}:{block.line}"
        if block.language in {"python", "diff"}:
            assert block.file or block.reason or block.language == "diff", where
        else:
            assert block.language in {"console", "sh", "text", "mermaid"}, where


def test_the_files_that_are_listed_exist() -> None:
    (listed,) = (
        block.code
        for block in documents.blocks(CHAPTERS[0])
        if block.language == "text"
    )
    named = {line.split()[-1] for line in listed.splitlines() if line.endswith(".py")}
    small_app = files(TUTORIAL / "sql_app").keys()
    assert named == small_app | {"clients.py"}
