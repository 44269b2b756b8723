"""What a reviewer gets to see of a case: of a blind one nothing of the model before it is closed."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec.structs import replace

from pilotage.decisions.kinds import action_of, told
from pilotage.decisions.records import REASONS, Decision, Said
from pilotage.decisions.rules import inputs_in_words
from pilotage.review.records import Case, CaseView, Comment, Event, Feedback, Input, ModelView, Opinion
from pilotage.review.rules import cases, picking, words
from pilotage.review.rules.cards import reason_of
from pilotage.review.rules.picking import BLIND
from pilotage.usecase.records import CaseReason, Definition, UseCase
from pilotage.usecase.rules.expressions import columns_of

WHY: dict[CaseReason, str] = {
    "uncertain": "Close call",
    "escalated": "Escalated",
    "high_value": "High value",
    "high_risk": "High risk",
    "disagreement": "Model and rule differ",
    "blind": "Blind sample",
    "known": "Blind sample",
    "random": "Random sample",
}
"""Why a case came, in words. What is known already is not told apart from what is only judged blind."""


def hides_model(case: Case) -> bool:
    """Whether the model's opinion, and the answer given by it, are kept from whoever looks now."""
    return case.blind and case.state not in cases.CLOSED


def why_shown(case: Case) -> CaseReason:
    """Why the case came, as far as its reviewer may know."""
    return "blind" if case.why in BLIND else case.why


def comments_for(
    viewer: str, case: Case, comments: Sequence[Comment], opinions: Sequence[Opinion]
) -> tuple[Comment, ...]:
    """The comments that somebody may read: all once the case is closed, before that one's own and what leads nobody.

    A verdict that came too late leads, and so does what is written by whoever judges or judged a case for two.
    """
    if case.state in cases.CLOSED:
        return tuple(comments)
    judging = {case.leased_to, *(each.person for each in opinions)} if case.wanted > 1 else set()
    return tuple(each for each in comments if not each.late and (each.person == viewer or each.person not in judging))


def view_of(
    case: Case,
    decision: Decision,
    definition: Definition,
    personal: Collection[str],
    categories: Sequence[str],
    said: Sequence[Feedback],
    comments: Sequence[Comment],
    opinions: Sequence[Opinion],
) -> CaseView:
    """The case as one document. Others' opinions are in it once it is closed: nobody is led by them.

    ``comments`` are those that its reader may see.
    """
    use_case, hidden = definition.use_case, hides_model(case)
    is_closed = case.state in cases.CLOSED
    return CaseView(
        case=as_listed(case),
        at_stake=at_stake(decision, definition, personal),
        currency=use_case.brief.value.currency,
        question=question_of(use_case),
        inputs=tuple(Input(*each) for each in inputs_in_words(definition.plan, decision, personal)),
        given=None if hidden else decision.answer,
        given_words="" if hidden else in_words(use_case, decision.answer),
        model=None if hidden else _model(decision, use_case),
        because="" if hidden else REASONS.get(decision.reason, ""),
        rule="" if hidden else words.rule(decision.rule_answer, use_case, "en"),
        choices=choices(use_case, categories),
        reasons=use_case.review.reasons,
        guidelines=use_case.review.guidelines,
        said=() if hidden else tuple(said),
        comments=tuple(comments),
        opinions=tuple(opinions) if is_closed else (),
        asked_at=decision.decided_at,
    )


def at_stake(decision: Decision, definition: Definition, personal: Collection[str]) -> float | None:
    """What is at stake in a case, as people may see it; None where the file does not say, or by a personal column."""
    stake = definition.use_case.review.at_stake
    if stake is None or not columns_of(stake).isdisjoint(personal):
        return None
    return picking.amount(decision.inputs, picking.picker(definition))


def money(amount: float, currency: str) -> str:
    """``1,234 USD``; with cents where it is little, in powers of ten where nobody could read it."""
    shown = f"{amount:,.2f}" if amount < 100 else f"{amount:,.0f}" if amount < 1e12 else f"{amount:.2e}"
    return f"{shown} {currency}"


def question_of(use_case: UseCase) -> str:
    """What the reviewer is asked."""
    return f"{'Does it hold' if use_case.kind == 'flag' else 'What is it'}: {use_case.outcome.says}?"


def choices(use_case: UseCase, categories: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """(as it is sent, in words) of each answer to choose from; none where it is a number to write."""
    if use_case.kind == "flag":
        return (("yes", in_words(use_case, True)), ("no", in_words(use_case, False)))
    return tuple((each, in_words(use_case, each)) for each in categories)


def in_words(use_case: UseCase, answer: Said | None) -> str:
    """An answer with what is done on it."""
    if answer is None:
        return "no answer"
    said, action = told(use_case, answer), action_of(use_case, answer)
    return said if action.startswith("Answer: ") else f"{said}, {action}"


def as_listed(case: Case) -> Case:
    """The case as its reviewers may know it: nothing of the model, nor what leads to it, while it is judged blind."""
    shown = replace(case, why=why_shown(case))
    return replace(shown, decision="", note="", rank=0.0) if hides_model(case) else shown


def as_told(event: Event) -> Event:
    """A step of a case as its reviewers may know it: not why it was opened, which tells what is known already."""
    return replace(event, detail="") if event.kind == "opened" else event


def _model(decision: Decision, use_case: UseCase) -> ModelView | None:
    sentence = words.view(decision, use_case, "en")
    if not sentence:
        return None
    return ModelView(
        sentence=sentence,
        band=words.band(decision.band, "en"),
        version=decision.version or "",
        probability=decision.probability,
        shares=decision.shares,
        signals=tuple(reason_of(signal) for signal in decision.signals),
    )
