"""Console pages of incidents: all that the reader may see, and one with its timeline."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template
from msgspec import Struct

from pilotage.govern.guards import needs, principal_of
from pilotage.govern.records import EVERY_USE_CASE, Permission, Principal
from pilotage.govern.rules.permissions import allowed, allowed_somewhere, demand
from pilotage.monitor.incidents import flow, rules
from pilotage.monitor.incidents.records import Found, Incident
from pilotage.platform.errors import NotFound
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.usecase import flow as defining


class NoteForm(Struct, frozen=True):
    """What somebody says of an incident."""

    note: str = ""


Note = Annotated[NoteForm, Body(media_type=RequestEncodingType.URL_ENCODED)]
AnyRequest = Request[Any, Any, Any]


def shown_of(work: Workspace, use_case: str) -> dict[str, Any]:
    """What ``monitor/open_incidents.html`` needs to name the open incidents of a use case and of the installation."""
    return {"open_incidents": flow.listed(work, [use_case], only_open=True), "incident_title": rules.title}


@get("/incidents", guards=[needs(Permission.READ)], sync_to_thread=True)
def incidents_page(request: AnyRequest, work: Workspace) -> Template:
    """Open incidents, and those that were."""
    who = principal_of(request)
    seen = [name for name in defining.names(work) if allowed(who, Permission.READ, name)]
    found = flow.listed(work, None if allowed(who, Permission.READ, EVERY_USE_CASE) else seen)
    return Template(
        "monitor/incidents.html",
        context={
            "page": {"use_case": None, "active": "incidents"},
            "incidents": found,
            "incident_title": rules.title,
            "every": EVERY_USE_CASE,
        },
    )


@get("/incidents/{incident:str}", guards=[needs(Permission.READ)], sync_to_thread=True)
def incident_page(incident: str, request: AnyRequest, work: Workspace) -> Template:
    """One incident, from its opening on."""
    found = _readable(work, incident, principal_of(request))
    about = found.incident
    numbers = {version.id: version.number for version in releasing.versions(work, about.use_case)}
    return Template(
        "monitor/incident.html",
        context={
            "page": {
                "use_case": None,
                "active": "incidents",
                "crumbs": [("Incidents", "/incidents"), (rules.title(about.kind), "")],
            },
            "incident": about,
            "steps": found.steps,
            "title": rules.title(about.kind),
            "version": numbers.get(about.version),
            "every": EVERY_USE_CASE,
            "note_letters_max": rules.NOTE_LETTERS_MAX,
            "can_act": allowed(principal_of(request), Permission.SWITCH, about.use_case),
        },
    )


@post("/incidents/{incident:str}/acknowledge", guards=[needs(Permission.SWITCH)], sync_to_thread=True, control=True)
def acknowledge(incident: str, data: Note, request: AnyRequest, work: Workspace) -> Redirect:
    """Take an incident on."""
    who = principal_of(request)
    _demand_may_act(who, _readable(work, incident, who).incident)
    flow.acknowledge(work, incident, who, data.note)
    return Redirect(f"/incidents/{incident}", status_code=303)


@post("/incidents/{incident:str}/close", guards=[needs(Permission.SWITCH)], sync_to_thread=True, control=True)
def close(incident: str, data: Note, request: AnyRequest, work: Workspace) -> Redirect:
    """Say that it is over, and why."""
    who = principal_of(request)
    _demand_may_act(who, _readable(work, incident, who).incident)
    flow.close(work, incident, who, data.note)
    return Redirect(f"/incidents/{incident}", status_code=303)


def _readable(work: Workspace, identifier: str, who: Principal) -> Found:
    """The incident, for those who may see its use case; those of the whole installation concern every reader."""
    found = flow.find(work, identifier)
    use_case = found.incident.use_case
    is_readable = (
        allowed_somewhere(who, Permission.READ)
        if use_case == EVERY_USE_CASE
        else allowed(who, Permission.READ, use_case)
    )
    if not is_readable:
        raise NotFound(f"There is no incident {identifier}.", "Look at the list of incidents.")
    return found


def _demand_may_act(who: Principal, incident: Incident) -> None:
    demand(who, Permission.SWITCH, None if incident.use_case == EVERY_USE_CASE else incident.use_case)


PAGES = [incidents_page, incident_page, acknowledge, close]
