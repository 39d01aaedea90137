"""OpenAPI document, and a client generated from it."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient

from harness.server import serve
from peewee_app import schemas

from ..engines import on


@pytest.fixture
def document(client: TestClient) -> dict[str, Any]:
    document: dict[str, Any] = client.get("/openapi.json").json()
    return document


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def test_what_it_has_beyond_the_tutorials(document: dict[str, Any]) -> None:
    assert {operation["operationId"] for _, _, operation in operations(document)} >= {
        "update_user_users__user_id__patch",
        "delete_user_users__user_id__delete",
        "read_items_of_user_users__user_id__items__get",
        "read_item_items__item_id__get",
        "update_item_items__item_id__patch",
        "delete_item_items__item_id__delete",
    }
    defined = document["components"]["schemas"]
    assert defined["UserUpdate"]["properties"].keys() == {
        "email",
        "password",
        "is_active",
    }
    assert defined["ItemUpdate"]["properties"].keys() == {"title", "description"}


def test_every_number_that_may_be_sent_is_taken_by_a_client_in_javascript(
    document: dict[str, Any], client: TestClient
) -> None:
    """Send a maximum that JavaScript has rounded to its 53 bits."""
    (skip,) = (
        parameter["schema"]
        for parameter in document["paths"]["/items/"]["get"]["parameters"]
        if parameter["name"] == "skip"
    )
    assert int(float(skip["maximum"])) >= 2**63
    assert client.get(f"/items/?skip={skip['maximum']}").json() == []
    assert client.get(f"/items/?skip={skip['maximum'] + 1}").status_code == 422


def test_it_says_what_this_is(document: dict[str, Any]) -> None:
    info = document["info"]
    assert info["title"] == "peewee_app"
    assert info["version"] == version("peewee_app")
    assert "tutorial" in info["description"]
    described = {tag["name"] for tag in document["tags"] if tag["description"]}
    for _, _, operation in operations(document):
        assert operation["summary"]
        assert operation["description"]
        assert set(operation["tags"]) <= described


def test_what_is_returned_has_an_example_that_is_one(
    document: dict[str, Any],
) -> None:
    for name in ("User", "Item"):
        (example,) = document["components"]["schemas"][name]["examples"]
        schema = getattr(schemas, name)
        assert schema.model_validate(example).model_dump() == example


def test_constraints(document: dict[str, Any]) -> None:
    defined = document["components"]["schemas"]
    user, item = defined["UserCreate"], defined["ItemCreate"]
    assert user["properties"]["email"]["format"] == "email"
    assert item["properties"]["title"]["maxLength"] == 255
    assert item["properties"]["title"]["pattern"]
    update = defined["UserUpdate"]
    assert "required" not in update
    assert not any("default" in field for field in update["properties"].values())


def test_what_is_filled_in_succeeds_from_top_to_bottom(
    client: TestClient, document: dict[str, Any]
) -> None:
    """Order operations by tag and path, like /docs."""
    tags = [tag["name"] for tag in document["tags"]]
    shown = sorted(
        operations(document), key=lambda found: tags.index(found[2]["tags"][0])
    )
    for method, path, operation in shown:
        values = {
            parameter["name"]: parameter["examples"]["first"]["value"]
            for parameter in operation.get("parameters", [])
            if parameter["required"]
        }
        body = None
        if "requestBody" in operation:
            ref = operation["requestBody"]["content"]["application/json"]["schema"]
            name = ref["$ref"].rsplit("/", 1)[1]
            (body,) = document["components"]["schemas"][name]["examples"]
        response = client.request(method, path.format_map(values), json=body)
        assert str(response.status_code) == min(operation["responses"]), response.text
    assert [method for method, _, _ in shown[-2:]] == ["delete", "delete"]


# The classes of the generated client have no types that mypy could see.
@pytest.fixture
def api(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Function that calls the generated client, by module and arguments."""
    with serve(url) as server:
        document = httpx2.get(f"{server.base_url}/openapi.json", timeout=60).text
        (tmp_path / "openapi.json").write_text(document)
        command = [sys.executable, "-m", "openapi_python_client", "generate"]
        options = ["--path", "openapi.json", "--output-path", "generated"]
        # Its formatting would need ruff on the PATH.
        (tmp_path / "config.yml").write_text("post_hooks: []\n")
        more = ["--meta", "none", "--config", "config.yml", "--fail-on-warning"]
        subprocess.run([*command, *options, *more], cwd=tmp_path, check=True)
        monkeypatch.syspath_prepend(tmp_path)
        try:
            client = importlib.import_module("generated").Client(server.base_url)

            def call(operation: str, *arguments: Any, **more: Any) -> Any:
                module = importlib.import_module(f"generated.api.{operation}")
                return module.sync_detailed(*arguments, client=client, **more)

            with client:
                yield call
        finally:
            for name in [n for n in sys.modules if n.split(".")[0] == "generated"]:
                del sys.modules[name]


@on("sqlite", slow=["postgresql", "mariadb"])
def test_a_generated_client_runs_the_contract(api: Any) -> None:
    models = importlib.import_module("generated.models")
    user = models.UserCreate(email="deadpool@example.com", password="chimichangas4life")

    created = api("users.create_user_users_post", body=user)
    assert created.status_code == 200
    assert isinstance(created.parsed, models.User)
    assert created.parsed.email == "deadpool@example.com"
    assert created.parsed.is_active is True
    assert created.parsed.items == []
    user_id = created.parsed.id

    again = api("users.create_user_users_post", body=user)
    assert again.status_code == 400
    assert again.parsed == models.Error(detail="Email already registered")

    wrong = models.UserCreate(email="deadpool", password="chimichangas4life")
    refused = api("users.create_user_users_post", body=wrong)
    assert refused.status_code == 422
    assert isinstance(refused.parsed, models.HTTPValidationError)
    assert refused.parsed.detail[0].loc == ["body", "email"]

    long = models.ItemCreate(title="a" * 2_000_000)
    add_item = "items.create_item_for_user_users_user_id_items_post"
    refused = api(add_item, user_id, body=long)
    assert refused.status_code == 413
    assert "1048576 bytes" in refused.parsed.detail

    item = models.ItemCreate(title="Foo", description="The Foo Wrestlers")
    added = api(add_item, user_id, body=item).parsed
    assert isinstance(added, models.Item)
    assert (added.title, added.owner_id) == ("Foo", user_id)
    assert api("items.read_item_items_item_id_get", added.id).parsed == added
    assert api("items.read_items_items_get").parsed == [added]
    read = api("users.read_user_users_user_id_get", user_id).parsed
    assert read.items == [added]
    assert api("users.read_users_users_get", limit=1).parsed == [read]
    assert api("users.read_users_users_get", after=read.id).parsed == []

    change = models.ItemUpdate(description=None)
    changed = api("items.update_item_items_item_id_patch", added.id, body=change)
    assert (changed.parsed.title, changed.parsed.description) == ("Foo", None)
    deactivate = models.UserUpdate(is_active=False)
    update_user = "users.update_user_users_user_id_patch"
    changed = api(update_user, user_id, body=deactivate).parsed
    assert (changed.email, changed.is_active) == ("deadpool@example.com", False)

    delete_user = "deletions.delete_user_users_user_id_delete"
    assert api(delete_user, user_id).status_code == 204
    missing = api(delete_user, user_id)
    assert missing.status_code == 404
    assert missing.parsed == models.Error(detail="User not found")
    assert api("items.read_items_items_get").parsed == []
