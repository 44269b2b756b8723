"""What is decided, what is predicted for it, and what rule and people say today."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from pilotage.usecase.records.parts import ColumnKind, Duration, Expression, Name, OutcomeKind, Part, Text


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
    judged: Annotated[
        str,
        Meta(
            max_length=2000,
            description="True or false over the source's columns: which cases judge the candidates, such as "
            "split = 'test' of data without a clock. The newest when empty.",
        ),
    ] = ""
    request: Annotated[
        dict[str, ColumnKind | RequestColumn], Meta(description="Columns that the app sends: each its kind, or more.")
    ]


class OneOfThree(Part, frozen=True, kw_only=True):
    """An expression under the key that says what it gives: exactly one of positive, category and number."""

    positive: Annotated[str, Meta(max_length=2000, description="Yes or no: true where it is positive.")] = ""
    category: Annotated[str, Meta(max_length=2000, description="One of several categories: a text.")] = ""
    number: Annotated[str, Meta(max_length=2000, description="A number.")] = ""

    @property
    def kind(self) -> OutcomeKind:
        return "number" if self.number else "category" if self.category else "flag"

    @property
    def key(self) -> Literal["positive", "category", "number"]:
        """The key under which the expression stands."""
        return "number" if self.number else "category" if self.category else "positive"

    @property
    def expression(self) -> str:
        return self.number or self.category or self.positive


class Outcome(OneOfThree, frozen=True, kw_only=True):
    """What really happened, over a row of its source with the entity's key: exactly one of positive, category, number.

    It decides the task: yes or no, one of several categories, or a number.
    """

    source: Annotated[Name, Meta(description="Source with a row per case once it is known how it ended.")]
    says: Annotated[
        Text, Meta(description="It in words: 'arrives more than 30 minutes late', 'minutes late on arrival'.")
    ]
    unit: Annotated[str, Meta(description="The unit of a number, as people read it: minutes.")] = ""
    matures: Annotated[
        Duration, Meta(description="How long after the decision its outcome is certain; younger ones are not used.")
    ] = "2 days"


class Rule(OneOfThree, frozen=True, kw_only=True):
    """What the app does today, over request columns and inputs: of the same kind as the outcome."""

    says: Annotated[Text, Meta(description="The rule in words.")]


class Human(Part, frozen=True, kw_only=True):
    """What people decided at the time, over a row of its source with the entity's key. It is compared, never learnt."""

    source: Annotated[Name, Meta(description="Source with a row per case that people decided.")]
    decided: Annotated[Expression, Meta(description="Their decision over its columns: of the outcome's kind.")]
    says: Annotated[str, Meta(description="Who decided, and how, in words.")] = ""
