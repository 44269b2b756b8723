"""The SQL of what each writer of a spool did: how many records it made durable, and how many reached the ledger."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime

import sqlalchemy as sa
from msgspec import Struct

from pilotage.platform.database import Instant, insert_ignoring, metadata

spool_streams = sa.Table(
    "spool_streams",
    metadata,
    sa.Column("stream", sa.String(64), primary_key=True),
    sa.Column("folder", sa.String(16), nullable=False),
    sa.Column("reached", sa.BigInteger, nullable=False),
    sa.Column("kept", sa.BigInteger, nullable=False),
    sa.Column("lost", sa.BigInteger, nullable=False),
    sa.Column("seen_at", Instant, nullable=False),
    sa.Index(None, "folder"),
)

_PAST = "past-"
"""Opens the name of a row that adds up many."""


class Stream(Struct, frozen=True):
    """One life of one writer: ``reached`` records were durable in its spool as far as is known, ``kept`` of them came
    into the ledger, and ``lost`` were declared lost. ``folder`` tells which spool folder on which machine it wrote to.
    """

    stream: str
    folder: str
    reached: int
    kept: int
    lost: int


def add(connection: sa.Connection, found: Stream, now: datetime) -> None:
    """Count so many more as kept; ``reached`` and ``lost`` only ever grow, whoever knows more of them."""
    row = {"stream": found.stream, "folder": found.folder, "reached": 0, "kept": 0, "lost": 0, "seen_at": now}
    connection.execute(insert_ignoring(connection, spool_streams).values(row))
    columns = spool_streams.c
    connection.execute(
        spool_streams.update()
        .where(columns.stream == found.stream)
        .values(
            reached=sa.case((columns.reached < found.reached, found.reached), else_=columns.reached),
            kept=columns.kept + found.kept,
            lost=sa.case((columns.lost < found.lost, found.lost), else_=columns.lost),
            seen_at=now,
        )
    )


def fold(connection: sa.Connection, before: datetime) -> int:
    """Add up, per folder, what writers did whom nobody heard of since, where all of it is in the ledger; how many.

    A writer of whom something is missing keeps its own row.
    """
    columns = spool_streams.c
    over = sa.and_(columns.seen_at < before, columns.reached <= columns.kept, columns.stream.not_like(f"{_PAST}%"))
    done = connection.execute(sa.select(spool_streams).where(over).with_for_update()).all()
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for each in done:
        sums[each.folder].update(kept=each.kept, lost=each.lost)
        connection.execute(spool_streams.delete().where(columns.stream == each.stream))
    for folder, past in sums.items():
        own = columns.stream == f"{_PAST}{folder}"
        row = {"stream": f"{_PAST}{folder}", "folder": folder, "reached": 0, "kept": 0, "lost": 0, "seen_at": before}
        connection.execute(insert_ignoring(connection, spool_streams).values(row))
        grown = {"kept": columns.kept + past["kept"], "lost": columns.lost + past["lost"]}
        connection.execute(spool_streams.update().where(own).values(**grown, reached=grown["kept"]))
    return len(done)


def streams(connection: sa.Connection) -> list[Stream]:
    """Every writer of every spool folder; those of long ago in one row per folder."""
    columns = [spool_streams.c[name] for name in Stream.__struct_fields__]
    return [Stream(*row) for row in connection.execute(sa.select(*columns).order_by(spool_streams.c.stream))]
