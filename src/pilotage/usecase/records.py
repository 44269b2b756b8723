"""The nouns of a use-case file. Their fields are the file's keys, their docstrings its JSON Schema's descriptions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,62}$", description="Lower-case letters, digits, underscores.")]
Expression = Annotated[str, Meta(min_length=1, max_length=2000, description="A scalar SQL expression.")]
Duration = Annotated[
    str,
    Meta(pattern=r"^[1-9][0-9]{0,4} (minute|hour|day)s?$", description="Such as '90 minutes' or '7 days'."),
]
Text = Annotated[str, Meta(min_length=1, max_length=2000)]
SourceColumn = Annotated[str, Meta(description="A column's name, as its source has it.")]
ColumnKind = Literal["number", "category", "datetime", "flag"]
Risk = Literal["minimal", "limited", "high"]
Aggregate = Literal["count", "sum", "mean", "min", "max", "distinct"]


class _Part(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A part of the file: immutable, unknown keys refused."""


class Value(_Part, frozen=True, kw_only=True):
    """What decisions are worth, in one currency; costs are negative."""

    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$", description="ISO 4217 code.")]
    caught: float
    false_alarm: float
    missed: float = 0.0
    review_minute: float = 0.0


class Brief(_Part, frozen=True, kw_only=True):
    """The workflow in the owner's words."""

    workflow: Text
    users: Text
    decision: Text
    kpi: Text
    value: Value
    risk: Risk = "limited"
    latency_ms: Annotated[int, Meta(ge=5, le=60_000)] = 100
    constraints: list[Text] = []


class Source(_Part, frozen=True, kw_only=True):
    """A table or files, with the two clocks: when it happened, when it could be known."""

    database: Annotated[str, Meta(description="env:NAME of the variable that holds the database's address.")] = ""
    table: Annotated[str, Meta(description="The table, or schema.table.")] = ""
    files: Annotated[str, Meta(description="Parquet or CSV files: a pattern, which may begin with env:NAME.")] = ""
    key: Annotated[list[SourceColumn], Meta(description="Columns that tell rows apart.")]
    event_time: Annotated[str, Meta(description="Column: when it happened.")]
    known_at: Annotated[str, Meta(description="Column: when it could first be known.")]
    owner: Annotated[str, Meta(description="Who answers for this source; data_owner when empty.")] = ""


class RequestColumn(_Part, frozen=True, kw_only=True):
    """A column that the app sends."""

    kind: ColumnKind
    required: bool = True
    unit: str = ""
    personal: bool = False


class DecisionPoint(_Part, frozen=True, kw_only=True):
    """What is decided, for which entity, when, and what the app sends."""

    entity: Annotated[str, Meta(description="Column that tells one case from another, in sources and requests.")]
    source: Annotated[Name, Meta(description="Source with one row per case, and in it the request's columns.")]
    moment: Annotated[Expression, Meta(description="When the decision is due: over datetime columns of the request.")]
    where: Annotated[str, Meta(description="Which rows of the source are cases; all when empty.")] = ""
    request: dict[str, ColumnKind | RequestColumn]


class Outcome(_Part, frozen=True, kw_only=True):
    """What really happened: a true-or-false expression over a row of its source with the entity's key."""

    source: Name
    positive: Expression
    says: Text
    matures: Duration = "2 days"


class Input(_Part, frozen=True, kw_only=True):
    """One input: a newest-known lookup, trailing windows, or an expression over other inputs."""

    latest: Annotated[str, Meta(description="Source whose newest row, known by the decision, is looked up.")] = ""
    windows: Annotated[str, Meta(description="Source whose rows before the decision are aggregated.")] = ""
    derived: Annotated[str, Meta(description="Scalar SQL over request columns and inputs above.")] = ""
    by: Annotated[str | list[str], Meta(description="Request columns by which rows are found.")] = []
    take: Annotated[
        str | list[str] | dict[str, str],
        Meta(description="Source columns to take, or each with its words; the input's own name when empty."),
    ] = []
    aggregate: Aggregate = "mean"
    within: Annotated[Duration, Meta(description="How old a looked-up value may be.")] = "3 days"
    over: Annotated[Duration | list[Duration], Meta(description="How far windows reach back.")] = []
    kind: Annotated[ColumnKind | None, Meta(description="Number, or what the expression gives, when absent.")] = None
    says: Annotated[str, Meta(description="The input in words, as reviewers read it.")] = ""


