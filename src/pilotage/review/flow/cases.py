"""Opens cases, leases each to one person at a time, and takes the one verdict that counts."""

from __future__ import annotations

import sqlalchemy as sa

from pilotage.decisions import flow as deciding
from pilotage.decisions.records import Decision, Said
from pilotage.govern import flow as governing
from pilotage.govern.records import Principal
from pilotage.models import flow as modelling
from pilotage.platform.errors import Conflict, NotFound
from pilotage.platform.identifiers import new_id
from pilotage.platform.workspace import Workspace
from pilotage.review import store
from pilotage.review.records import Case, CaseReason, CaseState, Event, QueueCounts, Verdict
from pilotage.review.rules import cases as rules
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Definition, seconds

_PAGE = 500
_STORED: dict[str, tuple[CaseState, ...]] = {"open": ("open", "leased"), "leased": ("leased",)}


def open_case(work: Workspace, decision: Decision, why: CaseReason, note: str) -> Case:
    """Open a case about a decision; the one that it has already, if it has one.

    An uncertain decision has been waiting since it was taken, so its time runs from there.
    """
    at = decision.decided_at if why == "uncertain" else work.clock.now()
    case = rules.new_case(new_id("case", work.clock.now()), decision, why, note, at, _deadline(work, decision.use_case))
    with work.database.writing() as connection:
        if store.insert_case(connection, case):
            return case
        return store.case_of_decision(connection, decision.id) or case


def take_in(work: Workspace) -> int:
    """Open a case for every recorded decision that policy sends to a person; how many are new."""
    opened = 0
    while True:
        with work.database.reading() as connection:
            page = store.decisions_without_case(connection, _PAGE)
        opened += _open_new(work, page) if page else 0
        if len(page) < _PAGE:
            return opened


def queue(work: Workspace, use_case: str, state: str = "open", limit: int = 200) -> list[Case]:
    """Cases of a use case, the one due first at the top. 'open' are all undecided ones, also those being worked on."""
    take_in(work)
    with work.database.reading() as connection:
        return store.list_cases(connection, use_case, _STORED.get(state, (state,)), limit)


def counts(work: Workspace, use_case: str) -> QueueCounts:
    """How many cases wait, are being worked on, are late or decided."""
    with work.database.reading() as connection:
        return store.count_cases(connection, use_case, work.clock.now())


def find_case(work: Workspace, case_id: str) -> Case:
    """The case with this identifier.

    Raises:
        NotFound: there is none.
    """
    with work.database.reading() as connection:
        return _found(connection, case_id)


def history(work: Workspace, case_id: str) -> list[Event]:
    """Every step of a case, oldest first."""
    with work.database.reading() as connection:
        return store.events_of(connection, case_id)


def lease(work: Workspace, case_id: str, person: Principal) -> Case:
    """Take a case for five minutes. Whoever held it before, in another window too, can no longer submit.

    Raises:
        Conflict: somebody else is working on it, or it is decided.
        NotAllowed: this person escalated it.
    """
    now = work.clock.now()
    with work.database.writing() as connection:
        case = _found(connection, case_id)
        rules.refuse_self_review(person, store.escalated_by(connection, case.decision))
        if not store.take(connection, case_id, person.name, now, now + rules.LEASE):
            raise rules.why_not_leased(_found(connection, case_id), now)
        taken = _found(connection, case_id)
        store.insert_event(connection, Event(case_id, "leased", taken.fence, person.name, now, ""))
    return taken


def lease_next(work: Workspace, use_case: str, person: Principal) -> Case | None:
    """Take the case that is due first and free for this person; None when there is none."""
    take_in(work)
    with work.database.reading() as connection:
        free = store.free_cases(connection, use_case, person.name, work.clock.now(), _PAGE)
        mine = {
            case.id
            for case in free
            if case.why == "escalated"
            and rules.names_of(person) & {name.casefold() for name in store.escalated_by(connection, case.decision)}
        }
    for case in free:
        if case.id in mine:
            continue
        try:
            return lease(work, case.id, person)
        except Conflict:  # somebody was faster: the next one
            continue
    return None


