"""The SQL of what each writer of a spool did: how many records it made durable, and how many reached the ledger."""

from __future__ import annotations

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


def streams(connection: sa.Connection) -> list[Stream]:
    """Every writer that ever was, of every spool folder."""
    columns = [spool_streams.c[name] for name in Stream.__struct_fields__]
    return [Stream(*row) for row in connection.execute(sa.select(*columns).order_by(spool_streams.c.stream))]
