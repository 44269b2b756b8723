"""The nouns of a use-case file. Their fields are the file's keys, their docstrings its JSON Schema's descriptions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,62}$", description="Lower-case letters, digits, underscores.")]
Identifier = Annotated[str, Meta(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,62}$", description="Letters, digits, underscores.")]
Expression = Annotated[str, Meta(min_length=1, max_length=2000, description="A scalar SQL expression.")]
Duration = Annotated[
    str,
    Meta(pattern=r"^[1-9][0-9]{0,4} (minute|hour|day)s?$", description="Such as '90 minutes' or '7 days'."),
]
Text = Annotated[str, Meta(min_length=1, max_length=2000)]
SourceColumn = Annotated[str, Meta(description="A column's name, as its source has it.")]
ColumnKind = Literal["number", "category", "datetime", "flag"]
Risk = Literal["minimal", "limited", "high"]
Aggregate = Literal["count", "sum", "mean", "std", "min", "max", "distinct", "share", "since"]


class _Part(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A part of the file: immutable, unknown keys refused."""


class Value(_Part, frozen=True, kw_only=True):
    """What decisions are worth, in one currency; costs are negative."""

    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$", description="ISO 4217 code.")]
    caught: Annotated[float, Meta(description="Of acting on a case that turns out positive.")]
    false_alarm: Annotated[float, Meta(description="Of acting on a case that does not.")]
    missed: Annotated[float, Meta(description="Of not acting on a case that turns out positive.")] = 0.0
    review_minute: Annotated[float, Meta(description="Of one minute of a reviewer.")] = 0.0


class Brief(_Part, frozen=True, kw_only=True):
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


SEEN_AT = "_seen_at"
"""Both clocks of a static source: when a sync first saw the row; rows of the first sync count as known since 1970."""

ROW = "_row"
"""The number of a row among all rows of its files, from 1: a key where no column tells rows apart."""


class Rest(_Part, frozen=True, kw_only=True):
    """A REST endpoint that answers with lists of JSON objects, page by page."""

    url: Annotated[str, Meta(description="Its address, which may begin with env:NAME.")]
    items: Annotated[
        str, Meta(description="Where the list lies in an answer: data.rows; the answer itself if empty.")
    ] = ""
    headers: Annotated[dict[str, str], Meta(description="Headers to send; values by reference: env:NAME.")] = {}
    paging: Annotated[
        Literal["link", "page", "offset", "cursor", "none"],
        Meta(description="How the next page is asked for: Link header, number, offset, cursor, or there is only one."),
    ] = "link"
    parameter: Annotated[str, Meta(description="Parameter that asks for a page; page, offset or cursor if empty.")] = ""
    cursor: Annotated[str, Meta(description="Where the next cursor lies in an answer: meta.next.")] = ""
    size: Annotated[int, Meta(ge=1, le=10_000, description="Rows asked for at a time.")] = 500
    size_parameter: Annotated[str, Meta(description="Parameter that says how many; none if empty.")] = "limit"
    since: Annotated[str, Meta(description="Parameter that takes the least known_at wanted; all rows if empty.")] = ""


class Source(_Part, frozen=True, kw_only=True):
    """A table, files, a Delta table or an endpoint, with two clocks: when it happened, when it could be known."""

    database: Annotated[str, Meta(description="env:NAME of the variable that holds the database's address.")] = ""
    table: Annotated[str, Meta(description="The table or view, or schema.table.")] = ""
    files: Annotated[
        str,
        Meta(description="Parquet, CSV, JSON-lines or Excel: a pattern, local or s3://…; may begin with env:NAME."),
    ] = ""
    sheet: Annotated[str, Meta(description="The sheet of an Excel file; its first when empty.")] = ""
    encoding: Annotated[str, Meta(description="The encoding of CSV files; found when empty.")] = ""
    delimiter: Annotated[str, Meta(description="What separates the fields of CSV files; found when empty.")] = ""
    decimal: Annotated[
        Literal["", ",", "."],
        Meta(
            description="How texts write the fraction of a number: ',' reads 1.234,56, '.' reads 1,234.56; when empty, "
            "only plain numbers such as 1234.56 are numbers."
        ),
    ] = ""
    missing: Annotated[
        list[str],
        Meta(
            description="Texts such as NA that say that a number, date or flag is missing; columns of text keep them."
        ),
    ] = []
    delta: Annotated[str, Meta(description="A Delta table's folder, local or s3://…; may begin with env:NAME.")] = ""
    rest: Annotated[Rest | None, Meta(description="A REST endpoint.")] = None
    key: Annotated[list[SourceColumn], Meta(description="Columns that tell rows apart.")]
    event_time: Annotated[str, Meta(description="Column: when it happened.")] = ""
    known_at: Annotated[str, Meta(description="Column: when it could first be known.")] = ""
    static: Annotated[
        bool, Meta(description="In place of clocks: a list such as airports, whose rows always held; changes are seen.")
    ] = False
    late: Annotated[
        Duration,
        Meta(description="How long after its known_at a row may be written; so far each sync looks back."),
    ] = "1 day"
    deleted: Annotated[str, Meta(description="Expression: true in a row that says that its key is gone.")] = ""
    deletions: Annotated[
        Literal["ignored", "compared"],
        Meta(description="compared: each sync reads all keys; those that are gone count as deleted from then on."),
    ] = "ignored"
    refresh: Annotated[Duration | None, Meta(description="How often it is read; as the server is set if absent.")] = (
        None
    )
    timeout: Annotated[Duration, Meta(description="How long one query may take.")] = "10 minutes"
    rows_max: Annotated[int, Meta(ge=1, description="How many rows one query may give.")] = 100_000_000
    accept_writer: Annotated[
        bool, Meta(description="Read it even as a database user that could write; such a user is refused otherwise.")
    ] = False
    system: Annotated[str, Meta(description="The system that holds it, in words.")] = ""
    owner: Annotated[str, Meta(description="Who answers for this source; data_owner when empty.")] = ""

    @property
    def is_static(self) -> bool:
        return self.known_at == SEEN_AT


