"""How a prediction becomes an action: the rule of today, the policy, people, the stages."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from pilotage.usecase.records.parts import Duration, Expression, Part, Text


class Rule(Part, frozen=True, kw_only=True):
    """What the app does today: positive when the expression over request and inputs is true."""

    positive: Annotated[Expression, Meta(description="True where the app acts today, over request and inputs.")]
    says: Annotated[Text, Meta(description="The rule in words.")]


class Policy(Part, frozen=True, kw_only=True):
    """How a probability becomes an action."""

    actions: Annotated[
        dict[Literal["positive", "negative"], Text], Meta(description="What is done in either case, in words.")
    ]
    threshold: Annotated[
        Literal["by value"] | Annotated[float, Meta(gt=0, lt=1)],
        Meta(description="From which probability on it is positive; by value: where acting begins to pay."),
    ] = "by value"
    uncertain_within: Annotated[
        float, Meta(ge=0, le=0.5, description="A probability so close to the threshold sends the case to review.")
    ] = 0.05
    default: Annotated[
        Literal["positive", "negative"], Meta(description="The answer where neither model nor rule can give one.")
    ] = "negative"


class Review(Part, frozen=True, kw_only=True):
    """Who looks at uncertain and escalated cases, and how."""

    minutes_per_case: Annotated[float, Meta(gt=0, description="How long a reviewer takes for one case.")] = 2.0
    deadline: Annotated[Duration, Meta(description="Within which time a case has to be looked at.")] = "1 hour"
    reasons: Annotated[tuple[Text, ...], Meta(description="Why a reviewer may decide otherwise, to choose from.")] = (
        "Data looks wrong",
        "I know something the model does not",
        "Exception agreed",
    )
    guidelines: Annotated[str, Meta(description="What reviewers should look at, in words.")] = ""


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
