"""Keeps what people say about a decision. Overrides and escalations are deeds and go to the audit log."""

from __future__ import annotations

from datetime import datetime

import msgspec
import sqlalchemy as sa

from pilotage.decisions.records import Decision
from pilotage.govern import flow as governing
from pilotage.govern.records import Principal
from pilotage.platform.errors import Conflict, NotFound
from pilotage.platform.identifiers import new_id
from pilotage.platform.workspace import Workspace
from pilotage.review import store
from pilotage.review.flow.intake import case_about, fitting, picker_of
from pilotage.review.records import Event, Feedback, FeedbackKind
from pilotage.review.rules import cases as case_rules
from pilotage.review.rules import feedback as rules
from pilotage.review.rules import picking
from pilotage.review.rules.cards import is_silent
from pilotage.webhooks import flow as webhooks
from pilotage.webhooks.records import EventType, Told


def give_feedback(
    work: Workspace, decision: Decision, kind: str, reason: str, person: Principal, at: datetime, named: str = ""
) -> Feedback:
    """Keep one thing said about a decision. 'shown' is kept once per person; 'escalate' opens a case.

    What is told again under the identifier ``named`` is kept once, too.

    Raises:
        InvalidRequest: an unknown kind, or a reason that is missing or too long.
        Conflict: escalated after a reviewer decided.
    """
    checked = rules.check(kind, reason)
    given = Feedback(
        id=_identifier(checked, decision, person, at, named),
        decision=decision.id,
        use_case=decision.use_case,
        entity=decision.entity,
        kind=checked,
        reason=reason.strip(),
        person=person.name,
        at=at,
    )
    with work.database.writing() as connection:
        if checked == "escalate":
            governing.take_turn(connection)  # nobody withdraws the case meanwhile
        if not store.insert_feedback(connection, given):
            return store.find_feedback(connection, given.id) or given
        if checked == "escalate":
            _escalate(connection, work, decision, given)
        if checked in {"override", "escalate"}:
            detail = {"use_case": decision.use_case, "entity": decision.entity, "reason": given.reason}
            governing.record(connection, work, person, f"decision.{_DEEDS[checked]}", decision.id, detail)
        if checked != "shown":
            said = {"use_case": decision.use_case, "decision": decision.id, "kind": checked}
            told = Told(EventType.FEEDBACK_GIVEN, decision.use_case, given.id, given.at, said)
            webhooks.emit(connection, work, [told])
    return given


def take_back(work: Workspace, decision: Decision, feedback_id: str, person: Principal) -> Feedback:
    """Take back what one said oneself a moment ago: it stays, marked. A case that one asked for is closed with it,
    unless somebody has taken it, others asked too, or policy would have opened it anyway.

    Raises:
        NotFound: nobody said this about the decision.
        Conflict: it is another's, too old, or taken back already.
    """
    now = work.clock.now()
    picker = picker_of(work, decision.use_case)
    with work.database.writing() as connection:
        governing.take_turn(connection)  # nobody escalates meanwhile
        given = store.find_feedback(connection, feedback_id)
        if given is None or given.decision != decision.id or given.kind == "shown":
            raise NotFound(f"There is no feedback {feedback_id} on this decision.", "Use the id that came back.")
        refusal = rules.why_not_taken_back(given, person.name, now, picker.review.undo_seconds)
        if refusal is not None:
            raise refusal
        if not store.undo_feedback(connection, given.id, now):
            raise rules.taken_back_already(given)
        closed = given.kind == "escalate" and _withdraw(connection, decision, picker, now)
        detail = {"use_case": decision.use_case, "entity": decision.entity, "feedback": given.id, "kind": given.kind}
        governing.record(connection, work, person, "decision.taken_back", decision.id, detail)
        said = {"use_case": decision.use_case, "decision": decision.id, "kind": given.kind, "case_closed": closed}
        told = Told(EventType.FEEDBACK_TAKEN_BACK, decision.use_case, given.id, now, said)
        webhooks.emit(connection, work, [told])
        return msgspec.structs.replace(given, undone_at=now)


def _withdraw(connection: sa.Connection, decision: Decision, by: picking.Picker, now: datetime) -> bool:
    others = [each for each in store.feedback_on(connection, decision.id) if each.kind == "escalate"]
    case = store.case_of_decision(connection, decision.id)
    if case is None or any(each.undone_at is None for each in others) or picking.why(decision, fitting(decision, by)):
        return False
    if not store.withdraw(connection, case.id):
        return False
    store.insert_event(connection, Event(case.id, "withdrawn", case.fence, "", now, "the request was taken back"))
    return True


def app_feedback(
    work: Workspace, decision: Decision, kind: str, reason: str, person: str, caller: Principal, named: str = ""
) -> Feedback:
    """Keep what a person said in an app that shows answers in its own way; the app vouches for the name.

    As on the card, nobody is kept to have seen what was not to be shown. What the rule answered there may be judged.

    Raises:
        InvalidRequest, Conflict: as :func:`give_feedback`; or it was to be shown to nobody.
    """
    rules.check(kind, reason)
    if kind == "shown" and is_silent(decision):
        raise Conflict(
            f"Decision {decision.id} was taken where nothing of the model is shown (stage {decision.stage}, arm "
            f"{decision.arm}): that somebody saw it was not kept.",
            "Show what the model answers, and tell that it was shown, from stage assist on.",
        )
    speaker = Principal(id=f"{caller.id}:{person}", name=person, kind="card")
    return give_feedback(work, decision, kind, reason, speaker, work.clock.now(), named)


def feedback_on(work: Workspace, decision: str) -> list[Feedback]:
    """Everything said about a decision, oldest first."""
    with work.database.reading() as connection:
        return store.feedback_on(connection, decision)


_DEEDS = {"override": "overridden", "escalate": "escalated"}


def _identifier(kind: FeedbackKind, decision: Decision, person: Principal, at: datetime, named: str) -> str:
    return rules.exposure_id(decision.id, person.name) if kind == "shown" else named or new_id("fbk", at)


def _escalate(connection: sa.Connection, work: Workspace, decision: Decision, given: Feedback) -> None:
    case = case_about(work, decision, "escalated", given.reason, picker_of(work, decision.use_case))
    if store.insert_case(connection, case):
        return
    known = store.case_of_decision(connection, decision.id)
    if known is None:
        return
    again = msgspec.structs.replace(case, id=known.id)
    if known.state in {"lapsed", "withdrawn"} and store.ask_again(connection, again):
        return
    if known.state in case_rules.CLOSED:
        raise case_rules.already_decided(known)
    store.heed(connection, case_rules.escalated(known, case))