class RequestColumn(_Part, frozen=True, kw_only=True):
    """A column that the app sends."""

    kind: Annotated[ColumnKind, Meta(description="What its values are.")]
    required: Annotated[bool, Meta(description="A request without it is refused.")] = True
    unit: Annotated[str, Meta(description="The unit of a number, as reviewers read it.")] = ""
    personal: Annotated[bool, Meta(description="It says something of a person: masked wherever people look.")] = False
    column: Annotated[str, Meta(description="Its name in the decision's source, where that is another.")] = ""


class DecisionPoint(_Part, frozen=True, kw_only=True):
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


class Outcome(_Part, frozen=True, kw_only=True):
    """What really happened: a true-or-false expression over a row of its source with the entity's key."""

    source: Annotated[Name, Meta(description="Source with a row per case once it is known how it ended.")]
    positive: Annotated[Expression, Meta(description="True or false over its columns: whether it turned out positive.")]
    says: Annotated[Text, Meta(description="A positive outcome in words: 'arrives more than 30 minutes late'.")]
    matures: Annotated[
        Duration, Meta(description="How long after the decision its outcome is certain; younger ones are not used.")
    ] = "2 days"


class Input(_Part, frozen=True, kw_only=True):
    """One input: a newest-known lookup, trailing windows, or an expression over other inputs."""

    latest: Annotated[str, Meta(description="Source whose newest row, known by the decision, is looked up.")] = ""
    windows: Annotated[str, Meta(description="Source whose rows before the decision are aggregated.")] = ""
    derived: Annotated[str, Meta(description="Scalar SQL over request columns and inputs above.")] = ""
    by: Annotated[
        str | list[str] | dict[str, str],
        Meta(
            description="Request columns, or the entity, by which rows are found; or each with its name in the source."
        ),
    ] = []
    take: Annotated[
        str | list[str] | dict[str, str],
        Meta(description="Source columns to take, or each with its words; the input's own name when empty."),
    ] = []
    aggregate: Annotated[
        Aggregate,
        Meta(
            description="What windows make of their rows. share: of all rows the share that fulfils where; since: the "
            "seconds since the newest; std: the sample standard deviation."
        ),
    ] = "mean"
    where: Annotated[
        str,
        Meta(
            max_length=2000,
            description="True or false over the source's columns: rows of which it is not true are passed over.",
        ),
    ] = ""
    within: Annotated[Duration, Meta(description="How old a looked-up value may be.")] = "3 days"
    over: Annotated[Duration | list[Duration], Meta(description="How far windows reach back.")] = []
    kind: Annotated[ColumnKind | None, Meta(description="Number, or what the expression gives, when absent.")] = None
    says: Annotated[str, Meta(description="The input in words, as reviewers read it.")] = ""


class Rule(_Part, frozen=True, kw_only=True):
    """What the app does today: positive when the expression over request and inputs is true."""

    positive: Annotated[Expression, Meta(description="True where the app acts today, over request and inputs.")]
    says: Annotated[Text, Meta(description="The rule in words.")]


class Policy(_Part, frozen=True, kw_only=True):
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


