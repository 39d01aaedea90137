"""Passwords: how they are hashed."""

import pytest
from pwdlib import PasswordHash

from peewee_app.passwords import hash_password


@pytest.fixture(scope="module")
def cheap_hashes() -> None:
    """Hash as the app does."""


def test_a_hash_is_salted_argon2_and_verifies() -> None:
    first, second = hash_password("chimichangas"), hash_password("chimichangas")
    assert first != second
    assert first.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert PasswordHash.recommended().verify("chimichangas", first)
    assert not PasswordHash.recommended().verify("tacos", first)
