"""What the lists of users say that they cost, with few users and with many."""

import logging
import os
import tempfile

os.environ["ECHO_SQL"] = "1"
FOLDER = tempfile.TemporaryDirectory()
os.environ["DATABASE_URL"] = f"sqlite:///{FOLDER.name}/sql_app.db"

from fastapi.testclient import TestClient  # noqa: E402

from peewee_app.fastapi_peewee import Pool  # noqa: E402
from peewee_app.models import Item, User  # noqa: E402

from .lazy_app import app  # noqa: E402


def main() -> None:
    """Ask both for 1, 10 and 100 users."""
    logging.disable()  # The log of the statements is long.
    with TestClient(app) as client:
        pool: Pool = client.app_state["pool"]
        for first, last in [(1, 1), (2, 10), (11, 100)]:
            with pool.connection():
                for n in range(first, last + 1):
                    user = User.create(email=f"{n}@example.com", hashed_password="")
                    Item.create(title="Foo", owner=user)
            for path in ("/lazy/", "/users/"):
                answer = client.get(path)
                _, _, cost = answer.headers["Server-Timing"].partition("desc=")
                print(f"{path} of {len(answer.json())}: {cost}")


if __name__ == "__main__":
    main()
