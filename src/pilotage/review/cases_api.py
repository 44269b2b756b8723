"""HTTP of the queue, for a team that builds its own: the same leases, fences, opinions and hiding as in the console."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from litestar import Request, delete, get, post, put
from litestar.params import Parameter
from msgspec import Meta, Struct
from msgspec.structs import asdict

from pilotage.decisions.records import Said
from pilotage.govern.guards import needs, principal_of
from pilotage.govern.records import Permission, Principal
from pilotage.govern.rules.permissions import allowed
from pilotage.platform.errors import InvalidRequest, NotFound
from pilotage.platform.workspace import Workspace
from pilotage.review import flow
from pilotage.review.records import (
    Case,
    CaseView,
    Comment,
    Event,
    Filter,
    Labels,
    QueueCounts,
    QueuedCase,
    QueueState,
    Verdict,
    View,
    Wanted,
)
from pilotage.review.rules import ordering, verdicts, viewing
from pilotage.review.rules import views as views_rules
from pilotage.review.rules.picking import meant
from pilotage.usecase import flow as defining
from pilotage.usecase.records import CaseReason

Name = Annotated[str, Meta(max_length=200)]
Line = Annotated[str, Meta(max_length=2_000)]
_REVIEWER, _GOVERN = [needs(Permission.REVIEW)], [needs(Permission.GOVERN)]


class Queue(Struct, frozen=True):
    """What waits: how much, and one page of it in the order to look at it, which ``order`` says in a sentence."""

    counts: QueueCounts
    cases: list[QueuedCase]
    order: str
    currency: str


class Reviewer(Struct, frozen=True, forbid_unknown_fields=True):
    """The person who acts, as the app knows them; a log-in of Pilotage needs no name."""

    person: Name = ""


class NextOf(Reviewer, frozen=True, forbid_unknown_fields=True):
    """Who acts, and of which cases they want the next; empty fields ask for nothing.

    ``skip`` is a case that they have just given back: it comes after all others.
    """

    why: CaseReason | None = None
    skill: Name = ""
    entity: Name = ""
    overdue: bool = False
    skip: Name = ""


class Held(Struct, frozen=True, forbid_unknown_fields=True):
    """Who acts, and the ``fence`` of the lease under which they do."""

    fence: int
    person: Name = ""


class SaidVerdict(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A verdict. Of a case whose answer is hidden there is no ``verdict``, only the ``answer`` that is right.

    ``answer`` is true or false, a category, or a number; with a correction, what is right instead.
    """

    fence: int
    person: Name = ""
    verdict: Verdict | None = None
    answer: bool | str | float | None = None
    reason: Line = ""


class SaidComment(Struct, frozen=True, forbid_unknown_fields=True):
    """A comment, and the address of what it is about."""

    text: str
    link: str = ""
    person: Name = ""


class CountedView(View, frozen=True, kw_only=True):
    """A view, and how many cases it lists; null where they would have to be read to be counted."""

    count: int | None


