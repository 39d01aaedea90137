"""Rooms: `fastapi_peewee` imports nothing of the rest."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import peewee_app.fastapi_peewee

ROOM = Path(peewee_app.fastapi_peewee.__file__).parent
USE = """
import asyncio
from peewee import CharField, Model
from taken import ContextDatabase, PeeweeGetterDict, Pool, connect, connector, read, run

db = ContextDatabase()

class Note(Model):
    text = CharField()
    class Meta:
        database = db

class NoteOut(PeeweeGetterDict):
    text: str

connect_to = connector("sqlite:///notes.db")
with connect(db, connect_to):
    db.create_tables([Note])
    Note.create(text="kept")

async def main():
    pool = Pool(db, connect_to, size=1, timeout=1)
    async with pool.request():
        notes = await run(lambda: read(list[NoteOut], Note.select()))
        print([note.text for note in notes])
    pool.close()

asyncio.run(main())
"""


def test_a_copy_of_it_works_in_another_app(tmp_path: Path) -> None:
    shutil.copytree(ROOM, tmp_path / "taken")
    command = [sys.executable, "-c", USE]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (run.stdout, run.stderr) == ("['kept']\n", "")


def test_it_imports_nothing_of_the_rest_and_no_telemetry() -> None:
    for file in ROOM.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert node.level < 2, file
                names = [node.module or ""]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            for name in names:
                assert not name.startswith(("peewee_app", "opentelemetry")), file
