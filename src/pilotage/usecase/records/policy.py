"""How a prediction becomes an action: the policy, what it must keep to, people, the stages."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from pilotage.usecase.records.parts import Part, Text


class Constraint(Part, frozen=True, kw_only=True):
    """What the threshold has to keep to on cases that the model has not learnt from: exactly one of the two."""

    precision: Annotated[
        Annotated[float, Meta(gt=0, lt=1)] | None,
        Meta(description="Of the cases that it acts on, at least this share turns out positive: 0.8."),
    ] = None
    a_day: Annotated[
        Annotated[int, Meta(ge=1)] | None,
        Meta(description="So many cases a day at most are acted on, the likeliest: 40."),
    ] = None


class Policy(Part, frozen=True, kw_only=True):
    """How a prediction becomes an action."""

    actions: Annotated[
        dict[str, Text],
        Meta(
            description="What is done, in words: positive and negative; or by category; or above and below the "
            "threshold of a number."
        ),
    ] = {}
    threshold: Annotated[
        Literal["by value"] | float | Constraint,
        Meta(
            description="From which probability on it is positive; by value: where acting begins to pay; precision or "
            "a_day: what is to be kept to. Of a number: from which on the action above is taken."
        ),
    ] = "by value"
    uncertain_within: Annotated[
        float, Meta(ge=0, le=0.5, description="A probability so close to the threshold sends the case to review.")
    ] = 0.05
    confidence: Annotated[
        Annotated[float, Meta(gt=0, lt=1)] | None,
        Meta(description="An answer that is less probable than this goes to review."),
    ] = None
    width: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        Meta(description="A number whose interval of 90 % is wider goes to review; in the outcome's unit."),
    ] = None
    default: Annotated[
        float | str | None,
        Meta(
            description="The answer where neither model nor rule can give one: positive or negative, a category, or a "
            "number."
        ),
    ] = None


class Fairness(Part, frozen=True, kw_only=True):
    """A limit on how unlike groups of people may be treated; a version that crosses it is blocked."""

    by: Annotated[
        list[str], Meta(min_length=1, description="Columns of the decision's source that name the groups: sex.")
    ]
    measure: Annotated[
        Literal["selection", "recall", "false_alarms"],
        Meta(
            description="What is compared between groups: how often it acts, how many of the positive cases it "
            "catches, or how often it acts on negative ones."
        ),
    ] = "selection"
    ratio: Annotated[
        float, Meta(gt=0, le=1, description="The lowest group's share over the highest one's must be at least this.")
    ] = 0.8


class Rollout(Part, frozen=True, kw_only=True):
    """How far exposure may go, and on what evidence."""

    assist_share: Annotated[
        float,
        Meta(gt=0, le=1, description="The share of entities that assist may reach before the gate rollout passed."),
    ] = 0.2
    decisions_min: Annotated[int, Meta(ge=1, description="How many decisions a stage needs before it may advance.")] = (
        500
    )
    fallback_share_max: Annotated[
        float, Meta(ge=0, le=1, description="The greatest share that rule or default may answer in the model's place.")
    ] = 0.05
