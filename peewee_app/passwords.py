"""Password hashing."""

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

_password_hash = PasswordHash((Argon2Hasher(),))


def hash_password(password: str) -> str:
    """Hash a password with argon2 and a random salt.

    Takes tens of milliseconds of CPU time and 64 MiB of memory, on purpose.
    """
    return _password_hash.hash(password)
