"""The pages of a REST endpoint, one after the other: how the next is asked for, and when there is none."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import msgspec
from msgspec import Raw, Struct

from pilotage.data.records import Span
from pilotage.data.sources.answering import answer
from pilotage.data.sources.asked import Asked
from pilotage.platform.errors import SettingsError
from pilotage.platform.instants import iso
from pilotage.platform.settings import from_environment
from pilotage.usecase.records import Rest, seconds

if TYPE_CHECKING:
    import httpx


class _Page(Struct):
    """Where a page is: its address and the parameters added to it."""

    url: str
    parameters: dict[str, str]


def pages(asked: Asked, rest: Rest, address: str, span: Span) -> Iterator[list[bytes]]:
    """The objects of each page, as the bytes of one line each.

    Raises:
        SourceUnavailable: an answer is late, refused, no JSON or no list of objects, or the same page comes again.
    """
    import httpx

    refuse_no_address(asked, address)
    common = {rest.size_parameter: str(rest.size)} if rest.size_parameter and rest.paging != "none" else {}
    if rest.since and span.after:
        common[rest.since] = iso(span.after)
    page: _Page | None = _Page(address, _first(rest) | common)
    seen: set[object] = set()
    rows = number = 0
    until = time.monotonic() + seconds(asked.source.timeout)
    with httpx.Client(headers=headers_of(asked, rest), follow_redirects=False) as client:
        while page is not None:
            number += 1
            response = answer(asked, client, page.url, page.parameters, until, missing_is_end=number > 1)
            if response is None:
                return
            _refuse_again(asked, seen, (page.url, *sorted(page.parameters.items())))
            items, cursor = _parts(asked, rest, response)
            if rest.paging in ("page", "offset") and items:
                _refuse_again(asked, seen, hashlib.sha256(b"\n".join(items)).hexdigest())
            rows += len(items)
            yield items
            page = _next(asked, rest, address, response, items, cursor, number, rows, common)


def refuse_no_address(asked: Asked, address: str) -> None:
    """That an address is one of the web.

    Raises:
        SourceUnavailable: it is not.
    """
    try:
        parts = urlsplit(address)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        fits = False
    if not fits:
        raise asked.failure(f"Source {asked.name}: `rest.url` is no address.", "Write https://host/path.")


def _first(rest: Rest) -> dict[str, str]:
    if rest.paging == "page":
        return {rest.parameter or "page": "1"}
    return {rest.parameter or "offset": "0"} if rest.paging == "offset" else {}


def _next(
    asked: Asked,
    rest: Rest,
    address: str,
    response: httpx.Response,
    items: list[bytes],
    cursor: str | None,
    number: int,
    rows: int,
    common: dict[str, str],
) -> _Page | None:
    """The page after this one. One of fewer rows than asked for is not the last: servers have limits of their own."""
    if rest.paging == "link":
        link = response.links.get("next", {}).get("url")
        return _Page(_near(asked, address, str(response.url), link), {}) if link else None
    if not items or rest.paging == "none":
        return None
    if rest.paging == "page":
        return _Page(address, {rest.parameter or "page": str(number + 1)} | common)
    if rest.paging == "offset":
        return _Page(address, {rest.parameter or "offset": str(rows)} | common)
    if not cursor:
        return None
    if cursor.startswith(("http://", "https://", "/")):
        return _Page(_near(asked, address, str(response.url), cursor), {})
    return _Page(address, {rest.parameter or "cursor": cursor} | common)


def _near(asked: Asked, address: str, current: str, link: str) -> str:
    """The address of the next page.

    Raises:
        SourceUnavailable: it is at another host, which must not get our credentials.
    """
    url = urljoin(current, link)
    if urlsplit(url).netloc.rpartition("@")[2] != urlsplit(address).netloc.rpartition("@")[2]:
        raise asked.failure(
            f"Source {asked.name}: its next page is at another host, {urlsplit(url).hostname}.",
            "Give the address of that host in `rest.url`, if it is right.",
        )
    if urlsplit(address).scheme == "https" and urlsplit(url).scheme != "https":
        return (
            urlsplit(url)._replace(scheme="https").geturl()
        )  # behind a proxy, servers may not know that they have TLS
    return url


def _refuse_again(asked: Asked, seen: set[object], what: object) -> None:
    if what in seen:
        raise asked.failure(
            f"Source {asked.name}: the same page came twice, so the pages would never end.",
            "Check `rest.paging` and `rest.parameter`; an endpoint with a single page has paging: none.",
        )
    seen.add(what)


def _parts(asked: Asked, rest: Rest, response: httpx.Response) -> tuple[list[bytes], str | None]:
    """The objects of an answer, each as it was written but in one line, and the next cursor."""
    content = response.content.removeprefix(b"\xef\xbb\xbf")
    kind = response.headers.get("content-type", "without a type").partition(";")[0]
    try:
        msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise asked.failure(
            f"Source {asked.name}: the answer is no JSON ({kind}).", "Check `rest.url` and the headers."
        ) from None
    listed = _within(content, rest.items)
    try:
        items = msgspec.json.decode(listed or b"", type=list[Raw])
    except msgspec.DecodeError:
        where = f"at {rest.items} of the answer" if rest.items else "in the answer"
        keys = _keys(content)
        raise asked.failure(
            f"Source {asked.name}: there is no list {where}.", f"Say in `rest.items` where it lies. {keys}".strip()
        ) from None
    lines = [bytes(item).strip().replace(b"\n", b" ").replace(b"\r", b" ") for item in items]
    if any(not line.startswith(b"{") for line in lines):
        raise asked.failure(f"Source {asked.name}: its list holds something else than objects.", "Check `rest.items`.")
    given = _within(content, rest.cursor) if rest.paging == "cursor" else None
    cursor = msgspec.json.decode(given) if given else None
    return lines, None if cursor in (None, "", False) else str(cursor)


def _within(content: bytes, path: str) -> bytes | None:
    """The bytes at a path such as ``data.rows``; the content itself if it is empty."""
    for key in filter(None, path.split(".")):
        try:
            found = msgspec.json.decode(content, type=dict[str, Raw]).get(key)
        except msgspec.DecodeError:
            return None
        if found is None:
            return None
        content = bytes(found)
    return content


def _keys(content: bytes) -> str:
    try:
        keys = list(msgspec.json.decode(content, type=dict[str, Any]))
    except msgspec.DecodeError:
        return ""
    return f"The answer has {', '.join(keys[:8])}." if keys else ""


def headers_of(asked: Asked, rest: Rest) -> dict[str, str]:
    """The headers to ask with, what stands behind their references in place.

    Raises:
        SourceUnavailable: a variable is not set, or holds what no header may hold.
    """
    try:
        found = {name: from_environment(value, f"Source {asked.name}") for name, value in rest.headers.items()}
    except SettingsError as error:
        raise asked.failure(error.message, error.repair) from None
    for name, text in found.items():
        if not text.isascii() or not text.isprintable():
            raise asked.failure(
                f"Source {asked.name}: header {name} holds signs that no header may hold.", "Correct its variable."
            )
    return {"Accept": "application/json"} | found
