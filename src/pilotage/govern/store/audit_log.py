"""The audit log: entries as the exact bytes that were hashed, and signed checkpoints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from pilotage.govern.records import Checkpoint
from pilotage.platform.database import Instant, metadata

entries = sa.Table(
    "audit_log",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("leaf_hash", sa.LargeBinary(32), nullable=False),
    # Not hashed, for filtering only; pages show what ``content`` says.
    sa.Column("action", sa.String(200), nullable=False, index=True),
    sa.Column("use_case", sa.String(200), nullable=False, index=True),
)

checkpoints = sa.Table(
    "audit_checkpoints",
    metadata,
    sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("root", sa.LargeBinary(32), nullable=False),
    sa.Column("signature", sa.String(128), nullable=False),
    sa.Column("made_at", Instant(), nullable=False),
    sa.Column("range", sa.LargeBinary, nullable=False),
)

_HASH_BYTES = 32
_IN_PIECES = {"yield_per": 1000}
_LOCK = 0x70696C6F74  # "pilot": the advisory lock under which entries get their numbers


def wait_for_turn(connection: sa.Connection) -> None:
    """One appender at a time: SQLite's write lock is already held, PostgreSQL takes an advisory one."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def last_number(connection: sa.Connection) -> int:
    """The number of the newest entry, 0 when there is none."""
    return int(connection.execute(sa.select(sa.func.coalesce(sa.func.max(entries.c.number), 0))).scalar_one())


def append(connection: sa.Connection, **row: Any) -> None:
    """Add one entry."""
    connection.execute(entries.insert().values(**row))


def leaf_hashes_after(connection: sa.Connection, number: int) -> Iterator[bytes]:
    """Leaf hashes of the entries after this number, in order."""
    query = sa.select(entries.c.leaf_hash).where(entries.c.number > number).order_by(entries.c.number)
    yield from connection.execute(query, execution_options=_IN_PIECES).scalars()


def in_order(connection: sa.Connection) -> Iterator[sa.Row[Any]]:
    """All entries by number, read in pieces."""
    query = sa.select(entries).order_by(entries.c.number)
    yield from connection.execute(query, execution_options=_IN_PIECES)


def of_action(connection: sa.Connection, action: str) -> Iterator[bytes]:
    """Contents of all entries of one action, by number, read in pieces."""
    query = sa.select(entries.c.content).where(entries.c.action == action).order_by(entries.c.number)
    yield from (bytes(content) for content in connection.execute(query, execution_options=_IN_PIECES).scalars())


def between(connection: sa.Connection, after: int, upto: int, actions: Sequence[str]) -> list[bytes]:
    """Contents of the entries of these actions with ``after`` < number <= ``upto``, by number.

    Costs the entries between, whatever they are of: by the action's index it would be all of these actions there ever
    were, and SQLite takes an index wherever the bare column is compared.
    """
    action = entries.c.action.concat("")
    query = sa.select(entries.c.content).where(entries.c.number > after, entries.c.number <= upto)
    query = query.where(action.in_(actions)).order_by(entries.c.number)
    return [bytes(content) for content in connection.execute(query).scalars()]


def of_actions(connection: sa.Connection, actions: Sequence[str]) -> list[bytes]:
    """Contents of all entries of these actions, by number."""
    query = sa.select(entries.c.content).where(entries.c.action.in_(actions)).order_by(entries.c.number)
    return [bytes(content) for content in connection.execute(query).scalars()]


def newest(
    connection: sa.Connection, limit: int, before: int | None = None, use_case: str = "", action: str = ""
) -> list[tuple[int, bytes]]:
    """Numbers and contents of the newest entries, newest first, optionally of one use case or action."""
    query = sa.select(entries.c.number, entries.c.content).order_by(entries.c.number.desc()).limit(limit)
    if before is not None:
        query = query.where(entries.c.number < before)
    if use_case:
        query = query.where(entries.c.use_case == use_case)
    if action:
        query = query.where(entries.c.action == action)
    return [(row.number, bytes(row.content)) for row in connection.execute(query)]


def actions(connection: sa.Connection) -> list[str]:
    """All actions that occur, for the filter."""
    return list(connection.execute(sa.select(entries.c.action).distinct().order_by(entries.c.action)).scalars())


def use_cases(connection: sa.Connection) -> list[str]:
    """All use cases and subjects that occur, for the filter."""
    return list(connection.execute(sa.select(entries.c.use_case).distinct().order_by(entries.c.use_case)).scalars())


def all_checkpoints(connection: sa.Connection) -> list[Checkpoint]:
    """All checkpoints, smallest first."""
    return [_checkpoint(row) for row in connection.execute(sa.select(checkpoints).order_by(checkpoints.c.size))]


def last_checkpoint(connection: sa.Connection) -> Checkpoint | None:
    """The checkpoint that covers most."""
    row = connection.execute(sa.select(checkpoints).order_by(checkpoints.c.size.desc()).limit(1)).first()
    return None if row is None else _checkpoint(row)


def keep_checkpoint(connection: sa.Connection, checkpoint: Checkpoint) -> None:
    """Store a signed checkpoint."""
    connection.execute(
        checkpoints.insert().values(
            size=checkpoint.size,
            root=checkpoint.root,
            signature=checkpoint.signature,
            made_at=checkpoint.made_at,
            range=b"".join(checkpoint.range),
        )
    )


def _checkpoint(row: sa.Row[Any]) -> Checkpoint:
    joined = bytes(row.range)
    hashes = tuple(joined[at : at + _HASH_BYTES] for at in range(0, len(joined), _HASH_BYTES))
    return Checkpoint(row.size, bytes(row.root), row.signature, row.made_at, hashes)
