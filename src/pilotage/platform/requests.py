"""The request that is being answered, wherever its code runs: threads get it with the context they are handed."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterable
from contextvars import ContextVar

HEADER = b"x-request-id"
_FIT = re.compile(rb"(?!pk_|whsec_|eyJ)[A-Za-z0-9._:/+=@-]{1,128}")
"""What fits into a log line, and does not begin as our secrets do."""
_first = ""
_numbers = itertools.count()


class Current:
    """What is known of one request so far. ``caller`` is the name of a key, or the identifier of a person."""

    __slots__ = ("caller", "decision", "id", "trace", "use_case")

    def __init__(self, identifier: str, trace: str = "") -> None:
        self.id = identifier
        self.trace = trace
        self.caller = ""
        self.use_case = ""
        self.decision = ""


current: ContextVar[Current | None] = ContextVar("request", default=None)


def identifier_in(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The identifier that the caller or a proxy gave, where it fits into a log line; else a new one."""
    for name, value in headers:
        if name == HEADER:
            return identifier(value)
    return _made()


def identifier(given: bytes | None) -> str:
    """The same, of what a head was found to give."""
    return given.decode() if given is not None and _FIT.fullmatch(given) else _made()


def part() -> None:
    """From here on, in this task, the request is one of its own decisions: its siblings do not see which."""
    whole = current.get()
    if whole is not None:
        current.set(Current(whole.id, whole.trace))


def _made() -> str:
    """Unique among all processes: a random beginning per process, and a number."""
    return f"{_first or _begin()}{next(_numbers):x}"


def _begin() -> str:
    global _first
    _first = f"req_{os.urandom(10).hex()}_"
    return _first


def _forget() -> None:
    global _first
    _first = ""


os.register_at_fork(after_in_child=_forget)
