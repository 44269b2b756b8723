"""JSON as strict as RFC 8259 and I-JSON (RFC 7493) want it: no name twice, no half of a letter.

The decoder itself refuses NaN, Infinity and what nests without end. It takes names that come twice, silently, and the
last one wins: what such a request means depends on who reads it, so it is refused. It refuses halves of letters, and
with them the whole list around the row that has one: :func:`rows_apart` saves the others.
"""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from typing import Any

import msgspec

from pilotage.platform.errors import InvalidRequest, Problem

UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What the decoder raises where a body is no JSON, or none that fits."""
HALF = "a text has half of a letter, as of an emoji that was cut"
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")
_NAMED_MAX = 20


def has_half(body: bytes) -> bool:
    """Whether a text in this JSON has half of a letter, as JavaScript leaves of an emoji that it cut: ``"\\ud83d"``."""
    if not _HALF.search(body):
        return False
    try:
        json.dumps(json.loads(body), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except (ValueError, RecursionError):
        return False
    return False


def rows_apart(body: bytes, name: str) -> list[bytes]:
    """The rows of ``{name: [...]}`` each for itself, where a text has half of a letter; none where it is no such list.

    The decoder refuses all that stands around one, but only its own row is at fault.

    Raises:
        InvalidRequest: a name comes twice in one object.
    """
    if not has_half(body):
        return []
    given = json.loads(body)
    if not isinstance(given, dict) or list(given) != [name] or not isinstance(given[name], list):
        return []
    demand_unique_names(body)
    return [json.dumps(row).encode() for row in given[name]]


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
        if len(found) < len(pairs) and len(twice) < _NAMED_MAX:
            times = Counter(name for name, _ in pairs)
            twice.extend(itertools.islice((name for name in times if times[name] > 1), _NAMED_MAX))
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
    except UNDECODABLE:
        return False
    if not isinstance(given, dict):
        return False
    texts = sum(isinstance(value, str) for value in given.values())
    return body.count(b'"') == 2 * (len(given) + texts)


def _named_twice(names: list[str]) -> InvalidRequest:
    shown = [name if len(name) <= 80 else f"{name[:79]}…" for name in dict.fromkeys(names)][:_NAMED_MAX]
    problems = [Problem(name, "comes more than once in one object.", "Send it once.") for name in shown]
    return InvalidRequest("The request names a field twice: " + ", ".join(shown) + ".", problems=problems)
