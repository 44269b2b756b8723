"""HTTP of outcomes: apps tell what really happened, and see what could not be joined."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.concurrency import sync_to_thread

from pilotage.decisions.http.exchange import demand_json
from pilotage.decisions.http.incoming import read_body
from pilotage.govern.guards import needs, principal_of
from pilotage.govern.records import Permission
from pilotage.outcomes import reporting
from pilotage.outcomes.records import Report, Reported, ReportRow
from pilotage.platform.errors import InvalidRequest, Problem, TooLarge
from pilotage.platform.strictness import HALF, UNDECODABLE, demand_unique_names, has_half, rows_apart
from pilotage.platform.workspace import Workspace

BYTES_MAX = 4 * 1024 * 1024


class OutcomesRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Up to 1,000 outcomes."""

    outcomes: list[ReportRow]


class _Undecoded(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    outcomes: list[msgspec.Raw]


class OutcomesReply(msgspec.Struct, frozen=True):
    """What became of each row, in their order."""

    results: list[Reported]


class Quarantined(msgspec.Struct, frozen=True):
    """What this key told of decisions that nobody knows."""

    outcomes: list[Report]


_decode = msgspec.json.Decoder(_Undecoded).decode
_decode_row = msgspec.json.Decoder(ReportRow).decode


@post("/v1/outcomes", guards=[needs(Permission.DECIDE)], request_max_body_size=BYTES_MAX, status_code=200)
async def report_outcomes(request: Request[Any, Any, Any], work: Workspace) -> OutcomesReply:
    """Tell what really happened: each row has its own status, and each version of an event one effect."""
    demand_json(list(request.scope["headers"]))
    rows = _rows(await read_body(request))
    return OutcomesReply(await sync_to_thread(reporting.report, work, principal_of(request), rows))


@get("/v1/outcomes/quarantined", guards=[needs(Permission.DECIDE)], sync_to_thread=True)
def quarantined_outcomes(request: Request[Any, Any, Any], work: Workspace) -> Quarantined:
    """What this key told of decisions that nobody knows, newest first; it is joined when they turn up."""
    return Quarantined(reporting.quarantined(work, principal_of(request)))


def _rows(body: bytes) -> list[ReportRow | InvalidRequest]:
    try:
        rows = [bytes(row) for row in _decode(body).outcomes]
    except UNDECODABLE as error:
        rows = rows_apart(body, "outcomes")
        if not rows:
            problem = Problem("body", f"must be a JSON object with the list outcomes. {error}.")
            raise InvalidRequest("The outcomes cannot be read.", problems=[problem]) from None
    if len(rows) > reporting.ROWS_MAX:
        raise TooLarge(f"{len(rows):,} outcomes came; {reporting.ROWS_MAX:,} is the limit.", "Send them in parts.")
    demand_unique_names(body)
    return [_row(row) for row in rows]


def _row(row: bytes) -> ReportRow | InvalidRequest:
    try:
        return _decode_row(row)
    except UNDECODABLE as error:
        is_cut = has_half(row) and not isinstance(error, msgspec.ValidationError)
        return InvalidRequest(f"The row does not fit: {HALF if is_cut else error}.")


ROUTES = [report_outcomes, quarantined_outcomes]
