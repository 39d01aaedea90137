"""Passwords: how they are hashed."""

from pwdlib import PasswordHash

from peewee_app.passwords import hash_password


def test_a_hash_is_salted_argon2_and_verifies() -> None:
    first, second = hash_password("chimichangas"), hash_password("chimichangas")
    assert first != second
    assert first.startswith("$argon2id$")
    assert PasswordHash.recommended().verify("chimichangas", first)
    assert not PasswordHash.recommended().verify("tacos", first)
