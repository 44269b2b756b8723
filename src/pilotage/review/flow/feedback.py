"""Keeps what people say about a decision. Overrides and escalations are deeds and go to the audit log."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from pilotage.decisions.records import Decision
from pilotage.govern import flow as governing
from pilotage.govern.records import Principal
from pilotage.platform.identifiers import new_id
from pilotage.platform.workspace import Workspace
from pilotage.review import store
from pilotage.review.records import Feedback, FeedbackKind
from pilotage.review.rules import cases as case_rules
from pilotage.review.rules import feedback as rules
from pilotage.usecase import flow as defining
from pilotage.usecase.records import seconds
from pilotage.webhooks import flow as webhooks
from pilotage.webhooks.records import EventType, Told


def give_feedback(
    work: Workspace, decision: Decision, kind: str, reason: str, person: Principal, at: datetime
) -> Feedback:
    """Keep one thing said about a decision. 'shown' is kept once per person; 'escalate' opens a case.

    Raises:
        InvalidRequest: an unknown kind, or a reason that is missing or too long.
        Conflict: escalated after a reviewer decided.
    """
    checked = rules.check(kind, reason)
    given = Feedback(
        id=_identifier(checked, decision, person, at),
        decision=decision.id,
        use_case=decision.use_case,
        entity=decision.entity,
        kind=checked,
        reason=reason.strip(),
        person=person.name,
        at=at,
    )
    deadline = seconds(defining.find(work, decision.use_case).use_case.review.deadline) if kind == "escalate" else 0
    with work.database.writing() as connection:
        if not store.insert_feedback(connection, given):
            return store.find_feedback(connection, given.id) or given
        if checked == "escalate":
            _escalate(connection, decision, given, deadline)
        if checked in {"override", "escalate"}:
            detail = {"use_case": decision.use_case, "entity": decision.entity, "reason": given.reason}
            governing.record(connection, work, person, f"decision.{_DEEDS[checked]}", decision.id, detail)
        if checked != "shown":
            said = {"use_case": decision.use_case, "decision": decision.id, "kind": checked}
            told = Told(EventType.FEEDBACK_GIVEN, decision.use_case, given.id, given.at, said)
            webhooks.emit(connection, work, [told])
    return given


def app_feedback(
    work: Workspace, decision: Decision, kind: str, reason: str, person: str, caller: Principal
) -> Feedback:
    """Keep what a person said in an app that shows answers in its own way; the app vouches for the name.

    Raises:
        InvalidRequest, Conflict: as :func:`give_feedback`.
    """
    speaker = Principal(id=f"{caller.id}:{person}", name=person, kind="card")
    return give_feedback(work, decision, kind, reason, speaker, work.clock.now())


def feedback_on(work: Workspace, decision: str) -> list[Feedback]:
    """Everything said about a decision, oldest first."""
    with work.database.reading() as connection:
        return store.feedback_on(connection, decision)


_DEEDS = {"override": "overridden", "escalate": "escalated"}


def _identifier(kind: FeedbackKind, decision: Decision, person: Principal, at: datetime) -> str:
    return rules.exposure_id(decision.id, person.name) if kind == "shown" else new_id("fbk", at)


def _escalate(connection: sa.Connection, decision: Decision, given: Feedback, deadline_seconds: int) -> None:
    case = case_rules.new_case(
        new_id("case", given.at), decision, "escalated", given.reason, given.at, deadline_seconds
    )
    if store.insert_case(connection, case):
        return
    known = store.case_of_decision(connection, decision.id)
    if known is not None and known.state in case_rules.DECIDED:
        raise case_rules.already_decided(known)
