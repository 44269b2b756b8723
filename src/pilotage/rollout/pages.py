"""Console pages of rolling out: all use cases, the home of one, its releases and stage, how to integrate it."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any

import msgspec
from litestar import Request, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Response, Template
from msgspec import Struct

from pilotage.decisions import flow as deciding
from pilotage.decisions.contract import example_request
from pilotage.decisions.kinds import action_of, default_of
from pilotage.govern.guards import needs, principal_of
from pilotage.govern.records import Permission, Principal
from pilotage.govern.rules.permissions import allowed
from pilotage.models import flow as modelling
from pilotage.monitor import lately, verdicts
from pilotage.monitor.incidents.pages import shown_of
from pilotage.monitor.pages import counting_page
from pilotage.platform.errors import Conflict, EvidenceMissing, GateClosed, StillCounting
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.releases.pages import Asked, ReleaseForm, shown
from pilotage.releases.records import Stage, Version
from pilotage.rollout import flow, integration, overview, rules
from pilotage.rollout.key_pages import disable_key, keys_shown
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Definition


class StageForm(Struct, frozen=True, kw_only=True):
    """The stage to enter, the share of entities in percent where it matters, why, and the revision that was shown."""

    stage: Stage
    revision: int
    reason: str = ""
    percent: float | None = None


@get("/", guards=[needs(Permission.READ)], sync_to_thread=True)
def use_cases_page(request: Request[Any, Any, Any], work: Workspace) -> Template:
    """Every use case that the reader may see."""
    person = principal_of(request)
    seen = [each for each in defining.definitions(work) if allowed(person, Permission.READ, each.name)]
    with lately.page():
        rows = [_row(work, each) for each in seen]
    context = {"page": {"use_case": None, "active": "use-cases"}, "rows": rows}
    return Template("rollout/use_cases.html", context=context)


@get("/use-cases/{use_case:str}", guards=[needs(Permission.READ)], sync_to_thread=True)
def home_page(use_case: str, work: Workspace) -> Template:
    """Still safe, still worth it; the gates; what blocks the next stage."""
    return _home(work, defining.find_adopted(work, use_case))


@post("/use-cases/{use_case:str}/stage", guards=[needs(Permission.RELEASE)], sync_to_thread=True, control=True)
def change_stage(
    use_case: str,
    data: Annotated[StageForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
    request: Request[Any, Any, Any],
    work: Workspace,
) -> Response[Any]:
    """Enter a stage; where a gate is closed or another came first, the page comes back and says so."""
    definition = defining.find_adopted(work, use_case)
    share = None if data.percent is None else data.percent / 100
    try:
        flow.advance(work, definition, data.stage, principal_of(request), data.reason, share, data.revision)
    except (Conflict, GateClosed) as refused:
        return _home(work, definition, refused)
    return Redirect(f"/use-cases/{use_case}", status_code=303)


@get("/use-cases/{use_case:str}/integrate", guards=[needs(Permission.READ)], sync_to_thread=True)
def integrate_page(use_case: str, work: Workspace) -> Template:
    """The few lines that the existing app needs."""
    definition = defining.find_adopted(work, use_case)
    address = work.settings.address
    request = example_request(definition.plan, work.clock.now())
    outcome = definition.use_case.outcome
    return Template(
        "rollout/integrate.html",
        context={
            "page": {"use_case": use_case, "title": definition.use_case.title, "active": "integrate"},
            "definition": definition,
            "entity": definition.plan.entity,
            "default": action_of(definition.use_case, default_of(definition.use_case)),
            "columns": definition.plan.request,
            "ask": integration.ask(address, use_case, request),
            "ask_in_python": integration.ask_in_python(
                address, use_case, msgspec.json.decode(request), default_of(definition.use_case)
            ),
            "address": address,
            "embed": integration.embed(address),
            "mint": integration.mint(address, use_case),
            "schema": msgspec.json.format(
                msgspec.json.encode(deciding.contract_of(work, definition).schema()), indent=2
            ).decode(),
            "schema_address": f"{address}/v1/use-cases/{use_case}/schema",
            "outcome": outcome,
            "outcome_source": definition.use_case.sources[outcome.source],
            "live": releasing.live(work, use_case),
            "back": f"/use-cases/{use_case}/integrate",
            **keys_shown(work, use_case),
        },
    )


@post("/use-cases/{use_case:str}/versions", guards=[needs(Permission.RELEASE)], sync_to_thread=True)
def release_recommended(use_case: str, data: Asked, request: Request[Any, Any, Any], work: Workspace) -> Response[Any]:
    """Make a version of what the newest comparison recommends, and release it."""
    definition, by = defining.find_adopted(work, use_case), principal_of(request)
    comparison = modelling.latest_comparison(work, use_case)
    if comparison is None:
        raise EvidenceMissing(f"{use_case} has no comparison yet.", f"Run pilotage train {use_case} first.")
    try:
        releasing.demand_revision(work, use_case, data.revision)
        version = releasing.make_version(work, definition, comparison, comparison.recommended, by)
    except Conflict as refused:
        return shown(work, use_case, refused)
    return _released(work, definition, version, by, data)


@post(
    "/use-cases/{use_case:str}/versions/{number:int}/release", guards=[needs(Permission.RELEASE)], sync_to_thread=True
)
def release_version(
    use_case: str, number: int, data: Asked, request: Request[Any, Any, Any], work: Workspace
) -> Response[Any]:
    """Make an earlier version the live one."""
    definition = defining.find_adopted(work, use_case)
    version = releasing.version_number(work, use_case, number)
    return _released(work, definition, version, principal_of(request), data)


def _released(
    work: Workspace, definition: Definition, version: Version, by: Principal, asked: ReleaseForm
) -> Response[Any]:
    """The versions afterwards; where another change came first or the version does not fit, with what was refused."""
    try:
        flow.release(work, definition, version, by, asked.reason, asked.revision)
    except Conflict as refused:
        return shown(work, definition.name, refused)
    return Redirect(f"/use-cases/{definition.name}/versions", status_code=303)


def _row(work: Workspace, definition: Definition) -> dict[str, Any]:
    """One use case in the list; without figures and gates while they are counted for the first time."""
    live = releasing.live(work, definition.name)
    row: dict[str, Any] = {"definition": definition, "live": live, "found": None, "line": []}
    with suppress(StillCounting):
        results = flow.gates_to_show(work, definition)
        row["line"] = overview.line(results, live.stage, f"/use-cases/{definition.name}")
        row["found"] = lately.operation(work, definition)
    return row


def _home(work: Workspace, definition: Definition, refused: Conflict | GateClosed | None = None) -> Template:
    use_case, name = definition.use_case, definition.name
    live = releasing.live(work, name)
    try:
        with lately.page():
            found, (_, advantage) = lately.operation(work, definition), lately.worth(work, definition)
            results = flow.gates_to_show(work, definition)
    except StillCounting as counting:
        return counting_page(work, definition, "home", counting)
    home = f"/use-cases/{name}"
    return Template(
        "rollout/home.html",
        context={
            "page": {"use_case": name, "title": use_case.title, "active": "home"},
            "definition": definition,
            "live": live,
            "version": releasing.version(work, live.version).number if live.version else None,
            "back": home,
            "found": found,
            "counted_at": lately.counted_at(work, definition),
            "advantage": advantage,
            "answers_min": verdicts.ANSWERS_MIN,
            "safe": verdicts.still_safe(found, live, use_case),
            "worth": verdicts.still_worth_it(found, advantage),
            "results": results,
            "line": overview.line(results, live.stage, home),
            "blocked": overview.blocked(results, live.stage),
            "states": {each.gate: overview.state_of(each, live.stage) for each in results},
            "titles": overview.TITLES,
            "questions": overview.QUESTIONS,
            "places": overview.PAGES,
            "earlier": rules.previous_stage(live.stage),
            "refused": refused,
            **shown_of(work, name),
        },
        status_code=refused.status if refused else 200,
    )


PAGES = [use_cases_page, home_page, change_stage, integrate_page, disable_key, release_recommended, release_version]
