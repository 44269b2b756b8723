"""The calls that the service knows, as requests ready to be sent."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from pilotage.client import reading
from pilotage.client.exchange import Asked
from pilotage.client.records import BatchRow, CardToken, Decision, Feedback, Gone, OutcomeRow, Request


def decide(use_case: str, request: Request, key: str | None) -> Asked[Decision]:
    """One question."""
    return _posted(f"/v1/use-cases/{_safe(use_case)}/decisions", request, reading.decision, key)


def decide_batch(use_case: str, requests: Sequence[Request], key: str | None) -> Asked[list[BatchRow | Gone]]:
    """Up to 1,000 questions."""
    path = f"/v1/use-cases/{_safe(use_case)}/decisions:batch"
    return _posted(path, {"requests": requests}, lambda body: reading.batch(body, len(requests)), key)


def decision(identifier: str) -> Asked[Decision]:
    """The answer that was given under this identifier."""
    return Asked(method="GET", path=f"/v1/decisions/{_safe(identifier)}", read=reading.decision)


def feedback(decision: str, kind: str, person: str, reason: str) -> Asked[Feedback]:
    """What a person said. Said twice it would count twice, so it is not sent again where it may have arrived."""
    body = {"kind": kind, "person": person, "reason": reason}
    return _posted(f"/v1/decisions/{_safe(decision)}/feedback", body, reading.feedback, None, repeatable=False)


def outcomes(rows: Sequence[Mapping[str, Any]]) -> Asked[list[OutcomeRow]]:
    """What really happened."""
    return _posted("/v1/outcomes", {"outcomes": rows}, lambda body: reading.outcomes(body, len(rows)), None)


def card_token(use_case: str, entity: str, origin: str, person: str, actions: Sequence[str] | None) -> Asked[CardToken]:
    """A token for one card."""
    body: dict[str, Any] = {"entity": entity, "origin": origin, "person": person}
    if actions is not None:
        body["actions"] = actions
    return _posted(f"/v1/use-cases/{_safe(use_case)}/card-tokens", body, reading.card_token, None)


def schema(use_case: str) -> Asked[dict[str, Any]]:
    """The JSON Schema of a request."""
    return Asked(method="GET", path=f"/v1/use-cases/{_safe(use_case)}/schema", read=reading.schema)


def _posted(path: str, body: object, read: Any, key: str | None, repeatable: bool = True) -> Asked[Any]:
    return Asked(
        method="POST",
        path=path,
        body=msgspec.json.encode(body),
        key=key or str(uuid.uuid4()),
        read=read,
        repeatable=repeatable,
    )


def _safe(part: str) -> str:
    return quote(part, safe="")
