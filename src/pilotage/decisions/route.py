"""``POST /v1/use-cases/{name}/decisions`` as a plain ASGI application: the one route where microseconds count."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec
import structlog

from pilotage.decisions.contract import check_size
from pilotage.decisions.service import Service
from pilotage.platform.errors import NotAuthenticated, PilotageError
from pilotage.platform.identifiers import new_id
from pilotage.platform.problems import problem_details

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_PATH = re.compile(r"/v1/use-cases/([a-z][a-z0-9_]{0,62})/decisions")
log = structlog.get_logger()
_encode = msgspec.json.Encoder().encode


def use_case_of(scope: Scope) -> str | None:
    """The use case that a request asks, when it is this route's; None for every other request."""
    if scope["type"] != "http" or scope["method"] != "POST":
        return None
    match = _PATH.fullmatch(scope["path"])
    return match.group(1) if match else None


class DecisionRoute:
    """Answers one question per request."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._bytes_max = service.work.settings.request_bytes_max

    async def __call__(self, use_case: str, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            principal = self._service.authenticate(_bearer(scope))
            self._service.serving(use_case, principal)
            body = await _read(receive, self._bytes_max)
            answer = await self._service.answer(use_case, body, principal)
        except PilotageError as error:
            await _reply(send, error.status, b"application/problem+json", problem_details(error, scope["path"]))
        except Exception as error:  # noqa: BLE001  a door: the caller gets a number, the log gets the rest
            number = new_id("err", self._service.work.clock.now())
            log.error("decision_failed", number=number, use_case=use_case, error=f"{type(error).__name__}: {error}")
            defect = PilotageError("Something went wrong that is not your mistake.", f"Report it as {number}.")
            await _reply(send, 500, b"application/problem+json", problem_details(defect, scope["path"]))
        else:
            await _reply(send, 200, b"application/json", _encode(answer))


def _bearer(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, key = value.decode("latin-1").partition(" ")
            if scheme.lower() == "bearer" and key:
                return str(key)
    raise NotAuthenticated("This needs an API key; none came.", "Send it as Authorization: Bearer pk_….")


async def _read(receive: Receive, bytes_max: int) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        check_size(len(body), bytes_max)
        if not message.get("more_body"):
            return body


async def _reply(send: Send, status: int, content_type: bytes, body: bytes) -> None:
    headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
