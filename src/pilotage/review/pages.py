"""Console pages of review: one case with its evidence and its form, and what leads from one to the next."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any, get_args

from litestar import Request, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Response, Template
from msgspec import Struct

from pilotage.govern.guards import needs, principal_of
from pilotage.govern.records import Permission, Principal
from pilotage.govern.rules.permissions import allowed
from pilotage.platform.errors import Conflict, InvalidRequest, NotFound
from pilotage.platform.instants import iso
from pilotage.platform.workspace import Workspace
from pilotage.review import flow
from pilotage.review.records import Case, Verdict, Wanted
from pilotage.review.rules import cases as rules
from pilotage.review.rules import verdicts, viewing, views
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Definition

_REVIEWER = [needs(Permission.REVIEW)]


class LeaseForm(Struct, frozen=True):
    """The lease a form was made under. ``stay``: the page shows the next case already, and wants no other."""

    fence: int
    stay: bool = False


class AheadForm(Struct, frozen=True):
    """The lease of the case that is shown; ``begun`` where it was leased ahead, and is looked at from now on."""

    fence: int
    begun: bool = False


class UndoForm(Struct, frozen=True):
    """The case that is shown, to be given back for the one whose verdict is taken back, and the fence of its lease."""

    instead: str = ""
    fence: int = 0


class VerdictForm(Struct, frozen=True, kw_only=True):
    """What the reviewer's form says. ``answer`` is what it should have been: yes or no, a category, a number, or empty.

    ``other`` is a reason in their own words; ``blind`` stands for the verdict of somebody who saw no answer, nothing
    for Enter in a field. ``otherwise`` is what a correction means where there is nothing to choose from. ``stay`` as in
    :class:`LeaseForm`.
    """

    fence: int
    verdict: str = ""
    answer: str = ""
    otherwise: str = ""
    reason: str = ""
    other: str = ""
    stay: bool = False


class CommentForm(Struct, frozen=True):
    """A comment, and the address of what it is about."""

    text: str
    link: str = ""


@post("/use-cases/{use_case:str}/queue/next", guards=_REVIEWER, sync_to_thread=True)
def take_next(use_case: str, request: Request[Any, Any, Any], work: Workspace) -> Redirect:
    """Take the case to look at first."""
    return _to_next(work, use_case, principal_of(request), _wanted(request))


@get("/queue/cases/{case_id:str}", guards=_REVIEWER, sync_to_thread=True)
def case_page(case_id: str, request: Request[Any, Any, Any], work: Workspace, judged: str = "") -> Template:
    """One case: evidence left, form right. Looking at it does not take it."""
    person = principal_of(request)
    return _case_template(work, _case(work, case_id, person), person, _wanted(request), judged=judged)


@post("/queue/cases/{case_id:str}/take", guards=_REVIEWER, sync_to_thread=True)
def take_case(case_id: str, request: Request[Any, Any, Any], work: Workspace) -> Redirect:
    """Take this case."""
    person = principal_of(request)
    flow.lease(work, _case(work, case_id, person).id, person)
    return Redirect(_address(case_id, _wanted(request)), status_code=303)


@post("/queue/cases/{case_id:str}/release", guards=_REVIEWER, sync_to_thread=True)
def release_case(
    case_id: str,
    data: Annotated[LeaseForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
    request: Request[Any, Any, Any],
    work: Workspace,
) -> Response[Any]:
    """Give this case back undecided."""
    person = principal_of(request)
    case = _case(work, case_id, person)
    flow.release_lease(work, case.id, data.fence, person)
    if data.stay:
        return _nothing()
    return Redirect(_queue(case.use_case, _wanted(request)), status_code=303)


@post("/queue/cases/{case_id:str}/skip", guards=_REVIEWER, sync_to_thread=True)
def skip_case(
    case_id: str,
    data: Annotated[LeaseForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
    request: Request[Any, Any, Any],
    work: Workspace,
) -> Response[Any]:
    """Give this case back undecided and take the next."""
    person = principal_of(request)
    case = _case(work, case_id, person)
    flow.release_lease(work, case.id, data.fence, person)
    if data.stay:
        return _nothing()
    return _to_next(work, case.use_case, person, _wanted(request), skipped=case.id)


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
    if data.stay:
        _submit(work, case, data, person)
        return _nothing()
    try:
        _submit(work, case, data, person)
    except InvalidRequest as error:
        return _case_template(work, case, person, _wanted(request), error, data)
    return _to_next(work, case.use_case, person, _wanted(request), case_id)


def _submit(work: Workspace, case: Case, data: VerdictForm, person: Principal) -> None:
    verdict, reason = data.verdict or _meant(case, data), data.other.strip() or data.reason
    if verdict == "blind":
        answer = flow.corrected(work, case, data.answer)
        if answer is None:
            raise InvalidRequest("The verdict is not complete.", problems=[verdicts.NO_ANSWER])
        flow.judge(work, case.id, data.fence, answer, reason, person)
        return
    if verdict not in get_args(Verdict):
        raise InvalidRequest(f"There is no verdict {verdict!r}.", f"Known: {', '.join(get_args(Verdict))}.")
    said = "" if verdict == "rejected" else data.answer or (data.otherwise if verdict == "corrected" else "")
    flow.submit(work, case.id, data.fence, verdict, flow.corrected(work, case, said), reason, person)  # type: ignore[arg-type]


def _meant(case: Case, data: VerdictForm) -> str:
    """The verdict of a form that was sent by Enter in a field, without a script: the answer that stands in it."""
    if not data.answer.strip():
        raise InvalidRequest("The verdict is not complete.", problems=[verdicts.NO_VERDICT])
    return "blind" if viewing.hides_model(case) else "corrected"


@post("/queue/cases/{case_id:str}/ahead", guards=_REVIEWER, sync_to_thread=True, status_code=200)
def prepare_next(
    case_id: str,
    data: Annotated[AheadForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
    request: Request[Any, Any, Any],
    work: Workspace,
) -> Response[Any]:
    """Take the case after this one, for the page to have it ready: as it will be shown once this one is judged."""
    person = principal_of(request)
    case = _case(work, case_id, person)
    wanted = _wanted(request)
    following = flow.lease_ahead(work, case.id, data.fence, person, data.begun, views.filter_of(wanted))
    return _nothing() if following is None else _case_template(work, following, person, wanted, after=case)


@post("/queue/cases/{case_id:str}/undo", guards=_REVIEWER, sync_to_thread=True)
def undo_verdict(
    case_id: str,
    data: Annotated[UndoForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
    request: Request[Any, Any, Any],
    work: Workspace,
) -> Redirect:
    """Take back one's own verdict, and the case with it."""
    person = principal_of(request)
    case = flow.undo(work, _case(work, case_id, person).id, person)
    if data.instead:
        with suppress(Conflict, NotFound):  # its lease had ended: it is free already
            flow.release_lease(work, _case(work, data.instead, person).id, data.fence, person)
    flow.lease(work, case.id, person)
    return Redirect(_address(case_id, _wanted(request)), status_code=303)


