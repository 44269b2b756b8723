"""How people look at decisions: which, how many of them, within what time, and what becomes of it."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from pilotage.usecase.records.parts import Duration, Expression, Identifier, Part, Text

CaseReason = Literal["uncertain", "escalated", "high_value", "high_risk", "disagreement", "blind", "random", "known"]
"""Why a person looks at a decision."""
Share = Annotated[float, Meta(ge=0, le=1)]


class Samples(Part, frozen=True, kw_only=True):
    """Which decisions people look at besides those that are uncertain or escalated.

    A decision is drawn by its own identifier, so that nobody chooses and the draw can be repeated.
    """

    random: Annotated[Share, Meta(description="A share of all answers of the model, with its opinion in view.")] = 0.0
    blind: Annotated[
        Share,
        Meta(description="A share of all answers of the model, judged without its opinion: what people say alone."),
    ] = 0.0
    disagreement: Annotated[
        Share, Meta(description="A share of the decisions in shadow in which model and rule say otherwise.")
    ] = 0.0
    high_value: Annotated[
        Expression | None, Meta(description="A condition over columns: answers that are worth a second look.")
    ] = None
    high_risk: Annotated[Expression | None, Meta(description="A condition over columns: answers that may do harm.")] = (
        None
    )
    known: Annotated[
        Share, Meta(description="A share of cases whose outcome is known already: how much a queue overlooks.")
    ] = 0.0


class Review(Part, frozen=True, kw_only=True):
    """Who looks at which cases, within what time, and how many must agree."""

    minutes_per_case: Annotated[float, Meta(gt=0, description="How long a reviewer takes for one case.")] = 2.0
    deadline: Annotated[
        Duration,
        Meta(
            description="Within which time a case has to be looked at; then it is late: shown, logged, told by webhook."
        ),
    ] = "1 hour"
    falls_back: Annotated[
        Duration,
        Meta(description="After which time without a verdict the way before holds: today's rule. Never an approval."),
    ] = "7 days"
    reasons: Annotated[tuple[Text, ...], Meta(description="Why a reviewer may decide otherwise, to choose from.")] = (
        "Data looks wrong",
        "I know something the model does not",
        "Exception agreed",
    )
    guidelines: Annotated[str, Meta(description="What reviewers should look at, in words.")] = ""
    samples: Annotated[Samples, Meta(description="What else people look at.")] = Samples()
    at_stake: Annotated[
        Expression | None,
        Meta(
            description="What a wrong answer would cost in this case: a number over columns, in the currency of value. "
            "Twice as much comes an hour of waiting earlier."
        ),
    ] = None
    second_opinion: Annotated[
        Share,
        Meta(description="The share of cases that two people must agree on, the second without seeing the first."),
    ] = 0.0
    four_eyes: Annotated[
        tuple[CaseReason, ...],
        Meta(
            description="Kinds of cases that always need two people who agree: high_risk. Up to five are asked; where "
            "no two agree, the way before holds in the end."
        ),
    ] = ()
    skills: Annotated[
        dict[Identifier, Expression],
        Meta(
            description="A skill, and the condition over columns under which a case needs it; the first that is true."
        ),
    ] = {}
    undo_seconds: Annotated[
        int,
        Meta(
            ge=0,
            le=3600,
            description="For how many seconds a verdict can be taken back, and what was said on the card.",
        ),
    ] = 60
    labels: Annotated[
        Literal["independent", "all"],
        Meta(description="Which verdicts may be learnt from: those made without the model's opinion in view, or all."),
    ] = "independent"