class Rule(_Part, frozen=True, kw_only=True):
    """What the app does today: positive when the expression over request and inputs is true."""

    positive: Expression
    says: Text


class Policy(_Part, frozen=True, kw_only=True):
    """How a probability becomes an action."""

    actions: dict[Literal["positive", "negative"], Text]
    threshold: Literal["by value"] | Annotated[float, Meta(gt=0, lt=1)] = "by value"
    uncertain_within: Annotated[float, Meta(ge=0, le=0.5)] = 0.05
    default: Literal["positive", "negative"] = "negative"


class Review(_Part, frozen=True, kw_only=True):
    """Who looks at uncertain and escalated cases, and how."""

    minutes_per_case: Annotated[float, Meta(gt=0)] = 2.0
    deadline: Duration = "1 hour"
    reasons: tuple[Text, ...] = ("Data looks wrong", "I know something the model does not", "Exception agreed")
    guidelines: str = ""


class Rollout(_Part, frozen=True, kw_only=True):
    """How far exposure may go, and on what evidence."""

    assist_share: Annotated[float, Meta(gt=0, le=1)] = 0.2
    decisions_min: Annotated[int, Meta(ge=1)] = 500
    fallback_share_max: Annotated[float, Meta(ge=0, le=1)] = 0.05


class UseCase(_Part, frozen=True, kw_only=True):
    """One predictive feature: the whole file."""

    use_case: Name
    title: Text
    owner: Text
    data_owner: str = ""
    brief: Brief
    sources: dict[Name, Source]
    decision: DecisionPoint
    outcome: Outcome
    inputs: dict[Name, Literal["request"] | Input]
    rule: Rule
    policy: Policy
    review: Review = Review()
    rollout: Rollout = Rollout()


# What is derived from the file: the columns that a model sees.


class Given(Struct, frozen=True, tag="request"):
    """A column taken from the request."""

    name: str
    kind: ColumnKind
    required: bool
    says: str = ""


class Latest(Struct, frozen=True, tag="latest"):
    """The newest row of a source, per key, that was known as of the decision and happened within the span."""

    name: str
    kind: ColumnKind
    source: str
    by: tuple[str, ...]
    take: str
    within_seconds: int
    says: str = ""


class Window(Struct, frozen=True, tag="window"):
    """An aggregate over the rows of a source, per key, in the span before the decision, known by then."""

    name: str
    kind: ColumnKind
    source: str
    by: tuple[str, ...]
    take: str
    aggregate: Aggregate
    over_seconds: int
    says: str = ""


class Derived(Struct, frozen=True, tag="derived"):
    """A scalar expression over request columns and earlier inputs."""

    name: str
    kind: ColumnKind
    expression: str
    says: str = ""


Column = Given | Latest | Window | Derived


class Plan(Struct, frozen=True):
    """Everything a use case's columns need, expanded from the file and in the order of the file.

    ``request`` holds all columns that the app sends, ``columns`` those that a model or the rule sees.
    """

    entity: str
    moment: str
    request: dict[str, RequestColumn]
    columns: tuple[Column, ...]
    fingerprint: str

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


class Definition(Struct, frozen=True):
    """A use case as it was read: the parsed file, its exact text and that text's SHA-256."""

    use_case: UseCase
    text: str
    fingerprint: str
    plan: Plan

    @property
    def name(self) -> str:
        return self.use_case.use_case


class Evidence(Struct, frozen=True):
    """What a phase measured: on which definition, when, by which code; the newest of each kind counts."""

    id: str
    use_case: str
    kind: str
    definition: str
    code: str
    body: dict[str, Any]
    made_at: datetime


def seconds(duration: str) -> int:
    """A duration such as '6 hours' in seconds."""
    count, unit = duration.split()
    return int(count) * {"minute": 60, "hour": 3600, "day": 86_400}[unit.rstrip("s")]


def listed(value: str | list[str] | dict[str, str]) -> list[str]:
    """A list, where the file may say one thing, several, or several with their words."""
    return [value] if isinstance(value, str) else list(value)


def decode_plan(content: bytes) -> Plan:
    """A plan from the JSON that an artefact carries."""
    return msgspec.json.decode(content, type=Plan)
