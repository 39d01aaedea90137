"""What SQLAlchemy's app writes, ours reads, and the other way round."""

import tempfile

from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import SecretStr

from comparison.sqlalchemy_app.main import create_app as create_sqlalchemy_app
from peewee_app.main import create_app as create_peewee_app
from peewee_app.settings import Settings


def show_users(app: FastAPI, *, create: str) -> None:
    """Create a user in the app, and print the emails of all users it reads."""
    with TestClient(app) as client:
        client.post("/users/", json={"email": create, "password": "secret"})
        print(*(user["email"] for user in client.get("/users/").json()))


def main() -> None:
    """Use one file, first with one app and then with the other."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/sql_app.db"
        show_users(create_sqlalchemy_app(url), create="first@example.com")
        show_users(
            create_peewee_app(Settings(database_url=SecretStr(url))),
            create="2@example.com",
        )
        show_users(create_sqlalchemy_app(url), create="third@example.com")


if __name__ == "__main__":
    main()
