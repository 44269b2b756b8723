"""Who may take a case, until when, and which verdicts count. Time only ever frees a case, it never decides one."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import get_args

from pilotage.decisions.records import Decision, Said
from pilotage.govern.records import Principal
from pilotage.platform.errors import Conflict, InvalidRequest, NotAllowed, Problem
from pilotage.platform.instants import iso
from pilotage.review.records import Case, CaseReason, CaseState, Verdict
from pilotage.usecase.records import OutcomeKind

LEASE = timedelta(minutes=5)
_NUMBER = re.compile(r"[-+]?\d{1,15}(\.\d{1,15})?")
DECIDED: frozenset[CaseState] = frozenset({"approved", "corrected", "rejected"})
NOTE_CHARACTERS_MAX = 2000


def new_case(
    identifier: str, decision: Decision, why: CaseReason, note: str, at: datetime, deadline_seconds: int
) -> Case:
    """A fresh case, open, due when the use case's review deadline has passed."""
    return Case(
        id=identifier,
        decision=decision.id,
        use_case=decision.use_case,
        entity=decision.entity,
        why=why,
        note=note,
        state="open",
        opened_at=at,
        due_at=at + timedelta(seconds=deadline_seconds),
        leased_to="",
        leased_until=None,
        fence=0,
        verdict_by="",
        verdict_at=None,
        verdict_answer=None,
        verdict_reason="",
    )


def state_at(case: Case, now: datetime) -> CaseState:
    """The state that counts: a case whose lease has ended is open again, whatever is stored."""
    if case.state == "leased" and (case.leased_until is None or case.leased_until <= now):
        return "open"
    return case.state


def overdue(case: Case, now: datetime) -> bool:
    """Whether nobody has decided in time. The case stays open: silence is not a verdict."""
    return case.state not in DECIDED and case.due_at <= now


def refuse_self_review(person: Principal, escalated_by: Collection[str]) -> None:
    """Whoever escalated a case may not also decide it.

    Raises:
        NotAllowed: this person did escalate it.
    """
    if names_of(person) & {name.casefold() for name in escalated_by}:
        raise NotAllowed(
            f"{person.name} escalated this case and cannot also decide it.", "Leave it to another reviewer."
        )


def names_of(person: Principal) -> set[str]:
    """What a person may be recorded as: a card names people as the app does, the console by their account."""
    return {person.id.casefold(), person.name.casefold()}


def why_not_leased(case: Case, now: datetime) -> Conflict:
    """The reason why a case could not be taken, in a sentence."""
    if case.state in DECIDED:
        return already_decided(case)
    until = iso(case.leased_until or now)[11:16]
    return Conflict(
        f"{case.leased_to} is working on case {case.id} until {until} UTC.", "Take another case from the queue."
    )


def why_not_submitted(case: Case, fence: int, person: Principal, now: datetime) -> Conflict:
    """The reason why a verdict came too late, in a sentence."""
    if case.state in DECIDED:
        return already_decided(case)
    if case.fence != fence or case.leased_to != person.name:
        lost = (
            f"{case.leased_to} has taken case {case.id} since" if case.leased_to else f"Case {case.id} was given back"
        )
        return Conflict(f"{lost}; this verdict was not counted.", "Take the next case from the queue.")
    ended = iso(case.leased_until or now)[11:16]
    return Conflict(
        f"Your time on case {case.id} ended at {ended} UTC; this verdict was not counted.",
        "Take the case again and decide it.",
    )


def already_decided(case: Case) -> Conflict:
    """Somebody was faster."""
    at = iso(case.verdict_at)[:16].replace("T", " ") if case.verdict_at else "before"
    return Conflict(
        f"Case {case.id} was already {case.state} by {case.verdict_by} at {at} UTC.",
        "Take the next case from the queue.",
    )


def answer_after(verdict: Verdict, given: Said | None, corrected: Said | None, reason: str) -> Said | None:
    """The answer that holds after a verdict: the given one, the corrected one, or none.

    Raises:
        InvalidRequest: the verdict does not say what it must; every mistake is named.
    """
    problems = [*_verdict_problems(verdict, given, corrected), *reason_problems(verdict, reason)]
    if problems:
        raise InvalidRequest("The verdict is not complete.", problems=problems)
    return {"approved": given, "corrected": corrected, "rejected": None}[verdict]


def read_answer(kind: OutcomeKind, written: str, categories: Collection[str]) -> Said | None:
    """What a reviewer wrote as the right answer: yes or no, one of the categories, a number; None for nothing.

    Raises:
        InvalidRequest: it is none of these.
    """
    text = written.strip()
    if not text:
        return None
    if kind == "flag" and text in ("yes", "no"):
        return text == "yes"
    if kind == "category" and text in categories:
        return text
    if kind == "number" and _NUMBER.fullmatch(text):
        return float(text)
    wanted = {"flag": "yes or no", "category": "one of the categories", "number": "a number such as 12.5"}[kind]
    raise InvalidRequest("The verdict is not complete.", problems=[Problem("answer", f"must be {wanted}.")])


def _verdict_problems(verdict: Verdict, given: Said | None, corrected: Said | None) -> list[Problem]:
    if verdict not in get_args(Verdict):
        return [Problem("verdict", f"must be approved, corrected or rejected (got {verdict!r}).")]
    if verdict == "approved" and given is None:
        return [Problem("verdict", "There is no answer to approve.", "Correct the case or reject it.")]
    if verdict == "corrected" and corrected is None:
        return [Problem("answer", "A correction must say what is right instead.")]
    if verdict == "corrected" and corrected == given:
        return [Problem("answer", "This is the answer already given.", "Approve it instead.")]
    return []


def reason_problems(verdict: Verdict, reason: str) -> list[Problem]:
    """A verdict against the given answer needs a reason; no reason is longer than its column."""
    if len(reason) > NOTE_CHARACTERS_MAX:
        return [Problem("reason", f"must be at most {NOTE_CHARACTERS_MAX} characters (got {len(reason)}).")]
    if verdict != "approved" and not reason.strip():
        return [Problem("reason", "must say why.", "Pick one from the list or write one.")]
    return []