def renew_lease(work: Workspace, case_id: str, fence: int, person: Principal) -> Case:
    """Keep a case for another five minutes from now.

    Raises:
        Conflict: the lease is over.
    """
    now = work.clock.now()
    with work.database.writing() as connection:
        if not store.extend(connection, case_id, fence, person.name, now, now + rules.LEASE):
            raise rules.why_not_submitted(_found(connection, case_id), fence, person, now)
        return _found(connection, case_id)


def release_lease(work: Workspace, case_id: str, fence: int, person: Principal) -> Case:
    """Give a case back undecided.

    Raises:
        Conflict: the lease is over.
    """
    now = work.clock.now()
    with work.database.writing() as connection:
        if not store.give_back(connection, case_id, fence, person.name, now):
            raise rules.why_not_submitted(_found(connection, case_id), fence, person, now)
        store.insert_event(connection, Event(case_id, "released", fence, person.name, now, ""))
        return _found(connection, case_id)


def categories(work: Workspace, definition: Definition, decision: Decision) -> tuple[str, ...]:
    """What a reviewer may correct a category to: all that are known, in order; none where the outcome is no category.

    Those of the newest comparison, of the policy, and of this decision.
    """
    if definition.use_case.kind != "category":
        return ()
    comparison, policy = modelling.latest_comparison(work, definition.name), definition.use_case.policy
    known = {*(comparison.classes if comparison else ()), *policy.actions, policy.default, *decision.shares}
    known |= {decision.answer, decision.model_answer, decision.rule_answer}
    return tuple(sorted(each for each in known if isinstance(each, str)))


def corrected(work: Workspace, case: Case, written: str) -> Said | None:
    """The answer that a reviewer wrote, as one of the outcome's kind; None where nothing was written.

    Raises:
        InvalidRequest: it is none.
    """
    definition, decision = defining.find(work, case.use_case), deciding.find(work, case.decision)
    return rules.read_answer(definition.use_case.kind, written, categories(work, definition, decision))


def submit(
    work: Workspace,
    case_id: str,
    fence: int,
    verdict: Verdict,
    corrected: Said | None,
    reason: str,
    person: Principal,
) -> Case:
    """Decide a case. Of all who try, one verdict counts, and it is in the audit log with it.

    Raises:
        InvalidRequest: the verdict does not say what it must.
        Conflict: too late, or decided already; nothing was changed.
        NotAllowed: this person escalated the case.
    """
    given = deciding.find(work, find_case(work, case_id).decision).answer
    answer = rules.answer_after(verdict, given, corrected, reason)
    now = work.clock.now()
    with work.database.writing() as connection:
        case = _found(connection, case_id)
        rules.refuse_self_review(person, store.escalated_by(connection, case.decision))
        if not store.decide(connection, case_id, fence, person.name, now, verdict, answer, reason.strip()):
            raise rules.why_not_submitted(_found(connection, case_id), fence, person, now)
        store.insert_event(connection, Event(case_id, "verdict", fence, person.name, now, verdict))
        detail = {
            "use_case": case.use_case,
            "decision": case.decision,
            "entity": case.entity,
            "given": given,
            "answer": answer,
            "reason": reason.strip(),
        }
        governing.record(connection, work, person, f"case.{verdict}", case_id, detail)
        return _found(connection, case_id)


def _found(connection: sa.Connection, case_id: str) -> Case:
    case = store.find_case(connection, case_id)
    if case is None:
        raise NotFound(f"There is no case {case_id}.", "Look at the queue of the use case.")
    return case


def _open_new(work: Workspace, decisions: list[Decision]) -> int:
    deadlines = {name: _deadline(work, name) for name in {decision.use_case for decision in decisions}}
    now = work.clock.now()
    with work.database.writing() as connection:
        return sum(
            store.insert_case(
                connection,
                rules.new_case(new_id("case", now), each, "uncertain", "", each.decided_at, deadlines[each.use_case]),
            )
            for each in decisions
        )


def _deadline(work: Workspace, use_case: str) -> int:
    return seconds(defining.find(work, use_case).use_case.review.deadline)
