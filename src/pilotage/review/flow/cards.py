"""Fills the card in somebody's app and takes what they do on it, within what the card's token allows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from pilotage.decisions import flow as deciding
from pilotage.decisions.records import Decision
from pilotage.govern import flow as governing
from pilotage.govern.records import CardToken, Principal
from pilotage.platform.errors import Conflict, InvalidRequest, NotAllowed, NotFound, Problem
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.review import store
from pilotage.review.flow.feedback import give_feedback, take_back
from pilotage.review.flow.intake import fitting
from pilotage.review.records import Card, Feedback, Given, Language
from pilotage.review.rules import cards as rules
from pilotage.review.rules import feedback as feedback_rules
from pilotage.review.rules import picking
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Definition
from pilotage.usecase.rules import expressions

TOKEN_LIFE = timedelta(minutes=5)


def mint_token(
    work: Workspace, use_case: str, entity: str, origin: str, person: str, actions: Sequence[str]
) -> tuple[str, CardToken]:
    """A token for one card: this use case, this entity's newest decision, this origin, five minutes.

    Raises:
        NotFound: nothing was decided about the entity yet.
        InvalidRequest: the origin is none.
    """
    decision = deciding.newest_for(work, use_case, entity)
    if decision is None:
        raise _nothing_decided(use_case, entity)
    bound = CardToken(
        use_case=use_case,
        entity=entity,
        decision=decision.id,
        origin=feedback_rules.check_origin(origin),
        person=person,
        actions=feedback_rules.check_actions(actions),
        expires_at=work.clock.now() + TOKEN_LIFE,
    )
    token = governing.mint_card_token(
        work,
        use_case=use_case,
        entity=entity,
        decision=decision.id,
        origin=bound.origin,
        person=person,
        actions=bound.actions,
        minutes=TOKEN_LIFE.total_seconds() / 60,
    )
    return token, bound


def card(work: Workspace, token: CardToken, language: Language) -> Card:
    """What the card shows now."""
    decision = _asked_decision(work, token)
    return rules.card_of(
        decision, _situation(work, decision), defining.find(work, token.use_case).use_case, token.actions, language
    )


def card_feedback(work: Workspace, token: CardToken, shown: str, kind: str, reason: str, at: datetime) -> Given:
    """Take what a person did on a card. ``shown`` is the decision that it showed; empty is the token's own.

    Raises:
        NotAllowed: the token does not carry this action, or that decision is about another entity.
        Conflict: the card does not offer it in its present state.
    """
    decision = _shown_decision(work, token, shown)
    feedback_rules.check(kind, reason)
    state = rules.state_of(decision, _situation(work, decision))
    if kind != "shown" and kind not in token.actions:
        raise NotAllowed(f"This card may not {kind}.", "Ask the app's owner for a token with that action.")
    if not rules.offers(state, kind):
        raise Conflict(f"'{kind}' is not possible on this card any more.", "Reload the page.")
    given = give_feedback(work, decision, kind, reason, _bearer(token), at)
    seconds = 0 if kind == "shown" else defining.find(work, token.use_case).use_case.review.undo_seconds
    return Given(**msgspec.structs.asdict(given), undo_seconds=seconds)


def take_back_on_card(work: Workspace, token: CardToken, feedback_id: str) -> Feedback:
    """Take back what the card's person did on it a moment ago.

    Raises:
        NotFound, NotAllowed, Conflict: as :func:`pilotage.review.flow.feedback.take_back`, or it is of another entity.
    """
    with work.database.reading() as connection:
        given = store.find_feedback(connection, feedback_id)
    if given is None:
        raise NotFound(f"There is no feedback {feedback_id} on this card.", "Use the id that came back.")
    return take_back(work, _shown_decision(work, token, given.decision), feedback_id, _bearer(token))


def _bearer(token: CardToken) -> Principal:
    return Principal(id=f"card:{token.person}", name=token.person, kind="card")


def _asked_decision(work: Workspace, token: CardToken) -> Decision:
    """The decision that a card shows: the token's, or where it names none the newest about its entity."""
    if token.decision:
        return _shown_decision(work, token, token.decision)
    decision = deciding.newest_for(work, token.use_case, token.entity)
    if decision is None:
        raise _nothing_decided(token.use_case, token.entity)
    return decision


def _nothing_decided(use_case: str, entity: str) -> NotFound:
    return NotFound(
        f"Nothing was decided about '{entity}' in {use_case} yet.",
        f"Ask first: POST /v1/use-cases/{use_case}/decisions.",
    )


def _shown_decision(work: Workspace, token: CardToken, shown: str) -> Decision:
    """The decision that a card showed, if it is about the token's entity: a token is never good for another one."""
    if not (shown or token.decision):
        raise InvalidRequest(
            "The feedback does not fit.", problems=[Problem("decision", "must name the decision that the card shows.")]
        )
    try:
        decision = deciding.find(work, shown or token.decision)
    except NotFound:  # whether there is such a decision elsewhere is not for a card to learn
        raise NotAllowed("This card's token does not belong to its decision.", "Reload the page.") from None
    if (decision.use_case, decision.entity) != (token.use_case, token.entity):
        raise NotAllowed("This card's token does not belong to its decision.", "Reload the page.")
    return decision


def _situation(work: Workspace, decision: Decision) -> rules.Situation:
    live, definition = releasing.live(work, decision.use_case), defining.find(work, decision.use_case)
    with work.database.reading() as connection:
        case = store.case_of_decision(connection, decision.id)
        said = [] if case is None else store.feedback_on(connection, decision.id)
    is_escalated = any(each.kind == "escalate" and each.undone_at is None for each in said)
    if case is not None and ((case.why == "known" and not is_escalated) or case.state == "withdrawn"):
        case = None  # a known one shows how well people look, and changes nothing
    by = fitting(decision, picking.picker(definition))
    return rules.Situation(
        case=case,
        stage=live.stage,
        enabled=live.enabled,
        missing=_missing(definition, decision),
        columns=definition.plan.columns,
        needs_person=is_escalated or not rules.HELD_BACK.isdisjoint(picking.reasons(decision, by)),
    )


def _missing(definition: Definition, decision: Decision) -> tuple[str, ...]:
    """The columns that the rule needs and that are unknown, in the words of the use-case file."""
    needed = expressions.columns_of(definition.use_case.rule.expression)
    return tuple(
        column.says or column.name.replace("_", " ")
        for column in definition.plan.columns
        if column.name in needed and decision.inputs.get(column.name) is None
    )
