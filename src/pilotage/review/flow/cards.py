"""Fills the card in somebody's app and takes what they do on it, within what the card's token allows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from pilotage.decisions import flow as deciding
from pilotage.decisions.records import Decision
from pilotage.govern import flow as governing
from pilotage.govern.records import CardToken, Principal
from pilotage.platform.errors import Conflict, NotAllowed, NotFound
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.review import store
from pilotage.review.flow.feedback import give_feedback
from pilotage.review.records import Card, Feedback, Language
from pilotage.review.rules import cards as rules
from pilotage.review.rules import feedback as feedback_rules
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
        raise NotFound(
            f"Nothing was decided about '{entity}' in {use_case} yet.",
            f"Ask first: POST /v1/use-cases/{use_case}/decisions.",
        )
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
    decision = _bound_decision(work, token)
    return rules.card_of(
        decision, _situation(work, decision), defining.find(work, token.use_case).use_case, token.actions, language
    )


def card_feedback(work: Workspace, token: CardToken, kind: str, reason: str, at: datetime) -> Feedback:
    """Take what a person did on a card.

    Raises:
        NotAllowed: the token does not carry this action.
        Conflict: the card does not offer it in its present state.
    """
    decision = _bound_decision(work, token)
    feedback_rules.check(kind, reason)
    state = rules.state_of(decision, _situation(work, decision))
    if kind != "shown" and kind not in token.actions:
        raise NotAllowed(f"This card may not {kind}.", "Ask the app's owner for a token with that action.")
    if not rules.offers(state, kind):
        raise Conflict(f"'{kind}' is not possible on this card any more.", "Reload the page.")
    person = Principal(id=f"card:{token.person}", name=token.person, kind="card")
    return give_feedback(work, decision, kind, reason, person, at)


def _bound_decision(work: Workspace, token: CardToken) -> Decision:
    """The token's decision, if it is about the token's entity: a token is never good for another one."""
    decision = deciding.find(work, token.decision)
    if (decision.use_case, decision.entity) != (token.use_case, token.entity):
        raise NotAllowed("This card's token does not belong to its decision.", "Reload the page.")
    return decision


def _situation(work: Workspace, decision: Decision) -> rules.Situation:
    live = releasing.live(work, decision.use_case)
    with work.database.reading() as connection:
        case = store.case_of_decision(connection, decision.id)
    definition = defining.find(work, decision.use_case)
    return rules.Situation(case, live.stage, live.enabled, _missing(definition, decision))


def _missing(definition: Definition, decision: Decision) -> tuple[str, ...]:
    """The columns that the rule needs and that are unknown, in the words of the use-case file."""
    needed = expressions.columns_of(definition.use_case.rule.expression)
    return tuple(
        column.says or column.name.replace("_", " ")
        for column in definition.plan.columns
        if column.name in needed and decision.inputs.get(column.name) is None
    )
