"""Console pages of releasing: versions, the history of what was live, roll back, the switch. Releasing itself asks for
parity first, so that its door is in ``rollout``.
"""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Response, Template
from msgspec import Struct

from pilotage.govern.guards import needs, principal_of
from pilotage.govern.records import Permission
from pilotage.govern.rules.addresses import local_path
from pilotage.models import flow as modelling
from pilotage.models.records import Comparison
from pilotage.platform.errors import Conflict
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow, rules, switching
from pilotage.releases.records import Version
from pilotage.usecase import flow as defining


class ReleaseForm(Struct, frozen=True, kw_only=True):
    """Why something is changed, which is kept with the change, and the revision that the page showed."""

    revision: int
    reason: str = ""


class SwitchForm(Struct, frozen=True, kw_only=True):
    """On or off, why, and the page to return to."""

    enabled: bool
    reason: str = ""
    back: str = ""


Asked = Annotated[ReleaseForm, Body(media_type=RequestEncodingType.URL_ENCODED)]


@get("/use-cases/{use_case:str}/versions", guards=[needs(Permission.READ)], sync_to_thread=True)
def versions_page(use_case: str, work: Workspace) -> Template:
    """Every version, which one is live, and everything that was."""
    return shown(work, use_case)


def shown(work: Workspace, use_case: str, refused: Conflict | None = None) -> Template:
    """The page of versions as they are now; with what was refused, and why."""
    definition = defining.find_adopted(work, use_case)
    versions = flow.versions(work, use_case)
    comparison = modelling.latest_comparison(work, use_case)
    live, history = flow.live(work, use_case), flow.history(work, use_case)
    return Template(
        "releases/versions.html",
        context={
            "page": {"use_case": use_case, "title": definition.use_case.title, "active": "versions"},
            "live": live,
            "answering": live.stage in rules.ANSWERING,
            "earlier_file": flow.earlier_file(work, definition),
            "stepped_back": rules.stepped_back(history),
            "versions": [(version, flow.is_whole(work, version)) for version in versions],
            "parities": flow.parities(work, definition),
            "in_short": rules.parity_in_short,
            "differing": rules.differing,
            "numbers": {version.id: version.number for version in versions},
            "history": history,
            "unreleased": _unreleased(comparison, versions),
            "back": f"/use-cases/{use_case}/versions",
            "refused": refused,
        },
        status_code=refused.status if refused else 200,
    )


@post("/use-cases/{use_case:str}/roll-back", guards=[needs(Permission.SWITCH)], sync_to_thread=True, control=True)
def roll_back(use_case: str, data: Asked, request: Request[Any, Any, Any], work: Workspace) -> Response[Any]:
    """Go back to the version before the one that the page showed; where another is live, the page comes back."""
    try:
        flow.roll_back(work, use_case, principal_of(request), data.reason, data.revision)
    except Conflict as refused:
        return shown(work, use_case, refused)
    return Redirect(f"/use-cases/{use_case}/versions", status_code=303)


@post("/use-cases/{use_case:str}/switch", guards=[needs(Permission.SWITCH)], sync_to_thread=True, control=True)
def switch(
    use_case: str,
    data: Annotated[SwitchForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
    request: Request[Any, Any, Any],
    work: Workspace,
) -> Redirect:
    """Switch a use case off or on, and return to the page that asked."""
    change = switching.switch_on if data.enabled else flow.disable
    change(work, use_case, principal_of(request), data.reason)
    return Redirect(local_path(data.back or f"/use-cases/{use_case}"), status_code=303)


def _unreleased(comparison: Comparison | None, versions: list[Version]) -> Comparison | None:
    """The newest comparison, if it recommends a model of which there is no version yet."""
    if comparison is None or comparison.recommended not in comparison.artefacts:
        return None
    artefact = comparison.artefacts[comparison.recommended]
    return None if any(version.artefact == artefact for version in versions) else comparison


PAGES = [versions_page, roll_back, switch]
