"""How an input of a model is made."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from pilotage.usecase.records.parts import Aggregate, ColumnKind, Duration, Part

LivePlace = Literal["snapshot", "source", "table"]


class Input(Part, frozen=True, kw_only=True):
    """One input: a newest-known lookup, trailing windows, or an expression over other inputs."""

    latest: Annotated[str, Meta(description="Source whose newest row, known by the decision, is looked up.")] = ""
    windows: Annotated[str, Meta(description="Source whose rows before the decision are aggregated.")] = ""
    derived: Annotated[str, Meta(description="Scalar SQL over request columns and inputs above.")] = ""
    shared: Annotated[
        str,
        Meta(
            description="Columns that a file in the folder columns beside this one declares: take says which of its "
            "inputs, by what its keys are called here; no other key goes with it."
        ),
    ] = ""
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
    live: Annotated[
        LivePlace,
        Meta(
            description="Where a live answer takes it from: the last snapshot, in memory; the source's database, asked "
            "each time; or a table that pilotage materialise writes."
        ),
    ] = "snapshot"
    live_age: Annotated[
        Duration | None,
        Meta(
            description="live: table: how old the table may be; what is older is missing. live: source: for how long "
            "what was read of a key is used again; it is asked each time if absent."
        ),
    ] = None
    live_at: Annotated[
        str,
        Meta(description="live: table: env:NAME of the database that holds the table; a file of Pilotage's if empty."),
    ] = ""
