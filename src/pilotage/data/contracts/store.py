"""The table of contracts: which text is current for each source of a use case."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from pilotage.platform.database import Instant, metadata

contracts = sa.Table(
    "contracts",
    metadata,
    sa.Column("use_case", sa.String(63), primary_key=True),
    sa.Column("source", sa.String(63), primary_key=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("fingerprint", sa.String(64), nullable=False),
    sa.Column("adopted_at", Instant, nullable=False),
)


def texts(connection: sa.Connection, use_case: str) -> dict[str, str]:
    """The text of each contract of a use case, by source."""
    query = sa.select(contracts.c.source, contracts.c.text).where(contracts.c.use_case == use_case)
    return {row.source: row.text for row in connection.execute(query.order_by(contracts.c.source))}


def fingerprints(connection: sa.Connection) -> dict[str, str]:
    """The fingerprint of every contract, by ``use_case/source``."""
    query = sa.select(contracts.c.use_case, contracts.c.source, contracts.c.fingerprint)
    return {f"{row.use_case}/{row.source}": row.fingerprint for row in connection.execute(query)}


def put(connection: sa.Connection, use_case: str, source: str, text: str, fingerprint: str, at: datetime) -> str | None:
    """Make this text the current contract of a source; the fingerprint of the one before, None where there was none."""
    before = fingerprint_of(connection, use_case, source)
    if before != fingerprint:
        connection.execute(sa.delete(contracts).where(*_of(use_case, source)))
        values = {"use_case": use_case, "source": source, "text": text, "fingerprint": fingerprint, "adopted_at": at}
        connection.execute(sa.insert(contracts).values(**values))
    return before


def remove(connection: sa.Connection, use_case: str, source: str) -> None:
    """The source has no contract any more."""
    connection.execute(sa.delete(contracts).where(*_of(use_case, source)))


def fingerprint_of(connection: sa.Connection, use_case: str, source: str) -> str | None:
    """The fingerprint of a source's current contract."""
    query = sa.select(contracts.c.fingerprint).where(*_of(use_case, source))
    return connection.execute(query.with_for_update()).scalar()


def _of(use_case: str, source: str) -> tuple[sa.ColumnElement[bool], ...]:
    return contracts.c.use_case == use_case, contracts.c.source == source
