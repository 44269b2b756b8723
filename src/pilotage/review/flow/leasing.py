"""Gives each case to one person at a time, who keeps it while they look at it."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from pilotage.govern.records import Principal
from pilotage.platform.errors import Conflict, NotAllowed, NotFound
from pilotage.platform.workspace import Workspace
from pilotage.review import opinions_store, store
from pilotage.review.flow.identity import names_of
from pilotage.review.flow.intake import take_in
from pilotage.review.records import EVERYTHING_OPEN, Case, Event, Filter
from pilotage.review.rules import cases as rules
from pilotage.review.rules import verdicts
from pilotage.webhooks import flow as webhooks
from pilotage.webhooks.records import EventType, Told

_PAGE = 50


def lease(work: Workspace, case_id: str, person: Principal, from_oneself: bool = True) -> Case:
    """Take a case for five minutes. Whoever held it before, in another window too, can no longer submit.

    Unless it may be taken ``from_oneself``, one that this person holds already is left where it is.

    Raises:
        Conflict: somebody else is working on it, it is decided, or as many as are asked disagree.
        NotAllowed: this person escalated or judged it, or lacks the skill that it needs.
    """
    now = work.clock.now()
    with work.database.writing() as connection:
        case = found(connection, case_id)
        if case.state in rules.CLOSED:
            raise rules.why_not_leased(case, now)
        _refuse(connection, case, person)
        holder = person.name if from_oneself else ""
        if not store.take(connection, case_id, person.name, now, now + rules.LEASE, holder):
            raise rules.why_not_leased(found(connection, case_id), now)
        taken = found(connection, case_id)
        store.insert_event(connection, Event(case_id, "leased", taken.fence, person.name, now, ""))
        told = Told(EventType.CASE_ASSIGNED, case.use_case, case_id, now, {"use_case": case.use_case})
        webhooks.emit(connection, work, [told])
    return taken


def lease_next(
    work: Workspace, use_case: str, person: Principal, skip: str = "", wanted: Filter = EVERYTHING_OPEN
) -> Case | None:
    """Take the first case that is free for this person, one of their own before all others; None when there is none.

    ``skip`` is a case that they have just given back: it comes after all others. Of ``wanted`` the state does not
    count: only cases that wait are taken.
    """
    take_in(work, rounds=1)
    return _first(work, _free(work, use_case, person, skip, wanted), person)


def lease_ahead(
    work: Workspace,
    case_id: str,
    fence: int,
    person: Principal,
    begun: bool = False,
    wanted: Filter = EVERYTHING_OPEN,
) -> Case | None:
    """Take the case after the one that this person looks at, so that it can be shown at once; None when there is none.

    It is theirs like any other, and given back when they leave. One that they hold in another window is left there.
    ``begun`` says that the case itself was taken so, and that its time runs from now on. ``wanted`` as in
    :func:`lease_next`.

    Raises:
        Conflict: the lease of the case that they look at is over.
    """
    now = work.clock.now()
    with work.database.writing() as connection:
        case = found(connection, case_id)
        keep = store.begin if begun else store.extend
        if not keep(connection, case_id, fence, person.name, now, now + rules.LEASE):
            raise rules.why_not_submitted(case, fence, person, now)
    take_in(work, rounds=1)
    others = _free(work, case.use_case, person, case_id, wanted)
    free = (each for each in others if rules.state_at(each, now) == "open")
    return _first(work, (each for each in free if each.id != case_id), person, from_oneself=False)


def renew_lease(work: Workspace, case_id: str, fence: int, person: Principal) -> Case:
    """Keep a case for another five minutes from now.

    Raises:
        Conflict: the lease is over.
    """
    now = work.clock.now()
    with work.database.writing() as connection:
        if not store.extend(connection, case_id, fence, person.name, now, now + rules.LEASE):
            raise rules.why_not_submitted(found(connection, case_id), fence, person, now)
        return found(connection, case_id)


def release_lease(work: Workspace, case_id: str, fence: int, person: Principal) -> Case:
    """Give a case back undecided.

    Raises:
        Conflict: the lease is over.
    """
    now = work.clock.now()
    with work.database.writing() as connection:
        if not store.give_back(connection, case_id, fence, person.name, now):
            raise rules.why_not_submitted(found(connection, case_id), fence, person, now)
        store.insert_event(connection, Event(case_id, "released", fence, person.name, now, ""))
        return found(connection, case_id)


def found(connection: sa.Connection, case_id: str, lock: bool = False) -> Case:
    """The case with this identifier; with ``lock``, as nobody else changes it before this transaction ends.

    Raises:
        NotFound: there is none.
    """
    case = store.find_case(connection, case_id, lock)
    if case is None:
        raise NotFound(f"There is no case {case_id}.", "Look at the queue of the use case.")
    return case


def _first(work: Workspace, free: Iterator[Case], person: Principal, from_oneself: bool = True) -> Case | None:
    for case in free:
        try:
            return lease(work, case.id, person, from_oneself)
        except (Conflict, NotAllowed):  # somebody was faster, or it is not for this person: the next one
            continue
    return None


def _refuse(connection: sa.Connection, case: Case, person: Principal) -> None:
    judged = opinions_store.judged_by(connection, [case.id]).get(case.id, set())
    names, escalated_by = names_of(connection, person), store.escalated_by(connection, case.decision)
    rules.refuse_self_review(person, names, escalated_by, judged)
    if len(judged) >= verdicts.OPINIONS_MAX:
        raise rules.nobody_agrees(case, len(judged))
    skills = opinions_store.skills_of(connection, person.name, case.use_case)
    if case.skill and case.skill not in skills:
        raise NotAllowed(
            f"Case {case.id} needs the skill '{case.skill}', which {person.name} does not have.",
            "Take another case; whoever governs people gives skills.",
        )


def _free(work: Workspace, use_case: str, person: Principal, last: str, wanted: Filter) -> Iterator[Case]:
    """Cases that this person could take, in the order to look at them; pages are read as they are needed."""
    now = work.clock.now()
    with work.database.reading() as connection:
        leased = store.leased_cases(connection, use_case, wanted, now)
        skills = opinions_store.skills_of(connection, person.name, use_case)
        mine = names_of(connection, person)
    yield from (case for case in leased if case.leased_to == person.name and case.id != last)
    ended = [case for case in leased if case.leased_to != person.name and rules.state_at(case, now) == "open"]
    yield from (case for case in ended if case.id != last)
    yield from _open(work, use_case, mine, skills, last, wanted)
    yield from (case for case in [*leased, *_named(work, last)] if case.id == last)


def _named(work: Workspace, case_id: str) -> list[Case]:
    with work.database.reading() as connection:
        case = store.find_case(connection, case_id) if case_id else None
    return [case] if case is not None and case.state == "open" else []


def _open(
    work: Workspace, use_case: str, mine: rules.Names, skills: list[str], last: str, wanted: Filter
) -> Iterator[Case]:
    skip = 0
    while True:
        with work.database.reading() as connection:
            page = store.open_cases(connection, use_case, wanted, skills, work.clock.now(), _PAGE, skip)
            judged = opinions_store.judged_by(connection, [case.id for case in page])
        for case in page:
            by = judged.get(case.id, set())
            if case.id != last and len(by) < verdicts.OPINIONS_MAX and not rules.is_among(mine, by):
                yield case
        if len(page) < _PAGE:
            return
        skip += len(page)
