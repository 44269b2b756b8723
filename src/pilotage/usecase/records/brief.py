"""What the owner says of the workflow, and what decisions are worth."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from pilotage.usecase.records.parts import Part, Risk, Text


class Value(Part, frozen=True, kw_only=True):
    """What decisions are worth, in one currency; costs are negative.

    Of a positive or negative outcome: caught, false_alarm and missed; of a category: right and wrong; of a number:
    too_low and too_high.
    """

    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$", description="ISO 4217 code.")]
    caught: Annotated[float, Meta(description="Of acting on a case that turns out positive.")] = 0.0
    false_alarm: Annotated[float, Meta(description="Of acting on a case that does not.")] = 0.0
    missed: Annotated[float, Meta(description="Of not acting on a case that turns out positive.")] = 0.0
    right: Annotated[float, Meta(description="Of an answer that is the category it turns out to be.")] = 0.0
    wrong: Annotated[float, Meta(description="Of an answer that is another category.")] = 0.0
    too_low: Annotated[float, Meta(le=0, description="Per unit of the number that an answer lies below it.")] = 0.0
    too_high: Annotated[float, Meta(le=0, description="Per unit of the number that an answer lies above it.")] = 0.0
    review_minute: Annotated[float, Meta(description="Of one minute of a reviewer.")] = 0.0


class Brief(Part, frozen=True, kw_only=True):
    """The workflow in the owner's words."""

    workflow: Annotated[Text, Meta(description="The work as it is done today.")]
    users: Annotated[Text, Meta(description="Who does it, and will see the prediction.")]
    decision: Annotated[Text, Meta(description="What is decided, and by when.")]
    kpi: Annotated[Text, Meta(description="The figure that has to get better.")]
    value: Annotated[Value, Meta(description="What each kind of decision is worth.")]
    risk: Annotated[Risk, Meta(description="How much harm a wrong decision can do to people.")] = "limited"
    latency_ms: Annotated[
        int, Meta(ge=5, le=60_000, description="Within how many milliseconds the app needs its answer.")
    ] = 100
    constraints: Annotated[list[Text], Meta(description="What must hold whatever is predicted, in words.")] = []
