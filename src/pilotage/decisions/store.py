"""The SQL of the decision ledger. Rows are only ever added.

``content`` holds the exact bytes that were made durable and hashed; the other columns are readings of it for queries.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from pilotage.decisions.records import Decision, Search
from pilotage.platform.database import Instant, Json, metadata
from pilotage.platform.identifiers import new_id
from pilotage.platform.instants import as_utc

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
    sa.Column("job", sa.String(40), nullable=False, server_default=""),
    sa.Column("batch", sa.String(40), nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Index(None, "use_case", "moment"),
    sa.Index(None, "use_case", "entity", "decided_at"),
    sa.Index("ix_decisions_use_case_id", "use_case", "id"),
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


_read = operator.attrgetter(*_READ)
_INSTANTS = tuple(at for at, name in enumerate(_READ) if isinstance(decisions.c[name].type, Instant))
_JSON = tuple(at for at, name in enumerate(_READ) if isinstance(decisions.c[name].type, Json))
_encode_json = msgspec.json.Encoder(order="deterministic").encode


def insert_all(connection: sa.Connection, records: Sequence[tuple[Decision, bytes]], batch: str) -> int:
    """Add decisions with their exact bytes; one that is already there is left alone. How many were added.

    It is the driver's own statement: passing so many values through the types of columns takes longer than to write
    them. What comes out is what these types would store.
    """
    is_text = connection.dialect.name == "sqlite"
    rows = [(*_stored(decision, is_text), batch, content) for decision, content in records]
    names = (*_READ, "batch", "content")
    marks = ", ".join(["?" if is_text else "%s"] * len(names))
    if not rows:
        return 0
    insert = f"INSERT INTO decisions ({', '.join(names)}) VALUES ({marks}) ON CONFLICT DO NOTHING"
    return connection.exec_driver_sql(insert, rows, execution_options={"preserve_rowcount": True}).rowcount


def _stored(decision: Decision, is_text: bool) -> list[Any]:
    """The readings of a decision as the columns keep them; SQLite has no type for instants and keeps their text."""
    row = list(_read(decision))
    for at in _INSTANTS:
        instant = as_utc(row[at]).replace(tzinfo=None)
        row[at] = instant.isoformat(" ", "microseconds") if is_text else instant
    for at in _JSON:
        if row[at] is not None:
            row[at] = _encode_json(row[at]).decode()
    return row


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


def answers(connection: sa.Connection, ids: Sequence[str]) -> dict[str, Any]:
    """What was answered, of those of these decisions that are in the ledger."""
    found: dict[str, Any] = {}
    for start in range(0, len(ids), _AT_ONCE):
        query = sa.select(decisions.c.id, decisions.c.answer).where(decisions.c.id.in_(ids[start : start + _AT_ONCE]))
        found |= {row.id: row.answer for row in connection.execute(query)}
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


def asked_lately(connection: sa.Connection, use_case: str, limit: int) -> dict[str, datetime]:
    """When each caller asked last, of those who asked the newest so many questions."""
    newest = (
        sa.select(decisions.c.asked_by, decisions.c.decided_at)
        .where(decisions.c.use_case == use_case)
        .order_by(decisions.c.id.desc())
        .limit(limit)
        .subquery()
    )
    query = sa.select(newest.c.asked_by, sa.func.max(newest.c.decided_at)).group_by(newest.c.asked_by)
    return dict(tuple(row) for row in connection.execute(query))


LOOKED_THROUGH_MAX = 10_000
"""So many decisions at most are looked through for one page: it takes some tens of milliseconds, however many fit."""


class Fitting(Struct, frozen=True):
    """Identifiers of decisions that fit, newest first; ``end`` is the last looked at, empty where none is older."""

    ids: tuple[str, ...]
    end: str


def fitting(connection: sa.Connection, use_case: str, wanted: Search, limit: int) -> Fitting:
    """The newest decisions that fit, so many at most, of the next :data:`LOOKED_THROUGH_MAX`.

    Those about exactly the entity that ``wanted.text`` names, or of that id, are found wherever they are.
    """
    within = [decisions.c.use_case == use_case, *_span(wanted)]
    named = _named(connection, use_case, wanted.text)
    if named is not None:
        within.append(named)
    ids = _fitting(connection, within, wanted, limit, named is not None)
    end = ids[-1] if len(ids) >= limit else _end_of(connection, within, named is not None)
    return Fitting(tuple(ids), end)


def _fitting(
    connection: sa.Connection, within: Sequence[sa.ColumnElement[bool]], wanted: Search, limit: int, named: bool
) -> list[str]:
    """So many of those that fit, newest first."""
    newest = sa.select(*(decisions.c[name] for name in ("id", "entity", *_ASKED)))
    # By the instant first where an entity is named: the index of its decisions has them so, and SQLite then takes it.
    order = (decisions.c.decided_at.desc(),) if named else ()
    newest = newest.where(*within).order_by(*order, decisions.c.id.desc())
    if not _is_filtered(wanted, named):
        return list(connection.execute(newest.limit(limit)).scalars())
    window = newest.limit(LOOKED_THROUGH_MAX).subquery()
    fits = [window.c[name] == getattr(wanted, name) for name in _ASKED if getattr(wanted, name)]
    if wanted.text and not named:
        fits.append(window.c.entity.icontains(wanted.text, autoescape=True))
    query = sa.select(window.c.id).where(*fits).order_by(window.c.id.desc()).limit(limit)
    return list(connection.execute(query).scalars())


def _named(connection: sa.Connection, use_case: str, text: str) -> sa.ColumnElement[bool] | None:
    """What picks the decisions of exactly this entity or id, each looked up in its own index; None for a part."""
    for exact in (decisions.c.entity == text, decisions.c.id == text) if text else ():
        query = sa.select(decisions.c.id).where(decisions.c.use_case == use_case, exact).limit(1)
        if connection.execute(query).scalar():
            return exact
    return None


def _is_filtered(wanted: Search, named: bool) -> bool:
    return any(getattr(wanted, name) for name in _ASKED) or bool(wanted.text and not named)


_ASKED = ("version", "reason", "stage", "produced_by")


def _end_of(connection: sa.Connection, within: Sequence[sa.ColumnElement[bool]], named: bool) -> str:
    """The last decision that was looked at, where there may be others beyond it."""
    if named:  # few enough to have been looked at all
        return ""
    ids = sa.select(decisions.c.id).where(*within).order_by(decisions.c.id.desc())
    return connection.execute(ids.offset(LOOKED_THROUGH_MAX - 1).limit(1)).scalar() or ""


def _span(wanted: Search) -> list[sa.ColumnElement[bool]]:
    """Identifiers begin with the instant of their decision: a span of time is a span of them."""
    found = []
    if wanted.before:
        found.append(decisions.c.id < wanted.before)
    if wanted.since is not None:
        found.append(decisions.c.id >= _first_of(wanted.since))
    if wanted.until is not None:
        found.append(decisions.c.id < _first_of(wanted.until))
    return found


def _first_of(at: datetime) -> str:
    return new_id("dec", at, bytes(16))


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


_BULKY = ("inputs", "signals", "shares")
_slim = msgspec.json.Decoder(
    msgspec.defstruct(
        "SlimDecision",
        [
            (each.name, each.type) if each.required else (each.name, each.type, each.default)
            for each in msgspec.structs.fields(Decision)
            if each.name not in _BULKY
        ],
        frozen=True,
    )
)


def decode_slim(content: bytes) -> Decision:
    """The decision in these bytes without its inputs, signals and shares, which are most of them: whoever asks for one
    of these gets an AttributeError. In a third of the time.
    """
    return cast(Decision, _slim.decode(content))
