"""Console page of a queue: what waits, through filters, which reviewers keep as views."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Response, Template
from msgspec import Struct

from pilotage.govern.guards import needs, principal_of
from pilotage.govern.records import Permission, Principal
from pilotage.platform.errors import Conflict, InvalidRequest, PilotageError
from pilotage.platform.workspace import Workspace
from pilotage.review import flow
from pilotage.review.records import Filter, Wanted
from pilotage.review.rules import cases as rules
from pilotage.review.rules import ordering, viewing
from pilotage.review.rules import views as views_rules
from pilotage.usecase import flow as defining

_REVIEWER = [needs(Permission.REVIEW)]
_ROWS = 50
_BY_KEY = 9


class ViewForm(Wanted, frozen=True, kw_only=True):
    """The filters to keep, their name, and whether all reviewers get them."""

    name: str
    shared: bool = False


class ChangeForm(Struct, frozen=True):
    """The name of a view, and whether all reviewers get it."""

    name: str
    shared: bool = False


@get("/use-cases/{use_case:str}/queue", guards=_REVIEWER, sync_to_thread=True)
def queue_page(
    use_case: str,
    request: Request[Any, Any, Any],
    work: Workspace,
    done: bool = False,
    judged: str = "",
    show: str = "open",
    why: str = "",
    skill: str = "",
    entity: str = "",
    overdue: bool = False,
    page: int = 1,
) -> Template:
    """What waits, since when, and the button to start."""
    asked = Wanted(show=show, why=why, skill=skill, entity=entity, overdue=overdue)
    return _queue_template(work, use_case, principal_of(request), asked, max(1, page), done, judged)


@post("/use-cases/{use_case:str}/queue/views", guards=_REVIEWER, sync_to_thread=True)
def keep_view(
    use_case: str,
    data: Annotated[ViewForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
    request: Request[Any, Any, Any],
    work: Workspace,
) -> Response[Any]:
    """Keep what the queue is filtered by under a name."""
    person, definition = principal_of(request), defining.find_adopted(work, use_case)
    try:
        flow.keep_view(work, definition, data.name, data, data.shared, person)
    except (InvalidRequest, Conflict) as error:
        return _queue_template(work, use_case, person, data, error=error, name=data.name)
    return Redirect(_address(use_case, data), status_code=303)


@post("/use-cases/{use_case:str}/queue/views/{view:str}", guards=_REVIEWER, sync_to_thread=True)
def change_view(
    use_case: str,
    view: str,
    data: Annotated[ChangeForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
    request: Request[Any, Any, Any],
    work: Workspace,
) -> Response[Any]:
    """Rename a view, and share it or not."""
    person = principal_of(request)
    try:
        changed = flow.change_view(work, use_case, view, data.name, data.shared, person)
    except (InvalidRequest, Conflict) as error:
        return _queue_template(work, use_case, person, Wanted(), error=error)
    return Redirect(_address(use_case, changed), status_code=303)


@post("/use-cases/{use_case:str}/queue/views/{view:str}/remove", guards=_REVIEWER, sync_to_thread=True)
def remove_view(use_case: str, view: str, request: Request[Any, Any, Any], work: Workspace) -> Redirect:
    """Keep a view no longer."""
    flow.remove_view(work, use_case, view, principal_of(request))
    return Redirect(f"/use-cases/{use_case}/queue", status_code=303)


def _queue_template(
    work: Workspace,
    use_case: str,
    person: Principal,
    asked: Wanted,
    number: int = 1,
    done: bool = False,
    judged: str = "",
    error: PilotageError | None = None,
    name: str = "",
) -> Template:
    definition = defining.find_adopted(work, use_case)
    now = work.clock.now()
    try:
        wanted = views_rules.filter_of(asked)
    except InvalidRequest:
        if error is None:
            raise
        asked, wanted = Wanted(), Filter()  # a form that asked for what there is not; its error says so
    cases = flow.queue(work, use_case, wanted, person.name, _ROWS + 1, (number - 1) * _ROWS)
    waiting = flow.waiting(work, use_case)
    stakes, currency = flow.stakes(work, definition, cases[:_ROWS]), definition.use_case.brief.value.currency
    context = {
        "page": {"use_case": use_case, "title": definition.use_case.title, "active": "queue"},
        "definition": definition,
        "cases": [
            {
                "case": each,
                "why": viewing.WHY[each.why],
                "at_stake": viewing.money(stakes[each.id], currency) if each.id in stakes else "",
                "note": "" if viewing.hides_model(each) else each.note,
                "state": rules.state_at(each, now),
                "late": rules.overdue(each, now),
            }
            for each in cases[:_ROWS]
        ],
        "shows_stakes": definition.use_case.review.at_stake is not None,
        "order": ordering.in_words(definition.use_case),
        "counts": flow.counts(work, use_case),
        "kinds": {why: every for why, (every, _) in waiting.items()},
        "names": {each: viewing.WHY[each] for each in views_rules.SHOWN},
        "skills": tuple(definition.use_case.review.skills),
        "wanted": wanted,
        "asked": asked,
        "is_filtered": wanted != Filter(),
        "number": number,
        "more": len(cases) > _ROWS,
        "before": _address(use_case, asked, number - 1),
        "after": _address(use_case, asked, number + 1),
        "query": views_rules.address_of("", asked) if wanted.state == "open" else "",
        "me": person.name,
        "done": done,
        "judged": flow.undoable(work, judged, person),
        "now": now,
        "error": error,
        "name": name,
        **_views(work, use_case, person, wanted, waiting),
    }
    return Template("review/queue.html", context=context, status_code=error.status if error else 200)


def _views(work: Workspace, use_case: str, person: Principal, wanted: Filter, waiting: Any) -> dict[str, Any]:
    """The views above the queue: the one that is open, their counts and keys, and what this person may do with each."""
    may_share = flow.may_share(person, use_case)
    shown = [
        {
            "view": view,
            "address": _address(use_case, view),
            "count": views_rules.count_of(view, waiting),
            "key": str(place) if place <= _BY_KEY else "",
            "is_open": views_rules.filter_of(view) == wanted,
            "may_change": may_share or (view.person == person.name and not view.shared),
        }
        for place, view in enumerate(flow.views(work, use_case, person), 1)
    ]
    return {
        "views": shown,
        "view_open": next((each["view"] for each in shown if each["is_open"]), None),
        "may_share": may_share,
    }


def _address(use_case: str, wanted: Wanted, page: int = 1) -> str:
    more = {"page": str(page)} if page > 1 else {}
    return views_rules.address_of(f"/use-cases/{use_case}/queue", wanted, **more)


PAGES: list[Any] = [queue_page, keep_view, change_view, remove_view]
