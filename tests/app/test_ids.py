"""An id stands for one row, also after the row is deleted."""

from fastapi.testclient import TestClient

USER = {"email": "deadpool@example.com", "password": "chimichangas4life"}


def test_an_id_is_never_given_again(client: TestClient) -> None:
    first = client.post("/users/", json=USER).json()["id"]
    assert client.delete(f"/users/{first}").status_code == 204
    second = client.post("/users/", json=USER).json()["id"]
    assert second > first
    late = client.post(f"/users/{first}/items/", json={"title": "Foo"})
    assert late.status_code == 404
    item = client.post(f"/users/{second}/items/", json={"title": "Foo"}).json()["id"]
    assert client.delete(f"/items/{item}").status_code == 204
    again = client.post(f"/users/{second}/items/", json={"title": "Foo"}).json()["id"]
    assert again > item
