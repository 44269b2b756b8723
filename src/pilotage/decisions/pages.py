"""Console page of decisions: the newest ones, searched by entity. One decision's whole life is told by ``monitor``."""

from __future__ import annotations

from functools import partial

from litestar import get
from litestar.response import Template

from pilotage.decisions import flow
from pilotage.decisions.contract import example_request
from pilotage.decisions.kinds import told
from pilotage.decisions.records import REASONS
from pilotage.govern.guards import needs
from pilotage.govern.records import Permission
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow as defining

_SHOWN = 100


@get("/use-cases/{use_case:str}/decisions", guards=[needs(Permission.READ)], sync_to_thread=True)
def decisions_page(use_case: str, work: Workspace, q: str = "") -> Template:
    """The newest decisions, searched by entity."""
    definition = defining.find_adopted(work, use_case)
    query = q.strip()
    return Template(
        "decisions/decisions.html",
        context={
            "page": {"use_case": use_case, "title": definition.use_case.title, "active": "decisions"},
            "decisions": flow.recent(work, use_case, _SHOWN, query),
            "entity": definition.plan.entity,
            "query": query,
            "shown_max": _SHOWN,
            "reasons": REASONS,
            "kind": definition.use_case.kind,
            "said": partial(told, definition.use_case),
            "address": work.settings.address,
            "example": example_request(definition.plan, work.clock.now()),
        },
    )


PAGES = [decisions_page]
