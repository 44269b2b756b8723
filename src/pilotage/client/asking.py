"""The calls that the service knows, as requests ready to be sent."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

import msgspec

from pilotage.client import reading
from pilotage.client.exchange import Asked
from pilotage.client.records import BatchRow, CardToken, Decision, Feedback, Gone, OutcomeRow, Request


def decide(use_case: str, request: Request, key: str | None) -> Asked[Decision]:
    """One question."""
    path = f"/v1/use-cases/{_safe(use_case)}/decisions"
    return _posted("decide", path, request, reading.decision, key)


def decide_batch(use_case: str, requests: Sequence[Request], key: str | None) -> Asked[list[BatchRow | Gone]]:
    """Up to 1,000 questions."""
    path = f"/v1/use-cases/{_safe(use_case)}/decisions:batch"
    read = partial(reading.batch, count=len(requests))
    return _posted("decide_batch", path, {"requests": requests}, read, key)


def decision(identifier: str) -> Asked[Decision]:
    """The answer that was given under this identifier."""
    return _got("decision", f"/v1/decisions/{_safe(identifier)}", reading.decision)


def feedback(decision: str, kind: str, person: str, reason: str) -> Asked[Feedback]:
    """What a person said."""
    body = {"kind": kind, "person": person, "reason": reason}
    return _posted("feedback", f"/v1/decisions/{_safe(decision)}/feedback", body, reading.feedback)


def outcomes(rows: Sequence[Mapping[str, Any]]) -> Asked[list[OutcomeRow]]:
    """What really happened."""
    return _posted("outcomes", "/v1/outcomes", {"outcomes": rows}, partial(reading.outcomes, count=len(rows)))


def card_token(use_case: str, entity: str, origin: str, person: str, actions: Sequence[str] | None) -> Asked[CardToken]:
    """A token for one card."""
    body: dict[str, Any] = {"entity": entity, "origin": origin, "person": person}
    if actions is not None:
        body["actions"] = actions
    return _posted("card_token", f"/v1/use-cases/{_safe(use_case)}/card-tokens", body, reading.card_token)


def schema(use_case: str) -> Asked[dict[str, Any]]:
    """The JSON Schema of a request."""
    return _got("schema", f"/v1/use-cases/{_safe(use_case)}/schema", reading.schema)


def _got(kind: str, path: str, read: Any) -> Asked[Any]:
    return Asked(kind=kind, method="GET", path=path, read=read)


def _posted(kind: str, path: str, body: object, read: Any, key: str | None = None) -> Asked[Any]:
    return Asked(kind=kind, method="POST", path=path, body=_encoded(body), key=key or str(uuid.uuid4()), read=read)


def _encoded(body: object) -> bytes:
    """JSON. Half a surrogate pair, which UTF-8 has not, is sent as its escape: the service refuses it in its words."""
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(body, str_keys=True)).encode()


def _safe(part: str) -> str:
    whole = part.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return quote(whole, safe="")
