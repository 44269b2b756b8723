"""Makes results of what the service sent. What is not the service's own is told apart from what it refused."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from pilotage.client.errors import Problem, Refused, refusal
from pilotage.client.records import BECAUSE, BatchRow, CardToken, Decision, Feedback, Gone, GoneReason, OutcomeRow

S = TypeVar("S")


class NotOurs(ValueError):
    """A body that the service did not write, or that cannot be read."""


class _Problem(Struct):
    code: str
    detail: str
    problems: tuple[Problem, ...] = ()


class _Row(Struct):
    status: int
    answer: msgspec.Raw = msgspec.Raw(b"null")
    problem: msgspec.Raw = msgspec.Raw(b"null")


class _Rows(Struct):
    results: list[_Row]


class _OutcomeRows(Struct):
    results: list[OutcomeRow]


def decision(body: bytes) -> Decision:
    """A decision. One that nobody took says nothing, whatever else stands in it."""
    found = _read(body, Decision)
    if found.produced_by == "none" and (found.positive is not None or found.answer is not None):
        return msgspec.structs.replace(found, positive=None, answer=None)
    return found


def refused(status: int, body: bytes) -> Refused:
    """The service's own refusal (problem details, RFC 9457).

    Raises:
        NotOurs: somebody else answered, such as a proxy before a service that is not there.
    """
    try:
        found = _read(body, _Problem)
    except NotOurs:
        raise NotOurs(f"It was HTTP {status} without a problem document of the service.") from None
    return refusal(status, found.code, found.detail, found.problems)


def batch(body: bytes, count: int) -> list[BatchRow | Gone]:
    """A row for each request, in order; ``Gone`` where the service could not answer this one."""
    return [_batch_row(row) for row in _rows(body, count)]


def outcomes(body: bytes, count: int) -> list[OutcomeRow]:
    """A row for each outcome, in order."""
    return _counted(_read(body, _OutcomeRows).results, count)


def feedback(body: bytes) -> Feedback:
    """Feedback as it was kept."""
    return _read(body, Feedback)


def card_token(body: bytes) -> CardToken:
    """A card's token."""
    return _read(body, CardToken)


def schema(body: bytes) -> dict[str, Any]:
    """A JSON Schema."""
    return _read(body, dict[str, Any])


def _batch_row(row: _Row) -> BatchRow | Gone:
    if 200 <= row.status < 300:
        return BatchRow(decision=decision(bytes(row.answer)))
    if row.status >= 500 or row.status in (408, 429):
        reasons: dict[int, GoneReason] = {503: "overloaded", 429: "rate_limited", 408: "timed_out"}
        reason = reasons.get(row.status, "server_error")
        return Gone(reason, BECAUSE[reason], 1)
    return BatchRow(refused=refused(row.status, bytes(row.problem)))


def _rows(body: bytes, count: int) -> list[_Row]:
    return _counted(_read(body, _Rows).results, count)


def _counted(rows: list[S], count: int) -> list[S]:
    if len(rows) != count:
        raise NotOurs(f"It had {len(rows)} results for {count} rows.")
    return rows


def _read(body: bytes, what: type[S]) -> S:
    try:
        return msgspec.json.decode(body, type=what)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotOurs(str(error)) from None
