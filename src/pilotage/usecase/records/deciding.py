"""What is decided, and what is predicted for it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from pilotage.usecase.records.parts import ColumnKind, Duration, Expression, Name, Part, Text


class RequestColumn(Part, frozen=True, kw_only=True):
    """A column that the app sends."""

    kind: Annotated[ColumnKind, Meta(description="What its values are.")]
    required: Annotated[bool, Meta(description="A request without it is refused.")] = True
    unit: Annotated[str, Meta(description="The unit of a number, as reviewers read it.")] = ""
    personal: Annotated[bool, Meta(description="It says something of a person: masked wherever people look.")] = False
    column: Annotated[str, Meta(description="Its name in the decision's source, where that is another.")] = ""


class DecisionPoint(Part, frozen=True, kw_only=True):
    """What is decided, for which entity, when, and what the app sends."""

    entity: Annotated[str, Meta(description="Column that tells one case from another, in sources and requests.")]
    source: Annotated[Name, Meta(description="Source with one row per case, and in it the request's columns.")]
    moment: Annotated[
        str,
        Meta(
            max_length=2000,
            description="When the decision is due: over datetime columns of the request. When empty: the event_time of "
            "its row, and live the moment of the question.",
        ),
    ] = ""
    where: Annotated[str, Meta(description="Which rows of the source are cases; all when empty.")] = ""
    request: Annotated[
        dict[str, ColumnKind | RequestColumn], Meta(description="Columns that the app sends: each its kind, or more.")
    ]


class Outcome(Part, frozen=True, kw_only=True):
    """What really happened: a true-or-false expression over a row of its source with the entity's key."""

    source: Annotated[Name, Meta(description="Source with a row per case once it is known how it ended.")]
    positive: Annotated[Expression, Meta(description="True or false over its columns: whether it turned out positive.")]
    says: Annotated[Text, Meta(description="A positive outcome in words: 'arrives more than 30 minutes late'.")]
    matures: Annotated[
        Duration, Meta(description="How long after the decision its outcome is certain; younger ones are not used.")
    ] = "2 days"
