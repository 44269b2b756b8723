"""Opens cases for what comes into the ledger, as each use case's file says, each decision once and none missed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec
import structlog

from pilotage.decisions import store as ledger
from pilotage.decisions.records import Decision
from pilotage.govern import flow as governing
from pilotage.govern.records import AuditEntry
from pilotage.platform.errors import NotFound, in_short
from pilotage.platform.identifiers import new_id
from pilotage.platform.workspace import Workspace
from pilotage.review import opinions_store, store
from pilotage.review.records import Case
from pilotage.review.rules import cases as rules
from pilotage.review.rules import picking
from pilotage.usecase import flow as defining
from pilotage.usecase.records import CaseReason

_RECORDED = ("decisions.recorded",)
_ENTRIES_AT_ONCE = 200
_ROUNDS = 1_000
_READ_AT_ONCE = 1_000
_HELD = 10_000
"""Decisions whose identifiers are held at once, but for a single batch that has more."""
log = structlog.get_logger()


def take_in(work: Workspace, rounds: int = _ROUNDS) -> int:
    """Open a case for every decision recorded since the last look that the file sends to a person; how many are new.

    The ledger is followed by the audit log, whose entries are numbered in the order of their commits: a decision that
    is drained days after it was taken is met when it is drained. It goes on later where more than ``rounds`` times
    200 entries wait.
    """
    opened = 0
    for _ in range(rounds):
        with work.database.reading() as connection:
            after = opinions_store.cursor_at(connection)
            last = governing.last_number(connection)
            upto = min(last, after + _ENTRIES_AT_ONCE)
            entries = governing.deeds_between(connection, after, upto, _RECORDED) if upto > after else []
        for use_case, batches in _by_use_case(entries):
            opened += _open_of(work, use_case, batches)
        if upto > after:
            with work.database.writing() as connection:
                opinions_store.move_cursor(connection, upto)
        if upto >= last:
            break
    return opened


def drawn_blind(work: Workspace, use_case: str, ids: Sequence[str]) -> set[str]:
    """Which of these decisions are of the share that people judge blind, where they come to be judged."""
    share = defining.find_adopted(work, use_case).use_case.review.samples.blind
    return {each for each in ids if picking.drawn(each, "sample") < share}


def open_case(work: Workspace, decision: Decision, because: CaseReason, note: str) -> Case:
    """Open a case about a decision; the one that it has already, if it has one.

    An uncertain decision has been waiting since it was taken, so its time runs from there.
    """
    case = case_about(work, decision, because, note, picker_of(work, decision.use_case))
    with work.database.writing() as connection:
        if store.insert_case(connection, case):
            return case
        return store.case_of_decision(connection, decision.id) or case


def case_about(work: Workspace, decision: Decision, because: CaseReason, note: str, by: picking.Picker) -> Case:
    """A new case about a decision, which nobody has opened yet."""
    now = work.clock.now()
    at = now if because in ("escalated", "known") else decision.decided_at
    return rules.new_case(new_id("case", now), decision, because, note, at, fitting(decision, by))


def fitting(decision: Decision, by: picking.Picker) -> picking.Picker:
    """What the file says of reviewing, without its conditions where they cannot be asked of this decision."""
    try:
        picking.reasons(decision, by)
        picking.skill(decision.inputs, by)
    except picking.UNFIT as error:
        log.warning("review_condition_unfit", decision=decision.id, error=in_short(error))
        return msgspec.structs.replace(by, high_risk=None, high_value=None, skills=())
    return by


def picker_of(work: Workspace, use_case: str) -> picking.Picker:
    """What the adopted file of a use case says of reviewing.

    Raises:
        NotFound: there is no such use case.
    """
    return picking.picker(defining.find(work, use_case))


def _by_use_case(entries: Sequence[AuditEntry]) -> Iterator[tuple[str, list[str]]]:
    """The batches that each use case's decisions came in; of large ones, as a file's, some at a time."""
    found: dict[str, list[str]] = {}
    held: Counter[str] = Counter()
    for entry in entries:
        count = int(entry.detail.get("decisions", 0))
        if held[entry.subject] and held[entry.subject] + count > _HELD:
            yield entry.subject, found.pop(entry.subject)
            held[entry.subject] = 0
        found.setdefault(entry.subject, []).append(str(entry.detail.get("batch", "")))
        held[entry.subject] += count
    yield from found.items()


def _open_of(work: Workspace, use_case: str, batches: Sequence[str]) -> int:
    try:
        by = picker_of(work, use_case)
    except NotFound:  # nobody has adopted its file here: there is no policy to ask
        return 0
    with work.database.reading() as connection:
        came = store.came_with(connection, batches)
    drawn = [name for name, review in came if picking.could_be(name, review, by)]
    return sum(
        _open_some(work, drawn[start : start + _READ_AT_ONCE], by) for start in range(0, len(drawn), _READ_AT_ONCE)
    )


def _open_some(work: Workspace, names: Sequence[str], by: picking.Picker) -> int:
    with work.database.reading() as connection:
        read = ledger.find_all(connection, names)
    found = [case for decision in read if (case := _case_of(work, decision, by)) is not None]
    if not found:
        return 0
    with work.database.writing() as connection:
        return store.insert_cases(connection, found)


def _case_of(work: Workspace, decision: Decision, by: picking.Picker) -> Case | None:
    """The case that the file makes of a decision. One that a condition cannot be asked of is none by that condition."""
    by = fitting(decision, by)
    because = picking.why(decision, by)
    return None if because is None else case_about(work, decision, because, "", by)
