"""Who may take a case, until when, and which verdicts count. Time only ever frees a case, it never decides one."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from msgspec.structs import replace

from pilotage.decisions.records import Decision
from pilotage.govern.records import Principal
from pilotage.govern.rules.names import likeness
from pilotage.platform.errors import Conflict, NotAllowed
from pilotage.platform.instants import iso
from pilotage.review.records import Case, CaseState
from pilotage.review.rules import ordering
from pilotage.review.rules.picking import BLIND, Picker, amount, skill, wanted
from pilotage.usecase.records import CaseReason, seconds

Names = frozenset[str]
"""Everything that would be taken for one person (:func:`pilotage.govern.rules.names.likeness`)."""
LEASE = timedelta(minutes=5)
DECIDED: frozenset[CaseState] = frozenset({"approved", "corrected", "rejected"})
CLOSED: frozenset[CaseState] = DECIDED | {"lapsed", "withdrawn"}


def new_case(identifier: str, decision: Decision, because: CaseReason, note: str, at: datetime, by: Picker) -> Case:
    """A fresh case, open, due after the file's deadline, for whom and by how many the file says."""
    blind, at_stake = because in BLIND, amount(decision.inputs, by)
    times = None if at_stake is None else at_stake / by.usual
    return Case(
        id=identifier,
        decision=decision.id,
        use_case=decision.use_case,
        entity=decision.entity,
        why=because,
        note=note,
        state="open",
        opened_at=at,
        due_at=at + timedelta(seconds=seconds(by.review.deadline)),
        falls_back_at=at + timedelta(seconds=seconds(by.review.falls_back)),
        rank=ordering.rank(decision, because, blind, at.timestamp(), times),
        wanted=wanted(decision, because, by),
        blind=blind,
        skill=skill(decision.inputs, by),
    )


def escalated(known: Case, asked: Case) -> Case:
    """A case that waits already, now that somebody asked for a person: with their note, no later, by as many people.

    One that is judged blind keeps its place, which the model would move.
    """
    rank = known.rank if known.blind else min(known.rank, asked.rank)
    return replace(known, note=known.note or asked.note, wanted=max(known.wanted, asked.wanted), rank=rank)


def state_at(case: Case, now: datetime) -> CaseState:
    """The state that counts: a case whose lease has ended is open again, whatever is stored."""
    if case.state == "leased" and (case.leased_until is None or case.leased_until <= now):
        return "open"
    return case.state


def overdue(case: Case, now: datetime) -> bool:
    """Whether nobody has decided in time. The case stays open: silence is not a verdict."""
    return case.state not in CLOSED and case.due_at <= now


def refuse_self_review(
    person: Principal, names: Names, escalated_by: Collection[str], judged_by: Collection[str] = ()
) -> None:
    """Whoever escalated a case may not also decide it, and nobody judges a case twice, by whichever of their names.

    Raises:
        NotAllowed: this person did escalate or judge it.
    """
    if is_among(names, judged_by):
        raise NotAllowed(
            f"{person.name} has judged this case already; it needs another person's opinion.",
            "Leave it to another reviewer.",
        )
    if is_among(names, escalated_by):
        raise NotAllowed(
            f"{person.name} escalated this case and cannot also decide it.", "Leave it to another reviewer."
        )


def names_like(*names: str) -> Names:
    """What a person may be recorded as: a card names people as the app does, the console by their account.

    Names that would be taken for each other are one, as among accounts: two apps need not write a name alike.
    """
    return frozenset[str]().union(*(likeness(name) for name in names))


def is_among(names: Names, people: Collection[str]) -> bool:
    """Whether a person of these names is one of the people who were recorded."""
    return any(names & likeness(each) for each in people)


def why_not_leased(case: Case, now: datetime) -> Conflict:
    """The reason why a case could not be taken, in a sentence."""
    if case.state in CLOSED:
        return already_decided(case)
    until = iso(case.leased_until or now)[11:16]
    return Conflict(
        f"{case.leased_to} is working on case {case.id} until {until} UTC.", "Take another case from the queue."
    )


def nobody_agrees(case: Case, people: int) -> Conflict:
    """As many as are asked have judged, and no two say the same."""
    at = iso(case.falls_back_at)[:16].replace("T", " ")
    return Conflict(
        f"{people} people have judged case {case.id} and no two agree; from {at} UTC the way before holds.",
        "Take another case from the queue.",
    )


def why_not_submitted(case: Case, fence: int, person: Principal, now: datetime) -> Conflict:
    """The reason why a verdict came too late, in a sentence."""
    if case.state in CLOSED:
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
    """Somebody was faster, or time was."""
    if case.state == "lapsed":
        return Conflict(
            f"Nobody decided case {case.id} in time; the way before holds.", "Take the next case from the queue."
        )
    if case.state == "withdrawn":
        return Conflict(f"Whoever asked for case {case.id} has taken that back.", "Take the next case from the queue.")
    at = iso(case.verdict_at)[:16].replace("T", " ") if case.verdict_at else "before"
    return Conflict(
        f"Case {case.id} was already {case.state} by {case.verdict_by} at {at} UTC.",
        "Take the next case from the queue.",
    )