class Review(_Part, frozen=True, kw_only=True):
    """Who looks at uncertain and escalated cases, and how."""

    minutes_per_case: Annotated[float, Meta(gt=0, description="How long a reviewer takes for one case.")] = 2.0
    deadline: Annotated[Duration, Meta(description="Within which time a case has to be looked at.")] = "1 hour"
    reasons: Annotated[tuple[Text, ...], Meta(description="Why a reviewer may decide otherwise, to choose from.")] = (
        "Data looks wrong",
        "I know something the model does not",
        "Exception agreed",
    )
    guidelines: Annotated[str, Meta(description="What reviewers should look at, in words.")] = ""


class Rollout(_Part, frozen=True, kw_only=True):
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


class Answers(_Part, frozen=True, kw_only=True):
    """What only a person can say about the data; the audit shows it beside what it measured, as asked."""

    systems: Annotated[str, Meta(description="Which other systems know something about a case and are not read.")] = ""
    ground_truth: Annotated[str, Meta(description="Who says what really happened, how, and how sure that is.")] = ""
    quality: Annotated[str, Meta(description="What people who work with these data know to be wrong with them.")] = ""
    recreated: Annotated[str, Meta(description="What was overwritten or thrown away, and since when no longer.")] = ""
    sensitive: Annotated[str, Meta(description="On what ground personal data may be used here, and who agreed.")] = ""
    real_time: Annotated[str, Meta(description="What people see when they decide today, and how old it is.")] = ""
    repair: Annotated[str, Meta(description="How a fault is reported, and how soon it is mended.")] = ""
    findings: Annotated[
        dict[str, str],
        Meta(
            description="A finding's identifier, such as too-good-to-be-true:calls.duration → who looked, and why the "
            "data are right all the same. Then it is only to be known."
        ),
    ] = {}


class UseCase(_Part, frozen=True, kw_only=True):
    """One predictive feature: the whole file."""

    use_case: Annotated[Name, Meta(description="Its name, in commands and addresses.")]
    title: Annotated[Text, Meta(description="Its name for people.")]
    owner: Annotated[Text, Meta(description="Who answers for the use case: an address.")]
    data_owner: Annotated[str, Meta(description="Who answers for sources that name no owner.")] = ""
    brief: Annotated[Brief, Meta(description="The workflow in the owner's words.")]
    sources: Annotated[dict[Name, Source], Meta(description="What is read, by name.")]
    decision: Annotated[DecisionPoint, Meta(description="What is decided, when, and what the app sends.")]
    outcome: Annotated[Outcome, Meta(description="What is predicted.")]
    inputs: Annotated[
        dict[Identifier, Literal["request"] | Input],
        Meta(description="What a model sees, by name: request for what the app sends, or how it is made."),
    ]
    rule: Annotated[Rule, Meta(description="What the app does today.")]
    policy: Annotated[Policy, Meta(description="How a probability becomes an action.")]
    review: Annotated[Review, Meta(description="Who looks at uncertain cases, and how.")] = Review()
    rollout: Annotated[Rollout, Meta(description="How far exposure may go, and on what evidence.")] = Rollout()
    groups: Annotated[
        list[str],
        Meta(description="Columns of the decision's source by which the audit compares representation and outcome."),
    ] = []
    answers: Annotated[Answers, Meta(description="What only a person can say about the data.")] = Answers()
    guessed: Annotated[
        dict[str, str],
        Meta(description="Places in this file that were guessed, with the reason. Remove each line once it is right."),
    ] = {}


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
    key: tuple[str, ...] = ()
    where: str = ""

    @property
    def found_by(self) -> tuple[str, ...]:
        """The source's columns that equal the request's ``by``: of the same names unless the file says others."""
        return self.key or self.by


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
    key: tuple[str, ...] = ()
    where: str = ""

    @property
    def found_by(self) -> tuple[str, ...]:
        """The source's columns that equal the request's ``by``: of the same names unless the file says others."""
        return self.key or self.by


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
    """A use case as it was read: the parsed file, its exact text and that text's SHA-256.

    ``substance`` is the SHA-256 of what the file says, without comments and without what people answer in words:
    evidence is of this file as long as that stays the same.
    """

    use_case: UseCase
    text: str
    fingerprint: str
    plan: Plan
    substance: str

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


def key_of(by: str | list[str] | dict[str, str]) -> tuple[str, ...]:
    """The source's columns of a key that has other names there than in the request; empty where it has the same."""
    return tuple(by.values()) if isinstance(by, dict) and any(ours != theirs for ours, theirs in by.items()) else ()


def decode_plan(content: bytes) -> Plan:
    """A plan from the JSON that an artefact carries."""
    return msgspec.json.decode(content, type=Plan)
