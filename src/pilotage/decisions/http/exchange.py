"""What the plain ASGI routes share: who is asking, replies, and refusals as problems."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

import structlog

from pilotage.govern.flow.limits import Standing
from pilotage.platform.errors import (
    NotAuthenticated,
    PilotageError,
    Unavailable,
    WrongMediaType,
    WrongMethod,
    in_short,
)
from pilotage.platform.identifiers import new_id
from pilotage.platform.problems import problem_details
from pilotage.platform.workspace import Workspace

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = Sequence[tuple[bytes, bytes]]

HELD_BACK_SECONDS = 0.1
_JSON = b"application/json"
_NAMED = frozenset({b"content-type", b"content-encoding"})
log = structlog.get_logger()


def demand_method(scope: Scope, *allow: str) -> None:
    """Refuse other methods than these.

    Raises:
        WrongMethod: with the methods that there are.
    """
    if scope["method"] not in allow:
        raise WrongMethod(str(scope["method"]), allow)


def demand_json(headers: Headers) -> None:
    """Refuse a body that says to be something else than plain JSON; one that says nothing is read as JSON.

    Compressed bodies are refused, too: what they unpack to has no bound that could be seen before.

    Raises:
        WrongMediaType: naming what came.
    """
    for name, value in headers:
        if name not in _NAMED or value == _JSON:
            continue
        said = value.split(b";")[0].strip().lower()
        if name == b"content-encoding":
            if said != b"identity":
                raise WrongMediaType("Compressed bodies are not read here.", "Send it without Content-Encoding.")
        elif said != _JSON and not (said.startswith(b"application/") and said.endswith(b"+json")):
            raise WrongMediaType("The body must be application/json.", "Send Content-Type: application/json.")


def bearer(headers: Headers) -> str:
    """The key in the header Authorization.

    Raises:
        NotAuthenticated: there is none.
    """
    for name, value in headers:
        if name == b"authorization":
            scheme, _, key = value.decode("latin-1").partition(" ")
            if scheme.lower() == "bearer" and key:
                return str(key)
    raise NotAuthenticated("This needs an API key; none came.", "Send it as Authorization: Bearer pk_….")


def defect(work: Workspace, error: Exception, use_case: str) -> PilotageError:
    """What a caller is told of a mistake of ours: a number; the log gets the rest."""
    number = new_id("err", work.clock.now())
    log.error("decision_failed", number=number, use_case=use_case, error=in_short(error))
    return PilotageError("Something went wrong that is not your mistake.", f"Report it as {number}.")


async def refuse(send: Send, error: PilotageError, scope: Scope, more: Headers = ()) -> None:
    """Send problem details (RFC 9457), with the headers that go with them."""
    headers = list(more)
    if error.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if isinstance(error, Unavailable):
        headers.append((b"retry-after", str(error.retry_after).encode()))
    if isinstance(error, WrongMethod):
        headers.append((b"allow", ", ".join(error.allow).encode()))
    if isinstance(error, WrongMediaType):
        headers += [(b"accept", _JSON), (b"accept-encoding", b"identity")]
    body = problem_details(error, scope["path"])
    await reply(send, error.status, b"application/problem+json", body, headers)


async def hold_back() -> None:
    """Let a caller who is beyond their limit wait for their refusal.

    Who asks on and on and does not mind being refused so asks ten times a second on each connection, and not some
    thousand times: what refusing costs is not taken from the others.
    """
    await asyncio.sleep(HELD_BACK_SECONDS)


async def reply(send: Send, status: int, content_type: bytes, body: bytes, more: Headers = ()) -> None:
    """Send a whole answer."""
    headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def limit_headers(standing: Standing | None) -> list[tuple[bytes, bytes]]:
    """How a caller stands with its limit; nothing where it has none."""
    if standing is None:
        return []
    return [(name.lower().encode(), value.encode()) for name, value in standing.headers().items()]
