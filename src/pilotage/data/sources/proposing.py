"""How a REST endpoint seems to page, judged by its first answer: for a draft that a person confirms.

Only what the answer says is proposed. Where nothing in it tells how the next page is asked for, the proposal has a
single page, and says so.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

import msgspec
from msgspec import Struct

from pilotage.data.sources.answering import answer
from pilotage.data.sources.asked import Asked
from pilotage.data.sources.files.locating import shown
from pilotage.data.sources.paging import headers_of, refuse_no_address
from pilotage.usecase.records import SEEN_AT, Rest, Source

_SECONDS = 20.0
_ELSE = "of a file (….csv, .parquet, .jsonl, .xlsx), a folder, a database, or a bucket (s3://…)."
_DEPTH_MAX = 3
_NEXT = ("next", "next_page", "nextpage", "next_url", "nextlink", "next_link")
_CURSORS = {
    "next_cursor": "cursor",
    "nextcursor": "cursor",
    "cursor": "cursor",
    "next_page_token": "page_token",
    "nextpagetoken": "pageToken",
    "continuation_token": "continuation_token",
    "continuationtoken": "continuationToken",
}
_NUMBERED = ("page", "current_page", "currentpage", "page_number")
_OF_PAGES = ("pages", "total_pages", "totalpages", "last_page", "page_count", "pagecount")
_SIZES = ("limit", "per_page", "page_size", "pagesize")


class Proposal(Struct, frozen=True):
    """What to write under ``rest``, and in words what it was concluded from."""

    rest: Rest
    says: tuple[str, ...]


class _Paging(Struct, frozen=True):
    """How the next page is asked for, as an answer shows it."""

    kind: Literal["link", "page", "offset", "cursor", "none"]
    why: str
    parameter: str = ""
    cursor: str = ""
    size_parameter: str = ""


def propose_rest(url: str, name: str = "endpoint") -> Proposal:
    """Ask an endpoint once, and conclude where its list lies and how it pages; ``name`` is for messages.

    One whose pages are by number or offset is proposed with the parameter that its answer names.

    Raises:
        SourceUnavailable: it does not answer within 20 seconds, refuses, or its answer has no list of JSON objects.
    """
    import httpx

    rest = Rest(url=url)
    source = Source(rest=rest, key=[], known_at=SEEN_AT, static=True, timeout="1 minute")
    asked = Asked(name, source, "")
    refuse_no_address(asked, url)
    until = time.monotonic() + _SECONDS
    with httpx.Client(headers=headers_of(asked, rest), follow_redirects=False) as client:
        response = answer(asked, client, url, {}, until, missing_is_end=False)
    content, found = _read(asked, url, b"" if response is None else response.content)
    place, rows = found
    paging = _paging(content, bool(response and response.links.get("next")), url)
    where = f"the list of {rows} object{'s' * (rows != 1)} is " + (f"at {place}" if place else "the answer itself")
    proposed = msgspec.structs.replace(
        rest,
        items=place,
        paging=paging.kind,
        parameter=paging.parameter,
        cursor=paging.cursor,
        size_parameter=paging.size_parameter,
    )
    return Proposal(proposed, (where, paging.why))


def _read(asked: Asked, url: str, body: bytes) -> tuple[Any, tuple[str, int]]:
    """The answer, and where in it the longest list of objects lies with its length."""
    try:
        content = msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError):
        repair = f"Give the address of an endpoint that lists rows as JSON objects, {_ELSE}"
        raise asked.failure(f"The answer of {shown(url)} is no JSON.", repair) from None
    lists = sorted(_lists(content), key=lambda found: (-found[1], found[0].count("."), found[0]))
    if not lists:
        repair = f"Give the address of an endpoint that lists rows, {_ELSE}"
        raise asked.failure(f"The answer of {shown(url)} holds no list of JSON objects.", repair)
    return content, lists[0]


def _lists(content: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, int]]:
    """Lists of objects outside of lists, by their place. A key with a dot in it cannot be named, and is passed over."""
    if isinstance(content, list) and content and all(isinstance(item, dict) for item in content):
        yield path, len(content)
    elif isinstance(content, dict) and depth < _DEPTH_MAX:
        for key, value in content.items():
            if key and "." not in key:
                yield from _lists(value, f"{path}.{key}" if path else key, depth + 1)


def _paging(content: Any, has_link: bool, url: str) -> _Paging:
    if has_link:
        return _Paging("link", "a Link header names the next page")
    values = dict(_scalars(content))
    named = {place.rpartition(".")[2].lower(): place for place in reversed(values)}
    for name in _NEXT:
        if name in named and _is_address(values[named[name]]):
            return _Paging("cursor", f"{named[name]} is the address of the next page", cursor=named[name])
    for name, parameter in (_CURSORS | dict.fromkeys(_NEXT, "cursor")).items():
        if name in named and isinstance(values[named[name]], str):
            why = f"{named[name]} seems to be sent back as `{parameter}`: look it up, the answer does not say"
            return _Paging("cursor", why, parameter=parameter, cursor=named[name])
    return _by_number(values, named, url) or _Paging("none", "nothing in the answer tells of a next page: it has one")


def _by_number(values: Mapping[str, Any], named: Mapping[str, str], url: str) -> _Paging | None:
    """Pages by number or offset, where the answer repeats where it is."""
    given = {name.lower(): name for name, _ in parse_qsl(urlsplit(url).query)}
    size = next((name for name in _SIZES if name in named and name not in given), "")
    numbers = {name: values[place] for name, place in named.items() if type(values[place]) is int}
    page = next((name for name in _NUMBERED if name in numbers), "")
    if page and any(name in numbers for name in _OF_PAGES):
        why = f"{named[page]} counts pages: the parameter `page` is guessed from it"
        return _Paging("page", why, parameter="page", size_parameter=_as_written(named, size))
    for name in ("offset", "skip"):
        if name in numbers:
            why = f"{named[name]} counts rows: the parameter `{name}` is guessed from it"
            return _Paging("offset", why, parameter=name, size_parameter=_as_written(named, size))
    return None


def _as_written(named: Mapping[str, str], name: str) -> str:
    return named[name].rpartition(".")[2] if name else ""


def _scalars(content: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Texts, numbers and nulls outside of lists, by their place; those further out first."""
    if not isinstance(content, dict) or depth > _DEPTH_MAX:
        return
    inner = []
    for key, value in content.items():
        if key and "." not in key:
            place = f"{path}.{key}" if path else key
            if isinstance(value, dict):
                inner.append((place, value))
            elif not isinstance(value, list):
                yield place, value
    for place, value in inner:
        yield from _scalars(value, place, depth + 1)


def _is_address(value: Any) -> bool:
    """Whether a value leads to the next page, or is the null of the last."""
    return value is None or (isinstance(value, str) and value.startswith(("http://", "https://", "/")))
