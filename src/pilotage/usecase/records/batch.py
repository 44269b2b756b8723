"""Files of questions: how long a run may take, and the tables that results may be written to."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from pilotage.usecase.records.parts import Duration, Name, Part


class Target(Part, frozen=True, kw_only=True):
    """A table that results may be written to. Naming it here is the permission: nothing else is ever written."""

    database: Annotated[
        str, Meta(description="env:NAME of the variable that holds its address: SQLite, PostgreSQL, MySQL or MariaDB.")
    ]
    table: Annotated[str, Meta(description="The table; it is made where there is none.")]
    write: Annotated[
        Literal["replace", "upsert"],
        Meta(
            description="replace: the table holds the newest run alone, swapped in whole; upsert: each run adds its "
            "rows, by decision."
        ),
    ]


class Batch(Part, frozen=True, kw_only=True):
    """Questions that come as files or tables, answered by jobs."""

    within: Annotated[
        Duration, Meta(description="How long after it was sent a job has to be done: what the service gate reads.")
    ] = "1 hour"
    targets: Annotated[dict[Name, Target], Meta(description="Tables that results may be written to, by name.")] = {}
