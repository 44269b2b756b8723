"""What time does to cases: it escalates them, and at last lets the way before hold. It never approves."""

from __future__ import annotations

from pilotage.decisions import flow as deciding
from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM
from pilotage.platform.workspace import Workspace
from pilotage.review import store
from pilotage.review.records import Case, Event

_PAGE = 200


def tend(work: Workspace) -> int:
    """Escalate the cases past their deadline, and let those lapse whose time to fall back has come; how many moved.

    A case that somebody is looking at does not lapse under their hands.
    """
    moved = 0
    while True:
        now = work.clock.now()
        with work.database.reading() as connection:
            page = store.due_cases(connection, now, _PAGE)
        step = sum(_lapse(work, case) if case.falls_back_at <= now else _escalate(work, case) for case in page)
        moved += step
        if len(page) < _PAGE or not step:
            return moved


def _escalate(work: Workspace, case: Case) -> bool:
    now = work.clock.now()
    with work.database.writing() as connection:
        if not store.mark_escalated(connection, case.id, now):
            return False
        store.insert_event(connection, Event(case.id, "escalated", case.fence, "", now, "past its deadline"))
        detail = {"use_case": case.use_case, "decision": case.decision, "entity": case.entity, "why": case.why}
        governing.record(connection, work, SYSTEM, "case.overdue", case.id, detail)
    return True


def _lapse(work: Workspace, case: Case) -> bool:
    now = work.clock.now()
    rule = deciding.find(work, case.decision).rule_answer
    with work.database.writing() as connection:
        if not store.lapse(connection, case, rule, now):
            return False
        store.insert_event(connection, Event(case.id, "lapsed", case.fence, "", now, "the way before holds"))
        detail = {"use_case": case.use_case, "decision": case.decision, "entity": case.entity, "answer": rule}
        governing.record(connection, work, SYSTEM, "case.lapsed", case.id, detail)
    return True
