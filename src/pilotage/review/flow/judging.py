"""Takes opinions on cases, lets one of them count, and lets a reviewer take theirs back for a while."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from pilotage.decisions import flow as deciding
from pilotage.decisions import store as ledger
from pilotage.decisions.records import Said
from pilotage.govern import flow as governing
from pilotage.govern.records import Permission, Principal
from pilotage.govern.rules.permissions import allowed
from pilotage.platform.errors import Conflict, InvalidRequest
from pilotage.platform.identifiers import new_id
from pilotage.platform.workspace import Workspace
from pilotage.review import opinions_store, store
from pilotage.review.flow.identity import names_of
from pilotage.review.flow.intake import picker_of
from pilotage.review.flow.leasing import found
from pilotage.review.records import Case, Comment, Event, EventKind, Opinion, Verdict
from pilotage.review.rules import cases as rules
from pilotage.review.rules import verdicts
from pilotage.review.rules.viewing import hides_model

UNSEEN = "Judged without seeing the answer."
"""The reason of a correction by somebody who did not know that it is one."""


def submit(
    work: Workspace,
    case_id: str,
    fence: int,
    verdict: Verdict,
    corrected: Said | None,
    reason: str,
    person: Principal,
) -> Case:
    """Say what is right. Of all who try, one opinion counts in each round, and what it does is in the audit log.

    A verdict that comes after its lease is kept as a comment: nothing that somebody thought about is lost.

    Raises:
        InvalidRequest: the verdict does not say what it must, or judges an answer that is kept from reviewers.
        Conflict: too late, or decided already; it was kept as a comment.
        NotAllowed: this person escalated or judged the case.
    """
    with work.database.reading() as connection:
        case = found(connection, case_id)
    if hides_model(case) and verdict != "rejected":
        raise InvalidRequest("The verdict is not complete.", problems=[verdicts.JUDGED_BLIND])
    given = deciding.find(work, case.decision).answer
    return _submit(work, case_id, given, fence, verdict, corrected, reason, person)


def _submit(
    work: Workspace,
    case_id: str,
    given: Said | None,
    fence: int,
    verdict: Verdict,
    corrected: Said | None,
    reason: str,
    person: Principal,
) -> Case:
    answer = verdicts.answer_after(verdict, given, corrected, reason)
    try:
        return _counted(work, case_id, fence, verdict, answer, given, reason.strip(), person)
    except Conflict:
        _keep_late(work, case_id, verdict, answer, reason.strip(), person)
        raise


def judge(work: Workspace, case_id: str, fence: int, answer: Said, reason: str, person: Principal) -> Case:
    """Say what is right without having seen what was answered: that is an approval where both are the same.

    Raises:
        Conflict, NotAllowed: as :func:`submit`.
    """
    with work.database.reading() as connection:
        case = found(connection, case_id)
    given = deciding.find(work, case.decision).answer
    if answer == given:
        return _submit(work, case_id, given, fence, "approved", None, reason, person)
    return _submit(work, case_id, given, fence, "corrected", answer, reason.strip() or UNSEEN, person)


def undo(work: Workspace, case_id: str, person: Principal) -> Case:
    """Take back the newest opinion on a case, one's own and not long ago; the case is open again.

    What other systems were told is not unsaid: they are told that the case was opened again.

    Raises:
        Conflict: it is another's, too old, or the case has moved on.
    """
    now = work.clock.now()
    with work.database.writing() as connection:
        case = found(connection, case_id, lock=True)
        opinions = opinions_store.opinions_on(connection, case_id)
        seconds = picker_of(work, case.use_case).review.undo_seconds
        refusal = verdicts.why_not_undone(case, opinions, person.name, now, seconds)
        if refusal is not None:
            raise refusal
        newest = verdicts.standing(opinions)[-1]
        shown = case.state in rules.DECIDED
        if not (opinions_store.undo_opinion(connection, newest, now) and store.reopen(connection, case, shown)):
            raise Conflict(f"Case {case_id} has moved on since.", "Write a comment on the case.")
        store.insert_event(connection, Event(case_id, "undone", case.fence, person.name, now, ""))
        if shown:
            detail = {"use_case": case.use_case, "decision": case.decision, "was": newest.verdict}
            governing.record(connection, work, person, "case.reopened", case_id, detail)
        return found(connection, case_id)


def undoable(work: Workspace, case_id: str, person: Principal) -> Case | None:
    """The case that this person has just judged, while they can take that back; None where they cannot."""
    with work.database.reading() as connection:
        case = store.find_case(connection, case_id) if case_id else None
    if case is None or not allowed(person, Permission.REVIEW, case.use_case):
        return None
    seconds = picker_of(work, case.use_case).review.undo_seconds
    refusal = verdicts.why_not_undone(case, opinions_on(work, case_id), person.name, work.clock.now(), seconds)
    return None if refusal else case


def opinions_on(work: Workspace, case_id: str) -> list[Opinion]:
    """Every opinion on a case, also those taken back, in order."""
    with work.database.reading() as connection:
        return opinions_store.opinions_on(connection, case_id)


def judged_since(work: Workspace, use_case: str, since: datetime) -> list[tuple[Opinion, Case, Said | None]]:
    """Every standing opinion of a use case from an instant on, with its case and the answer that had been given."""
    with work.database.reading() as connection:
        opinions = opinions_store.opinions_since(connection, use_case, since)
        cases = store.find_cases(connection, sorted({each.case for each in opinions}))
        given = ledger.answers(connection, sorted({case.decision for case in cases.values()}))
    return [(each, cases[each.case], given.get(cases[each.case].decision)) for each in opinions if each.case in cases]


def _counted(
    work: Workspace,
    case_id: str,
    fence: int,
    verdict: Verdict,
    answer: Said | None,
    given: Said | None,
    reason: str,
    person: Principal,
) -> Case:
    now = work.clock.now()
    with work.database.writing() as connection:
        case = found(connection, case_id, lock=True)
        opinions = opinions_store.opinions_on(connection, case_id)
        if case.fence != fence or case.state != "leased":
            raise rules.why_not_submitted(case, fence, person, now)
        judged = [each.person for each in verdicts.standing(opinions)]
        names, escalated_by = names_of(connection, person), store.escalated_by(connection, case.decision)
        rules.refuse_self_review(person, names, escalated_by, judged)
        opinion = Opinion(
            case=case_id,
            round=case.round,
            use_case=case.use_case,
            person=person.name,
            verdict=verdict,
            answer=answer,
            reason=reason,
            blind=case.blind,
            seconds=(now - (case.leased_at or now)).total_seconds(),
            at=now,
        )
        settling = verdicts.settles([*opinions, opinion], case.wanted)
        move = store.ask_another if settling is None else store.settle
        if not move(connection, case, opinion):
            raise rules.why_not_submitted(found(connection, case_id), fence, person, now)
        opinions_store.insert_opinion(connection, opinion)
        kind: EventKind = "verdict" if settling else "opinion"
        store.insert_event(connection, Event(case_id, kind, fence, person.name, now, verdict if settling else ""))
        if settling is not None:
            _record(connection, work, person, case, opinion, given)
        return found(connection, case_id)


def _record(
    connection: sa.Connection, work: Workspace, person: Principal, case: Case, opinion: Opinion, given: Said | None
) -> None:
    detail: dict[str, Any] = {
        "use_case": case.use_case,
        "decision": case.decision,
        "entity": case.entity,
        "given": given,
        "answer": opinion.answer,
        "reason": opinion.reason,
    }
    governing.record(connection, work, person, f"case.{opinion.verdict}", case.id, detail)


def _keep_late(
    work: Workspace, case_id: str, verdict: Verdict, answer: Said | None, reason: str, person: Principal
) -> None:
    now = work.clock.now()
    said = verdict if answer is None else f"{verdict}: {_told(answer)}"
    text = f"{said}. {reason}" if reason else said
    comment = Comment(id=new_id("cmt", now), case=case_id, person=person.name, at=now, text=text, late=True)
    with work.database.writing() as connection:
        given = verdicts.standing(opinions_store.opinions_on(connection, case_id))
        if not given or given[-1].person != person.name:  # one who sends the same twice has not said anything more
            opinions_store.insert_comment(connection, comment)


def _told(answer: Said) -> str:
    return str(answer) if not isinstance(answer, bool) else "yes" if answer else "no"
