"""Passwords, hashed with argon2id (RFC 9106) at the library's defaults."""

from __future__ import annotations

import functools

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

_HASHER = PasswordHasher()


def hash_of(password: str) -> str:
    """A salted hash that may be stored."""
    return _HASHER.hash(password)


def fits(password: str, password_hash: str | None) -> bool:
    """Whether the password is the one; as slow for a name that nobody has (``None``) as for a wrong password."""
    try:
        _HASHER.verify(password_hash or _nobodys_hash(), password)
    except (VerifyMismatchError, InvalidHashError):
        return False
    return password_hash is not None


@functools.cache
def _nobodys_hash() -> str:
    return hash_of("nobody has this name")