class NewView(Wanted, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Filters to keep under a name, for ``person`` or for all reviewers; ``show`` and the others as in the queue."""

    name: str
    person: Name = ""
    shared: bool = False


class ChangedView(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a view is called from now on, and whether all reviewers share it."""

    name: str
    person: Name = ""
    shared: bool = False


class Skills(Struct, frozen=True, forbid_unknown_fields=True):
    """What a reviewer can judge."""

    person: Name
    skills: list[Name]


@get("/v1/use-cases/{use_case:str}/cases", guards=_REVIEWER, sync_to_thread=True)
def list_cases(
    use_case: str,
    request: Request[Any, Any, Any],
    work: Workspace,
    show: QueueState = "open",
    why: CaseReason | None = None,
    skill: str = "",
    entity: str = "",
    person: Annotated[str, Parameter(max_length=200)] = "",
    overdue: bool = False,
    limit: Annotated[int, Parameter(ge=1, le=500)] = 50,
    offset: Annotated[int, Parameter(ge=0, le=1_000_000)] = 0,
) -> Queue:
    """The queue of a use case."""
    definition, wanted = defining.find(work, use_case), _filter(show, why, skill, entity, overdue)
    found = flow.queue(work, use_case, wanted, _named(request, person, required=False).name, limit, offset)
    stakes, file = flow.stakes(work, definition, found), definition.use_case
    listed = [QueuedCase(**asdict(viewing.as_listed(case)), at_stake=stakes.get(case.id)) for case in found]
    return Queue(flow.counts(work, use_case), listed, ordering.in_words(file), file.brief.value.currency)


@post("/v1/use-cases/{use_case:str}/cases/next", guards=_REVIEWER, sync_to_thread=True, status_code=200)
def take_next_case(use_case: str, data: NextOf, request: Request[Any, Any, Any], work: Workspace) -> CaseView | None:
    """Take the case to look at first, with its evidence; null where none is left for this person."""
    defining.find(work, use_case)
    person, wanted = _named(request, data.person), _filter("open", data.why, data.skill, data.entity, data.overdue)
    case = flow.lease_next(work, use_case, person, data.skip, wanted)
    return None if case is None else flow.look(work, case, person.name)


@get("/v1/use-cases/{use_case:str}/views", guards=_REVIEWER, sync_to_thread=True)
def list_views(
    use_case: str,
    request: Request[Any, Any, Any],
    work: Workspace,
    person: Annotated[str, Parameter(max_length=200)] = "",
) -> list[CountedView]:
    """The views that a person keeps of the queue, and those that all its reviewers share."""
    defining.find(work, use_case)
    found, waiting = flow.views(work, use_case, _named(request, person, required=False)), flow.waiting(work, use_case)
    return [CountedView(**asdict(view), count=views_rules.count_of(view, waiting)) for view in found]


@post("/v1/use-cases/{use_case:str}/views", guards=_REVIEWER, sync_to_thread=True)
def create_view(use_case: str, data: NewView, request: Request[Any, Any, Any], work: Workspace) -> View:
    """Keep filters of the queue under a name."""
    definition, person = defining.find(work, use_case), _named(request, data.person)
    return flow.keep_view(work, definition, data.name, data, data.shared, person)


@delete("/v1/use-cases/{use_case:str}/views/{view:str}", guards=_REVIEWER, sync_to_thread=True)
def delete_view(
    use_case: str,
    view: str,
    request: Request[Any, Any, Any],
    work: Workspace,
    person: Annotated[str, Parameter(max_length=200)] = "",
) -> None:
    """Keep a view no longer."""
    defining.find(work, use_case)
    flow.remove_view(work, use_case, view, _named(request, person, required=False))


@put("/v1/use-cases/{use_case:str}/views/{view:str}", guards=_REVIEWER, sync_to_thread=True)
def change_view(use_case: str, view: str, data: ChangedView, request: Request[Any, Any, Any], work: Workspace) -> View:
    """Rename a view, and share it or not."""
    defining.find(work, use_case)
    person = _named(request, data.person, required=False)
    return flow.change_view(work, use_case, view, data.name, data.shared, person)


@get("/v1/use-cases/{use_case:str}/reviewers", guards=_GOVERN, sync_to_thread=True)
def list_reviewers(use_case: str, work: Workspace) -> list[Skills]:
    """The people with an account here who may review, each with their skills."""
    defining.find(work, use_case)
    return _skilled(work, use_case)


@put("/v1/use-cases/{use_case:str}/reviewers", guards=_GOVERN, sync_to_thread=True)
def set_skills(use_case: str, data: Skills, request: Request[Any, Any, Any], work: Workspace) -> list[Skills]:
    """Replace a reviewer's skills; counts from the next case on."""
    flow.set_skills(work, principal_of(request), defining.find(work, use_case), data.person, data.skills)
    return _skilled(work, use_case)


@get("/v1/use-cases/{use_case:str}/labels", guards=_REVIEWER, sync_to_thread=True)
def list_labels(
    use_case: str,
    work: Workspace,
    since: datetime | None = None,
    cursor: str = "",
    limit: Annotated[int, Parameter(ge=1, le=10_000)] = 500,
) -> Labels:
    """What people found right, by pages, to be learnt from: a source of a use-case file may read it."""
    return flow.labels(work, use_case, since, cursor, limit)


@get("/v1/cases/{case_id:str}", guards=_REVIEWER, sync_to_thread=True)
def read_case(case_id: str, request: Request[Any, Any, Any], work: Workspace) -> CaseView:
    """One case with its evidence. Looking at it does not take it."""
    return flow.look(work, _case(request, work, case_id), _named(request, "", required=False).name)


@get("/v1/cases/{case_id:str}/history", guards=_REVIEWER, sync_to_thread=True)
def read_history(case_id: str, request: Request[Any, Any, Any], work: Workspace) -> list[Event]:
    """Every step of a case, oldest first."""
    case = _case(request, work, case_id)
    return [viewing.as_told(event) for event in flow.history(work, case.id)]


@post("/v1/cases/{case_id:str}/lease", guards=_REVIEWER, sync_to_thread=True, status_code=200)
def lease_case(case_id: str, data: Reviewer, request: Request[Any, Any, Any], work: Workspace) -> CaseView:
    """Take this case for five minutes."""
    case_id = _case(request, work, case_id).id  # whose it is comes before whether the request fits
    person = _named(request, data.person)
    case = flow.lease(work, case_id, person)
    return flow.look(work, case, person.name)


@post("/v1/cases/{case_id:str}/renew", guards=_REVIEWER, sync_to_thread=True, status_code=200)
def keep_case(case_id: str, data: Held, request: Request[Any, Any, Any], work: Workspace) -> Case:
    """Keep this case for another five minutes."""
    case = flow.renew_lease(work, _case(request, work, case_id).id, data.fence, _named(request, data.person))
    return viewing.as_listed(case)


@post("/v1/cases/{case_id:str}/release", guards=_REVIEWER, sync_to_thread=True, status_code=200)
def give_case_back(case_id: str, data: Held, request: Request[Any, Any, Any], work: Workspace) -> Case:
    """Give this case back undecided."""
    case = flow.release_lease(work, _case(request, work, case_id).id, data.fence, _named(request, data.person))
    return viewing.as_listed(case)


@post("/v1/cases/{case_id:str}/verdict", guards=_REVIEWER, sync_to_thread=True, status_code=200)
def say_verdict(case_id: str, data: SaidVerdict, request: Request[Any, Any, Any], work: Workspace) -> CaseView:
    """Say what is right."""
    case, person = _case(request, work, case_id), _named(request, data.person)
    if data.verdict is None:
        decided = flow.judge(work, case_id, data.fence, _right(work, case, data.answer), data.reason, person)
    else:
        says_right = data.verdict == "corrected" or (data.verdict == "approved" and data.answer is not None)
        answer = _right(work, case, data.answer) if says_right else None
        decided = flow.submit(work, case_id, data.fence, data.verdict, answer, data.reason, person)
    return flow.look(work, decided, person.name)


@post("/v1/cases/{case_id:str}/undo", guards=_REVIEWER, sync_to_thread=True, status_code=200)
def take_back(case_id: str, data: Reviewer, request: Request[Any, Any, Any], work: Workspace) -> Case:
    """Take back one's own newest verdict, not long after it."""
    return viewing.as_listed(flow.undo(work, _case(request, work, case_id).id, _named(request, data.person)))


@post("/v1/cases/{case_id:str}/comments", guards=_REVIEWER, sync_to_thread=True)
def add_comment(case_id: str, data: SaidComment, request: Request[Any, Any, Any], work: Workspace) -> Comment:
    """Write a comment beside the case."""
    case = _case(request, work, case_id)
    return flow.comment(work, case.id, data.text, data.link, _named(request, data.person))


def _filter(show: QueueState, why: CaseReason | None, skill: str, entity: str, overdue: bool) -> Filter:
    kinds = () if why is None else meant(why)
    return Filter(state=show, why=kinds, skill=skill, entity=entity.strip(), overdue=overdue)


def _skilled(work: Workspace, use_case: str) -> list[Skills]:
    return [Skills(person, skills) for person, skills in flow.reviewers(work, use_case).items()]


def _right(work: Workspace, case: Case, answer: Said | None) -> Said:
    kind = defining.find(work, case.use_case).use_case.kind
    if kind == "number" and isinstance(answer, (int, float)) and not isinstance(answer, bool):
        return float(answer)  # JSON has no numbers that are not finite
    if isinstance(answer, bool):
        answer = "yes" if answer else "no"
    right = flow.corrected(work, case, "" if answer is None else str(answer))
    if right is None:
        raise InvalidRequest("The verdict is not complete.", problems=[verdicts.NO_ANSWER])
    return right


def _case(request: Request[Any, Any, Any], work: Workspace, case_id: str) -> Case:
    case = flow.find_case(work, case_id)
    if not allowed(principal_of(request), Permission.REVIEW, case.use_case):
        raise NotFound(f"There is no case {case_id}.", "Look at the queue of the use case.")
    return case


def _named(request: Request[Any, Any, Any], person: str, required: bool = True) -> Principal:
    """Who acts: a key acts for the person that its app names, and is kept beside them."""
    caller, name = principal_of(request), person.strip()
    if caller.kind != "key":
        return caller
    if required and not name:
        raise InvalidRequest(
            "A key reviews for somebody, and the request does not say for whom.", 'Send "person": "their name".'
        )
    return Principal(id=f"{caller.id}:{name}", name=name, kind="person", grants=caller.grants)


ROUTES = [
    list_cases,
    list_views,
    create_view,
    change_view,
    delete_view,
    list_reviewers,
    set_skills,
    list_labels,
    take_next_case,
    read_case,
    read_history,
    lease_case,
    keep_case,
    give_case_back,
    say_verdict,
    take_back,
    add_comment,
]
