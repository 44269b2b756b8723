"""Asks the OpenID provider: a few questions at once, and what changes seldom is kept for a minute."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

import msgspec
from msgspec import Struct

from pilotage.platform.egress import Egress, Reply, Unreachable
from pilotage.platform.errors import NotAuthenticated, Unavailable
from pilotage.platform.workspace import Workspace

_AT_ONCE = 3
_KEPT_SECONDS = 60.0
_KEPT_MAX = 32
_SECONDS = 10.0
_BYTES_MAX = 1_000_000
_Kind = TypeVar("_Kind", bound=Struct)
_slots = threading.BoundedSemaphore(_AT_ONCE)
_kept: dict[str, tuple[float, bytes]] = {}
_kept_lock = threading.Lock()


class ProviderRefused(NotAuthenticated):
    """The provider did not let somebody in, or what it said cannot be trusted."""

    code = "provider-refused"
    status = 422


class ProviderBusy(Unavailable):
    """As many log-ins wait for the provider as may: the pages' threads are for others too."""

    code = "provider-busy"
    retry_after = 10


@contextmanager
def calling() -> Iterator[None]:
    """Take one of the places to ask the provider from.

    Raises:
        ProviderBusy: all are taken.
    """
    if not _slots.acquire(blocking=False):
        raise ProviderBusy("Many people come in at this moment.", f"Try again in {ProviderBusy.retry_after} seconds.")
    try:
        yield
    finally:
        _slots.release()


def look_up(work: Workspace, address: str, kind: type[_Kind], *, fresh: bool = False) -> _Kind:
    """What the provider says at an address: of the last minute, unless ``fresh``.

    Raises:
        Unreachable: it does not answer, or with an error.
        ProviderRefused: it answers what cannot be read.
    """
    with _kept_lock:
        until, content = _kept.get(address, (0.0, b""))
    if not fresh and time.monotonic() < until:
        return read(content, kind)
    content = content_of(ask(work, address))
    found = read(content, kind)
    with _kept_lock:
        if len(_kept) >= _KEPT_MAX:
            _kept.clear()
        _kept[address] = (time.monotonic() + _KEPT_SECONDS, content)
    return found


def ask(work: Workspace, address: str, content: bytes | None = None, headers: dict[str, str] | None = None) -> Reply:
    """The provider's answer to a GET, or to a POST of ``content``.

    Raises:
        Unreachable: it does not answer.
        EgressRefused: this installation may not call the address.
    """
    parts = urlsplit(address)
    path = urlunsplit(("", "", parts.path, parts.query, ""))
    egress = Egress(f"{parts.scheme}://{parts.netloc}", work.settings.private_hosts)
    try:
        if content is None:
            return egress.get(path, headers or {}, _SECONDS, _BYTES_MAX)
        return egress.post(path, content, headers or {}, _SECONDS, _BYTES_MAX)
    finally:
        egress.close()


def content_of(reply: Reply) -> bytes:
    """What an answer holds.

    Raises:
        Unreachable: it is an error.
    """
    if reply.status != 200:
        raise Unreachable(f"The OpenID provider answers with {reply.status}.", "Ask who runs it.")
    return reply.content


def read(content: bytes, kind: type[_Kind]) -> _Kind:
    """An answer's content as what it must be.

    Raises:
        ProviderRefused: it is something else.
    """
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.MsgspecError:
        raise ProviderRefused("The OpenID provider answers what cannot be read.", "Ask who runs it.") from None
