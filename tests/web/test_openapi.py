"""Errors of path operations in the OpenAPI document."""

from fastapi.testclient import TestClient

from ..engines import on


@on("sqlite")
def test_every_error_has_a_body(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    operations = [
        (path, operation) for path in paths for operation in paths[path].values()
    ]
    assert len(operations) > 10
    for path, operation in operations:
        responses = operation["responses"]
        expected = {"422", "503"}
        if "requestBody" in operation:
            expected |= {"400", "408", "413"}
        if "{" in path:
            expected.add("404")
        errors = {status for status in responses if status >= "400"}
        assert errors >= expected
        for status in errors:
            schema = responses[status]["content"]["application/json"]["schema"]
            name = "HTTPValidationError" if status == "422" else "Error"
            assert schema == {"$ref": f"#/components/schemas/{name}"}
        assert responses["503"]["headers"]["Retry-After"]
