"""Passwords, hashed with argon2id (RFC 9106) at the library's defaults."""

from __future__ import annotations

import functools
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

_HASHER = PasswordHasher()


def hash_of(password: str) -> str:
    """A salted hash that may be stored."""
    return _HASHER.hash(password)


def fits(password: str, password_hash: str | None) -> bool:
    """Whether the password is the one; as slow where there is none (``None`` or empty) as for a wrong password."""
    try:
        _HASHER.verify(password_hash or _nobodys_hash(), password)
    except (VerifyMismatchError, InvalidHashError):
        return False
    return bool(password_hash)


@functools.cache
def _nobodys_hash() -> str:
    return hash_of(secrets.token_urlsafe(18))