@post("/queue/cases/{case_id:str}/comments", guards=_REVIEWER, sync_to_thread=True)
def comment_on_case(
    case_id: str,
    data: Annotated[CommentForm, Body(media_type=RequestEncodingType.URL_ENCODED)],
    request: Request[Any, Any, Any],
    work: Workspace,
) -> Response[Any]:
    """Write a comment beside the case."""
    person = principal_of(request)
    case = _case(work, case_id, person)
    try:
        flow.comment(work, case.id, data.text, data.link, person)
    except InvalidRequest as error:
        return _case_template(work, case, person, _wanted(request), error)
    return Redirect(f"{_address(case_id, _wanted(request))}#comments", status_code=303)


def _nothing() -> Response[Any]:
    return Response(None, status_code=204)


def _to_next(
    work: Workspace, use_case: str, person: Principal, wanted: Wanted, judged: str = "", skipped: str = ""
) -> Redirect:
    case = flow.lease_next(work, use_case, person, skipped, views.filter_of(wanted))
    if case is None:
        return Redirect(_queue(use_case, wanted, done="true", judged=judged), status_code=303)
    return Redirect(_address(case.id, wanted, judged=judged), status_code=303)


def _wanted(request: Request[Any, Any, Any]) -> Wanted:
    """Which cases the reviewer works through: the address says it, from each case to the next."""
    asked = request.query_params
    return Wanted(
        why=asked.get("why", ""),
        skill=asked.get("skill", ""),
        entity=asked.get("entity", ""),
        overdue=asked.get("overdue") == "true",
    )


def _address(case_id: str, wanted: Wanted, **more: str) -> str:
    return views.address_of(f"/queue/cases/{case_id}", wanted, **more)


def _queue(use_case: str, wanted: Wanted, **more: str) -> str:
    return views.address_of(f"/use-cases/{use_case}/queue", wanted, **more)


def _case(work: Workspace, case_id: str, person: Principal) -> Case:
    case = flow.find_case(work, case_id)
    if not allowed(person, Permission.REVIEW, case.use_case):
        raise NotFound(f"There is no case {case_id}.", "Look at the queue of the use case.")
    return case


def _case_template(
    work: Workspace,
    case: Case,
    person: Principal,
    wanted: Wanted,
    error: InvalidRequest | None = None,
    form: VerdictForm | None = None,
    judged: str = "",
    after: Case | None = None,
) -> Template:
    """``after``: the case that this person looks at before this one, and has not judged yet."""
    definition = defining.find(work, case.use_case)
    undone = flow.undoable(work, judged, person)
    if after is not None and definition.use_case.review.undo_seconds:
        undone = after
    view = flow.look(work, case, person.name)
    now = work.clock.now()
    state = rules.state_at(case, now)
    context = {
        "page": _page(definition, case, wanted),
        "query": views.address_of("", wanted),
        "case": view.case,
        "decision": "" if viewing.hides_model(case) else case.decision,
        "view": view,
        "why": viewing.WHY[case.why],
        "at_stake": "" if view.at_stake is None else viewing.money(view.at_stake, view.currency),
        "hidden": viewing.hides_model(case),
        "closed": state in rules.CLOSED,
        "state": state,
        "mine": state == "leased" and case.leased_to == person.name,
        "late": rules.overdue(case, now),
        "nobody_agrees": case.wanted > 1 and verdicts.is_disputed(flow.opinions_on(work, case.id)),
        "file": definition.use_case,
        "verdict_words": viewing.in_words(definition.use_case, case.verdict_answer),
        "history": [viewing.as_told(event) for event in flow.history(work, case.id)],
        "judged": undone,
        "may_undo": flow.undoable(work, case.id, person) if state in rules.DECIDED else None,
        "error": error,
        "form": form or VerdictForm(fence=case.fence),
    }
    return Template("review/case.html", context=context, status_code=422 if error else 200)


def _page(definition: Definition, case: Case, wanted: Wanted) -> dict[str, Any]:
    crumbs = [("Queue", _queue(case.use_case, wanted)), (case.entity, _address(case.id, wanted))]
    return {"use_case": case.use_case, "title": definition.use_case.title, "active": "queue", "crumbs": crumbs}


PAGES = [
    take_next,
    case_page,
    take_case,
    release_case,
    skip_case,
    renew_case,
    prepare_next,
    submit_verdict,
    undo_verdict,
    comment_on_case,
]
