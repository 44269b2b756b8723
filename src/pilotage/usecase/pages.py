"""The page of this room: the brief, fit to print and to send."""

from __future__ import annotations

from litestar import get
from litestar.response import Template

from pilotage.govern.guards import needs
from pilotage.govern.records import Permission
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow
from pilotage.usecase.rules.brief import brief_of
from pilotage.usecase.rules.lints import lints


@get("/use-cases/{use_case:str}/brief", guards=[needs(Permission.READ)], sync_to_thread=True)
def brief_page(work: Workspace, use_case: str) -> Template:
    """What is decided, for whom and why, on one page."""
    definition = flow.find_adopted(work, use_case)
    context = {
        "page": {"use_case": definition.name, "active": "brief", "title": definition.use_case.title},
        "definition": definition,
        "sections": brief_of(definition),
        "lints": lints(definition),
    }
    return Template("usecase/brief.html", context=context)


PAGES = [brief_page]
