"""HTTP of decisions, besides the hot route: one decision, the contract, what must be recorded."""

from __future__ import annotations

from typing import Any

from litestar import Request, get

from pilotage.decisions import flow, rules
from pilotage.decisions.records import Answer
from pilotage.govern.guards import needs, principal_of
from pilotage.govern.records import Permission
from pilotage.govern.rules.permissions import allowed
from pilotage.platform.errors import NotFound
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.usecase import flow as defining


@get("/v1/decisions/{decision_id:str}", guards=[needs(Permission.DECIDE)], sync_to_thread=True)
def one_decision(decision_id: str, request: Request[Any, Any, Any], work: Workspace) -> Answer:
    """The answer that was given under this identifier."""
    decision = flow.find(work, decision_id)
    if not allowed(principal_of(request), Permission.DECIDE, decision.use_case):
        raise NotFound(f"There is no decision {decision_id}.", "Use the id that came with the answer.")
    return rules.answer_of(decision)


@get("/v1/use-cases/{use_case:str}/schema", guards=[needs(Permission.DECIDE)], sync_to_thread=True)
def request_schema(use_case: str, work: Workspace) -> dict[str, Any]:
    """JSON Schema of a request to this use case."""
    return flow.contract_of(work, releasing.answering(work, defining.find_adopted(work, use_case))).schema()


ROUTES = [one_decision, request_schema]
