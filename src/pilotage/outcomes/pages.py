"""Console page of outcomes in quarantine: what was told of decisions that nobody knows."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template
from msgspec import Struct

from pilotage.govern.guards import needs, principal_of
from pilotage.govern.records import Permission
from pilotage.govern.rules.permissions import allowed
from pilotage.outcomes import quarantine
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow as defining

AnyRequest = Request[Any, Any, Any]


class EventForm(Struct, frozen=True):
    """One report: the event of a system, in its so-manieth version."""

    source: str
    id: str
    version: int


@get("/use-cases/{use_case:str}/quarantine", guards=[needs(Permission.READ)], sync_to_thread=True)
def quarantine_page(use_case: str, request: AnyRequest, work: Workspace, joined: int | None = None) -> Template:
    """What waits, why, and for how long."""
    definition = defining.find_adopted(work, use_case)
    return Template(
        "outcomes/quarantine.html",
        context={
            "page": {
                "use_case": use_case,
                "title": definition.use_case.title,
                "active": "operate",
                "crumbs": [("Operate", f"/use-cases/{use_case}/operate"), ("Quarantine", "")],
            },
            "waiting": quarantine.waiting(work, use_case),
            "joined": joined,
            "days": work.settings.quarantine_days,
            "may_dismiss": allowed(principal_of(request), Permission.BUILD, use_case),
        },
    )


@post("/use-cases/{use_case:str}/quarantine/retry", guards=[needs(Permission.BUILD)], sync_to_thread=True)
def retry(use_case: str, work: Workspace) -> Redirect:
    """Look now whether the decisions turned up."""
    joined = quarantine.retry(work)
    return Redirect(f"/use-cases/{use_case}/quarantine?joined={joined}", status_code=303)


@post("/use-cases/{use_case:str}/quarantine/dismiss", guards=[needs(Permission.BUILD)], sync_to_thread=True)
def dismiss(
    use_case: str,
    data: Annotated[EventForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
    request: AnyRequest,
    work: Workspace,
) -> Redirect:
    """Remove one that is about nothing."""
    quarantine.dismiss(work, use_case, data.source, data.id, data.version, principal_of(request))
    return Redirect(f"/use-cases/{use_case}/quarantine", status_code=303)


PAGES = [quarantine_page, retry, dismiss]
