"""Tables of this room: the adopted use cases, and the evidence that phases have left."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from pilotage.platform.database import Instant, Json, insert_ignoring, metadata
from pilotage.usecase.records import Evidence

use_cases = sa.Table(
    "use_cases",
    metadata,
    sa.Column("name", sa.String(63), primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("file", sa.Text, nullable=False),
    sa.Column("adopted_at", Instant(), nullable=False),
    sa.Column("adopted_by", sa.Text, nullable=False),
)

# Every text that was ever adopted: what is live keeps the one that it was released with.
use_case_texts = sa.Table(
    "use_case_texts",
    metadata,
    sa.Column("use_case", sa.String(63), primary_key=True),
    sa.Column("fingerprint", sa.String(64), primary_key=True),
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("adopted_at", Instant(), nullable=False),
)

evidence = sa.Table(
    "evidence",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),  # two of one instant keep their order
    sa.Column("id", sa.String(64), nullable=False, unique=True),
    sa.Column("use_case", sa.String(63), nullable=False),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("definition", sa.String(64), nullable=False),
    sa.Column("code", sa.String(64), nullable=False),
    sa.Column("body", Json(), nullable=False),
    sa.Column("made_at", Instant(), nullable=False),
    sa.Index("ix_evidence_use_case", "use_case", "kind", "number"),
)


def put(
    connection: sa.Connection, name: str, text: str, fingerprint: str, file: str, at: datetime, by: str
) -> str | None:
    """Make this text the current one of a use case; the fingerprint of the one before, None when there was none."""
    values = {"text": text, "fingerprint": fingerprint, "file": file, "adopted_at": at, "adopted_by": by}
    before = connection.execute(
        sa.select(use_cases.c.fingerprint).where(use_cases.c.name == name).with_for_update()
    ).scalar()
    if before is None:
        connection.execute(insert_ignoring(connection, use_cases).values(name=name, **values))
    elif before != fingerprint:
        connection.execute(sa.update(use_cases).where(use_cases.c.name == name).values(**values))
    elif file:  # the same text, and perhaps elsewhere
        connection.execute(sa.update(use_cases).where(use_cases.c.name == name).values(file=file))
    if before != fingerprint:
        _keep_text(connection, name, fingerprint, text, at)
    return before


def _keep_text(connection: sa.Connection, name: str, fingerprint: str, text: str, at: datetime) -> None:
    """Keep a text for good, as the last of its use case; one that comes back comes last, too."""
    texts = use_case_texts.c
    last = sa.select(sa.func.coalesce(sa.func.max(texts.place), 0)).where(texts.use_case == name)
    values = {"place": connection.execute(last).scalar_one() + 1, "adopted_at": at}
    same = sa.and_(texts.use_case == name, texts.fingerprint == fingerprint)
    if not connection.execute(sa.update(use_case_texts).where(same).values(**values)).rowcount:
        new = {"use_case": name, "fingerprint": fingerprint, "text": text, **values}
        connection.execute(insert_ignoring(connection, use_case_texts).values(**new))


def texts_of(connection: sa.Connection, name: str) -> dict[str, str]:
    """Every text that a use case ever had, by fingerprint, the newest first."""
    query = (
        sa.select(use_case_texts.c.fingerprint, use_case_texts.c.text)
        .where(use_case_texts.c.use_case == name)
        .order_by(use_case_texts.c.place.desc())
    )
    return {row.fingerprint: row.text for row in connection.execute(query)}


def text_of(connection: sa.Connection, name: str) -> tuple[str, str] | None:
    """Text and file of the current definition."""
    row = connection.execute(sa.select(use_cases.c.text, use_cases.c.file).where(use_cases.c.name == name)).first()
    return None if row is None else (row.text, row.file)


def adopted_at(connection: sa.Connection, name: str) -> datetime | None:
    """Since when the current definition is the current one."""
    return connection.execute(sa.select(use_cases.c.adopted_at).where(use_cases.c.name == name)).scalar()


def names(connection: sa.Connection) -> list[str]:
    """Names of all adopted use cases, in order."""
    return list(connection.execute(sa.select(use_cases.c.name).order_by(use_cases.c.name)).scalars())


def add_evidence(connection: sa.Connection, piece: Evidence) -> None:
    """Append a piece of evidence; none is ever changed."""
    values: dict[str, Any] = {field: getattr(piece, field) for field in piece.__struct_fields__}
    connection.execute(sa.insert(evidence).values(**values))


def newest_evidence(connection: sa.Connection, use_case: str, kind: str) -> Evidence | None:
    """The newest piece of this kind."""
    columns = [evidence.c[field] for field in Evidence.__struct_fields__]
    statement = (
        sa.select(*columns)
        .where(evidence.c.use_case == use_case, evidence.c.kind == kind)
        .order_by(evidence.c.number.desc())
        .limit(1)
    )
    row = connection.execute(statement).first()
    return None if row is None else Evidence(*row)


def evidence_history(connection: sa.Connection, use_case: str, kind: str, limit: int) -> list[Evidence]:
    """The newest pieces of this kind, the newest first."""
    columns = [evidence.c[field] for field in Evidence.__struct_fields__]
    statement = (
        sa.select(*columns)
        .where(evidence.c.use_case == use_case, evidence.c.kind == kind)
        .order_by(evidence.c.number.desc())
        .limit(limit)
    )
    return [Evidence(*row) for row in connection.execute(statement)]
