"""JSON as strict as RFC 8259 and I-JSON (RFC 7493) want it: no name twice.

The decoder itself refuses NaN, Infinity and what nests without end. It takes names that come twice, silently, and the
last one wins: what such a request means depends on who reads it, so it is refused.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from pilotage.platform.errors import InvalidRequest, Problem


def demand_unique_names(body: bytes) -> None:
    """Refuse JSON with an object that has a name twice. For bodies that decode; costs a reading of the whole body.

    Raises:
        InvalidRequest: ``problems`` names what came twice.
    """
    if _is_plainly_unique(body):
        return
    twice: list[str] = []

    def seen(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice.extend(name for name in found if names.count(name) > 1)
        return found

    try:
        json.loads(body, object_pairs_hook=seen)
    except (ValueError, RecursionError):
        return  # the decoder says what is wrong with it
    if twice:
        raise _named_twice(twice)


def _is_plainly_unique(body: bytes) -> bool:
    """Whether a flat object has no more quotation marks than its names and texts need: a name that came twice has."""
    try:
        given = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    if not isinstance(given, dict):
        return False
    texts = sum(isinstance(value, str) for value in given.values())
    return body.count(b'"') == 2 * (len(given) + texts)


def _named_twice(names: list[str]) -> InvalidRequest:
    shown = [name if len(name) <= 80 else f"{name[:79]}…" for name in dict.fromkeys(names)][:20]
    problems = [Problem(name, "comes more than once in one object.", "Send it once.") for name in shown]
    return InvalidRequest("The request names a field twice: " + ", ".join(shown) + ".", problems=problems)
