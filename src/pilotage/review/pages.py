"""Console pages of review: the queue of a use case, and one case with its evidence and its form."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from litestar import Request, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Response, Template
from msgspec import Struct

from pilotage.data.flow import contracting
from pilotage.decisions import flow as deciding
from pilotage.decisions.kinds import action_of, told
from pilotage.decisions.parity.sighting import personal_columns
from pilotage.decisions.records import REASONS
from pilotage.decisions.rules import inputs_in_words
from pilotage.govern.guards import needs, principal_of
from pilotage.govern.records import Permission, Principal
from pilotage.govern.rules.permissions import allowed
from pilotage.platform.errors import InvalidRequest, NotFound
from pilotage.platform.instants import iso
from pilotage.platform.workspace import Workspace
from pilotage.review import flow
from pilotage.review.records import Case, Verdict
from pilotage.review.rules import cases as rules
from pilotage.review.rules import words
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Definition

_REVIEWER = [needs(Permission.REVIEW)]


class LeaseForm(Struct, frozen=True):
    """The lease a form was made under."""

    fence: int


class VerdictForm(Struct, frozen=True, kw_only=True):
    """What the reviewer's form says. ``answer`` is what it should have been: yes or no, a category, a number, or empty.

    ``other`` is a reason in their own words.
    """

    fence: int
    verdict: Verdict
    answer: str = ""
    reason: str = ""
    other: str = ""


@get("/use-cases/{use_case:str}/queue", guards=_REVIEWER, sync_to_thread=True)
def queue_page(use_case: str, request: Request[Any, Any, Any], work: Workspace, done: bool = False) -> Template:
    """What waits, since when, and the button to start."""
    definition = defining.find_adopted(work, use_case)
    now = work.clock.now()
    cases = flow.queue(work, use_case)
    context = {
        "page": {"use_case": use_case, "title": definition.use_case.title, "active": "queue"},
        "definition": definition,
        "cases": [
            {"case": each, "state": rules.state_at(each, now), "late": rules.overdue(each, now)} for each in cases
        ],
        "counts": flow.counts(work, use_case),
        "me": principal_of(request).name,
        "done": done,
        "now": now,
    }
    return Template("review/queue.html", context=context)


@post("/use-cases/{use_case:str}/queue/next", guards=_REVIEWER, sync_to_thread=True)
def take_next(use_case: str, request: Request[Any, Any, Any], work: Workspace) -> Redirect:
    """Take the case that is due first."""
    return _to_next(work, use_case, principal_of(request))


@get("/queue/cases/{case_id:str}", guards=_REVIEWER, sync_to_thread=True)
def case_page(case_id: str, request: Request[Any, Any, Any], work: Workspace) -> Template:
    """One case: evidence left, form right. Looking at it does not take it."""
    person = principal_of(request)
    case = _case(work, case_id, person)
    return _case_template(work, case, person)


@post("/queue/cases/{case_id:str}/take", guards=_REVIEWER, sync_to_thread=True)
def take_case(case_id: str, request: Request[Any, Any, Any], work: Workspace) -> Redirect:
    """Take this case."""
    person = principal_of(request)
    flow.lease(work, _case(work, case_id, person).id, person)
    return Redirect(f"/queue/cases/{case_id}", status_code=303)


@post("/queue/cases/{case_id:str}/release", guards=_REVIEWER, sync_to_thread=True)
def release_case(
    case_id: str,
    data: Annotated[LeaseForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
    request: Request[Any, Any, Any],
    work: Workspace,
) -> Redirect:
    """Give this case back undecided."""
    person = principal_of(request)
    case = _case(work, case_id, person)
    flow.release_lease(work, case.id, data.fence, person)
    return Redirect(f"/use-cases/{case.use_case}/queue", status_code=303)


@post("/queue/cases/{case_id:str}/renew", guards=_REVIEWER, sync_to_thread=True, status_code=200)
def renew_case(
    case_id: str,
    data: Annotated[LeaseForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
    request: Request[Any, Any, Any],
    work: Workspace,
) -> dict[str, str]:
    """Keep this case: the page asks every minute while it is looked at."""
    person = principal_of(request)
    case = flow.renew_lease(work, _case(work, case_id, person).id, data.fence, person)
    return {"leased_until": iso(case.leased_until) if case.leased_until else ""}


@post("/queue/cases/{case_id:str}/verdict", guards=_REVIEWER, sync_to_thread=True)
def submit_verdict(
    case_id: str,
    data: Annotated[VerdictForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
    request: Request[Any, Any, Any],
    work: Workspace,
) -> Response[Any]:
    """Decide this case and go to the next; an incomplete form comes back with what it lacks."""
    person = principal_of(request)
    case = _case(work, case_id, person)
    reason = data.other.strip() or data.reason
    try:
        answer = flow.corrected(work, case, data.answer) if data.verdict == "corrected" else None
        flow.submit(work, case_id, data.fence, data.verdict, answer, reason, person)
    except InvalidRequest as error:
        return _case_template(work, case, person, error, data)
    return _to_next(work, case.use_case, person)


def _to_next(work: Workspace, use_case: str, person: Principal) -> Redirect:
    case = flow.lease_next(work, use_case, person)
    return Redirect(f"/queue/cases/{case.id}" if case else f"/use-cases/{use_case}/queue?done=true", status_code=303)


def _case(work: Workspace, case_id: str, person: Principal) -> Case:
    case = flow.find_case(work, case_id)
    if not allowed(person, Permission.REVIEW, case.use_case):
        raise NotFound(f"There is no case {case_id}.", "Look at the queue of the use case.")
    return case


def _case_template(
    work: Workspace,
    case: Case,
    person: Principal,
    error: InvalidRequest | None = None,
    form: VerdictForm | None = None,
) -> Template:
    definition = defining.find(work, case.use_case)
    decision = deciding.find(work, case.decision)
    now = work.clock.now()
    state = rules.state_at(case, now)
    personal = personal_columns(definition, contracting.current(work, definition.name))
    context = {
        "page": _page(definition, case),
        "case": case,
        "state": state,
        "mine": state == "leased" and case.leased_to == person.name,
        "late": rules.overdue(case, now),
        "decision": decision,
        "file": definition.use_case,
        "because": REASONS.get(decision.reason, ""),
        "inputs": inputs_in_words(definition.plan, decision, personal),
        "view": words.view(decision, definition.use_case, "en"),
        "rule": words.rule(decision.rule_answer, definition.use_case, "en"),
        "said": partial(told, definition.use_case),
        "action": partial(action_of, definition.use_case),
        "categories": flow.categories(work, definition, decision),
        "band": words.band(decision.band, "en"),
        "feedback": flow.feedback_on(work, decision.id),
        "history": flow.history(work, case.id),
        "error": error,
        "form": form or VerdictForm(fence=case.fence, verdict="approved"),
    }
    return Template("review/case.html", context=context, status_code=422 if error else 200)


def _page(definition: Definition, case: Case) -> dict[str, Any]:
    queue = f"/use-cases/{case.use_case}/queue"
    crumbs = [("Queue", queue), (case.entity, f"/queue/cases/{case.id}")]
    return {"use_case": case.use_case, "title": definition.use_case.title, "active": "queue", "crumbs": crumbs}


PAGES = [queue_page, take_next, case_page, take_case, release_case, renew_case, submit_verdict]
