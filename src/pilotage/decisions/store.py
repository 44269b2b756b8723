"""The SQL of the decision ledger. Rows are only ever added.

``content`` holds the exact bytes that were made durable and hashed; the other columns are readings of it for queries.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from pilotage.decisions.records import Decision
from pilotage.platform.database import Instant, Json, insert_ignoring, metadata

decisions = sa.Table(
    "decisions",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("use_case", sa.String(64), nullable=False),
    sa.Column("entity", sa.String(200), nullable=False),
    sa.Column("moment", Instant, nullable=False),
    sa.Column("decided_at", Instant, nullable=False),
    sa.Column("stage", sa.String(16), nullable=False),
    sa.Column("arm", sa.String(8), nullable=False),
    sa.Column("version", sa.String(40)),
    sa.Column("produced_by", sa.String(8), nullable=False),
    sa.Column("reason", sa.String(32), nullable=False),
    # As JSON has them: true or false, a text in quotes, a number.
    sa.Column("answer", Json),
    sa.Column("model_answer", Json),
    sa.Column("rule_answer", Json),
    sa.Column("probability", sa.Float),
    sa.Column("band", sa.String(12)),
    sa.Column("confidence", sa.Float),
    sa.Column("low", sa.Float),
    sa.Column("high", sa.Float),
    sa.Column("review", sa.Boolean, nullable=False),
    sa.Column("asked_by", sa.String(80), nullable=False, server_default=""),
    sa.Column("latency_us", sa.Integer, nullable=False),
    sa.Column("model_failure", sa.String(32), nullable=False),
    sa.Column("batch", sa.String(40), nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Index(None, "use_case", "moment"),
    sa.Index(None, "use_case", "entity", "decided_at"),
    sa.Index(None, "batch"),
    # For those who wait to be reviewed: SQLite uses the index only for a condition written as it is asked.
    sa.Index(
        "ix_decisions_for_review",
        "id",
        sqlite_where=sa.text("review = 1"),
        postgresql_where=sa.text("review"),
    ),
)

_AT_ONCE = 1_000
"""So many parameters are well within what either database takes."""

_READ = tuple(column.name for column in decisions.columns if column.name not in ("batch", "content"))


def insert_all(connection: sa.Connection, records: Sequence[tuple[Decision, bytes]], batch: str) -> None:
    """Add decisions with their exact bytes; one that is already there is left alone."""
    rows = [
        {**{name: getattr(decision, name) for name in _READ}, "batch": batch, "content": content}
        for decision, content in records
    ]
    connection.execute(insert_ignoring(connection, decisions), rows)


def known_ids(connection: sa.Connection, ids: Sequence[str]) -> set[str]:
    """Which of these decisions are in the ledger already; at most some thousands at a time."""
    return set(connection.execute(sa.select(decisions.c.id).where(decisions.c.id.in_(ids))).scalars())


def contents(connection: sa.Connection, ids: Sequence[str]) -> dict[str, bytes]:
    """The exact bytes of these decisions, as far as they are in the ledger."""
    query = sa.select(decisions.c.id, decisions.c.content).where(decisions.c.id.in_(ids))
    return {row.id: row.content for row in connection.execute(query)}


def find(connection: sa.Connection, decision_id: str) -> Decision | None:
    """The decision with this identifier."""
    content = connection.execute(sa.select(decisions.c.content).where(decisions.c.id == decision_id)).scalar()
    return None if content is None else decode(content)


def find_all(connection: sa.Connection, ids: Sequence[str]) -> list[Decision]:
    """Those of these decisions that are in the ledger."""
    found: list[Decision] = []
    for start in range(0, len(ids), _AT_ONCE):
        query = sa.select(decisions.c.content).where(decisions.c.id.in_(ids[start : start + _AT_ONCE]))
        found += [decode(content) for content in connection.execute(query).scalars()]
    return found


def newest_for(connection: sa.Connection, use_case: str, entity: str) -> Decision | None:
    """The newest decision about one entity."""
    query = (
        sa.select(decisions.c.content)
        .where(decisions.c.use_case == use_case, decisions.c.entity == entity)
        .order_by(decisions.c.decided_at.desc(), decisions.c.id.desc())
        .limit(1)
    )
    content = connection.execute(query).scalar()
    return None if content is None else decode(content)


def recent(connection: sa.Connection, use_case: str, limit: int, text: str = "") -> list[Decision]:
    """The newest decisions of a use case, newest first; with ``text``, those whose entity contains it."""
    query = sa.select(decisions.c.content).where(decisions.c.use_case == use_case)
    if text:
        query = query.where(decisions.c.entity.icontains(text, autoescape=True))
    query = query.order_by(decisions.c.id.desc()).limit(limit)
    return [decode(content) for content in connection.execute(query).scalars()]


_LOOKED_AT_MAX = 100_000


class Sample(Struct, frozen=True):
    """Decisions about moments from ``since`` to ``until``, evenly spread over the ``count`` that there are."""

    since: datetime
    until: datetime
    count: int
    decisions: list[Decision]


def sample(
    connection: sa.Connection, use_case: str, decided_since: datetime, until: datetime, period: timedelta, limit: int
) -> Sample | None:
    """So many decisions at most of the newest period that ends not after ``until``; None where there is none.

    Of a period with more than 100,000 decisions only the newest ones are looked at.
    """
    known = (decisions.c.use_case == use_case, decisions.c.moment <= until, decisions.c.decided_at >= decided_since)
    newest = (*(decisions.c[name] for name in ("moment", "id")),)
    query = sa.select(*newest).where(*known).order_by(*(column.desc() for column in newest)).limit(_LOOKED_AT_MAX)
    last = connection.execute(query.limit(1)).first()
    if last is None:
        return None
    since = last.moment - period
    ids = [row.id for row in connection.execute(query.where(decisions.c.moment >= since))]
    chosen = ids[:: max(1, -(-len(ids) // limit))]
    found = sa.select(decisions.c.content).where(decisions.c.id.in_(chosen)).order_by(*newest)
    contents = connection.execute(found).scalars()
    return Sample(since, last.moment, len(ids), [decode(content) for content in contents])


class Kept(Struct, frozen=True):
    """A decision as the ledger keeps it: its exact bytes, and whether the other columns say the same."""

    id: str
    content: bytes
    agrees: bool


def batch(connection: sa.Connection, name: str) -> list[Kept]:
    """One recorded batch, in the order of its identifiers."""
    query = sa.select(decisions).where(decisions.c.batch == name).order_by(decisions.c.id)
    return [_kept(row) for row in connection.execute(query).mappings()]


def count(connection: sa.Connection) -> int:
    """All decisions of all use cases."""
    return int(connection.execute(sa.select(sa.func.count()).select_from(decisions)).scalar_one())


def _kept(row: Any) -> Kept:
    # Whoever changed a row may have changed its type too: that is to be found, not stumbled over.
    content = row["content"] if isinstance(row["content"], bytes) else str(row["content"]).encode()
    try:
        decision = decode(content)
    except msgspec.MsgspecError:
        return Kept(row["id"], content, agrees=False)
    return Kept(row["id"], content, agrees=all(row[name] == getattr(decision, name) for name in _READ))


def encode(decision: Decision) -> bytes:
    """The bytes of a decision, as they are made durable and hashed."""
    return msgspec.json.encode(decision)


def decode(content: bytes) -> Decision:
    """The decision in these bytes."""
    return msgspec.json.decode(content, type=Decision)
