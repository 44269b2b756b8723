"""Identifiers that sort by time of making and cannot be guessed: a prefix and a UUID of version 7 (RFC 9562)."""

from __future__ import annotations

import os
from datetime import UTC, datetime

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
_OF_BYTE = bytes(ord(_ALPHABET[byte % 32]) for byte in range(256))
_TIME_LETTERS, _RANDOM_LETTERS = 10, 16
_DRAWN = 256
_drawn: list[str] = []
"""Random ends of identifiers to come: asking the system for each one would cost more than all the rest of making it."""
os.register_at_fork(after_in_child=_drawn.clear)


def new_id(prefix: str, now: datetime, drawn: bytes = b"") -> str:
    """A new identifier such as ``dec_01j0c…``: 48 bits of milliseconds, 80 random bits, Crockford's base 32.

    ``drawn``: at least 16 bytes that were drawn before, where the same identifier must come out again.
    """
    at = int(now.timestamp() * 1000)
    time = "".join([_PAIRS[at >> bits & 1023] for bits in (40, 30, 20, 10, 0)])
    return f"{prefix}_{time}{_letters(drawn) if drawn else _random_letters()}"


def made_at(identifier: str) -> datetime | None:
    """When an identifier says that it was made; None where it is none of ours."""
    time = identifier.rpartition("_")[2][:_TIME_LETTERS]
    if len(time) < _TIME_LETTERS or not all(letter in _ALPHABET for letter in time):
        return None
    at = 0
    for letter in time:
        at = at << 5 | _ALPHABET.index(letter)
    try:
        return datetime.fromtimestamp(at / 1000, UTC)
    except (OverflowError, ValueError):
        return None


def _random_letters() -> str:
    """80 random bits; each is given out once, whichever thread asks."""
    while True:
        try:
            return _drawn.pop()
        except IndexError:
            letters = os.urandom(_RANDOM_LETTERS * _DRAWN).translate(_OF_BYTE).decode()
            _drawn.extend(letters[at : at + _RANDOM_LETTERS] for at in range(0, len(letters), _RANDOM_LETTERS))


def _letters(drawn: bytes) -> str:
    return drawn[:_RANDOM_LETTERS].translate(_OF_BYTE).decode()
