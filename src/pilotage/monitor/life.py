"""The life of one decision, step by step: request, answer, shown, feedback, review, outcome, money. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from pilotage.decisions.kinds import default_of, told
from pilotage.decisions.records import REASONS, Decision, Said
from pilotage.monitor import rules
from pilotage.monitor.records import Step
from pilotage.outcomes.records import JoinedOutcome
from pilotage.review.records import Case, Comment, Feedback, Opinion
from pilotage.usecase.records import CaseReason, UseCase
from pilotage.usecase.rules.value import came_of

_SAID = {
    "useful": "found it useful",
    "wrong": "found it wrong",
    "override": "did otherwise",
    "escalate": "escalated it",
    "accept": "accepted it",
}
_WHY: dict[CaseReason, str] = {
    "uncertain": "the model was not sure",
    "escalated": "somebody escalated",
    "high_risk": "the file calls it a high risk",
    "high_value": "the file calls it worth much",
    "random": "it was drawn at random",
    "blind": "it was drawn to be judged blind",
    "known": "its outcome was known already",
    "disagreement": "model and rule said otherwise",
}


def steps(
    decision: Decision,
    feedback: Sequence[Feedback],
    case: Case | None,
    outcomes: Sequence[JoinedOutcome],
    use_case: UseCase,
    opinions: Sequence[Opinion] = (),
    comments: Sequence[Comment] = (),
) -> list[Step]:
    """Everything that happened to a decision, in the order of the loop; what has not says what it waits for."""
    return [
        Step("request", decision.decided_at, f"{decision.asked_by} asked about {decision.entity}."),
        Step("answer", decision.decided_at, f"“{decision.action}”. {REASONS[decision.reason]}"),
        *_shown(feedback),
        *_feedback(feedback),
        *_review(case),
        *_talk(opinions, comments, use_case),
        *_outcome(outcomes, use_case),
        _money(decision, case, outcomes, use_case),
    ]


def _shown(feedback: Sequence[Feedback]) -> list[Step]:
    seen = [Step("shown", each.at, f"{each.person} saw the card.") for each in feedback if each.kind == "shown"]
    return seen or [Step("shown", None, "Nobody saw it on a card.", happened=False)]


def _feedback(feedback: Sequence[Feedback]) -> list[Step]:
    said = [
        Step("feedback", each.at, f"{each.person} {_SAID[each.kind]}{_reason(each)}{_taken_back(each)}")
        for each in feedback
        if each.kind != "shown"
    ]
    return said or [Step("feedback", None, "Nobody said anything.", happened=False)]


def _reason(said: Feedback) -> str:
    return f": “{said.reason}”." if said.reason else "."


def _taken_back(said: Feedback) -> str:
    return "" if said.undone_at is None else " They took it back."


def _review(case: Case | None) -> list[Step]:
    if case is None:
        return [Step("review", None, "No review was needed.", happened=False)]
    opened = Step("review", case.opened_at, f"A case was opened: {_WHY[case.why]}.")
    if case.state == "withdrawn":
        return [opened, Step("review", None, "It was closed: whoever asked for it took that back.", happened=False)]
    if case.verdict_at is None:
        return [opened, Step("review", None, "It waits for a reviewer.", happened=False)]
    why = f": “{case.verdict_reason}”" if case.verdict_reason else ""
    return [opened, Step("review", case.verdict_at, f"{case.verdict_by} {case.state} it{why}.")]


def _talk(opinions: Sequence[Opinion], comments: Sequence[Comment], use_case: UseCase) -> list[Step]:
    """What each reviewer said, and wrote beside the case, in its order."""
    said = [Step("review", each.at, _opinion(each, use_case)) for each in opinions]
    wrote = [Step("review", each.at, f"{each.person} wrote: “{each.text}”{_about(each)}") for each in comments]
    return sorted([*said, *wrote], key=lambda step: step.at.timestamp() if step.at else 0.0)


def _opinion(given: Opinion, use_case: UseCase) -> str:
    what = "no answer" if given.answer is None else told(use_case, given.answer)
    blind = " without seeing the model's opinion" if given.blind else ""
    back = "; taken back" if given.undone_at else ""
    return f"{given.person} judged {what}{blind}" + (f": “{given.reason}”" if given.reason else "") + f"{back}."


def _about(comment: Comment) -> str:
    return f" ({comment.link})" if comment.link else ""


def _outcome(outcomes: Sequence[JoinedOutcome], use_case: UseCase) -> list[Step]:
    if not outcomes:
        waits = f"Not known yet; outcomes mature within {use_case.outcome.matures}."
        return [Step("outcome", None, waits, happened=False)]
    oldest_first = sorted(outcomes, key=lambda each: each.revision)
    return [
        Step(
            "outcome",
            each.known_at,
            ("Corrected. " if each.revision > 1 else "") + _happened(each.happened, use_case) + _known_before(each),
        )
        for each in oldest_first
    ]


def _known_before(outcome: JoinedOutcome) -> str:
    return " It had been read before the question, so no quality counts it." if outcome.known_before else ""


def _happened(what: Said, use_case: UseCase) -> str:
    says = use_case.outcome.says
    if isinstance(what, bool):
        return f"It happened: {says}." if what else f"It did not happen: {says}."
    return f"It was {told(use_case, what)}: {says}."


def _money(decision: Decision, case: Case | None, outcomes: Sequence[JoinedOutcome], use_case: UseCase) -> Step:
    value = use_case.brief.value
    if not outcomes:
        return Step("money", None, "Known when the outcome is.", happened=False)
    newest = max(outcomes, key=lambda each: each.revision)
    default = default_of(use_case)
    given, rule = (default if each is None else each for each in (decision.answer, decision.rule_answer))
    earned, by_rule = (rules.money(came_of(each, newest.happened), use_case.kind, value) for each in (given, rule))
    reviewing = use_case.review.minutes_per_case * value.review_minute if case and case.verdict_at else 0.0
    text = f"The answer given was worth {_signed(earned)} {value.currency}"
    text += f", less {-reviewing:,.0f} {value.currency} for reviewing it" if reviewing else ""
    return Step("money", newest.joined_at, f"{text}; today's rule alone {_signed(by_rule)} {value.currency}.")


def _signed(money: float) -> str:
    return f"{money:+,.0f}".replace("-", "\u2212")
