"""Second factors: each person's sealed secret, the last code used, and recovery codes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from pilotage.govern.records import SecondFactor
from pilotage.platform.database import Instant, insert_ignoring, metadata

second_factors = sa.Table(
    "second_factors",
    metadata,
    sa.Column("person_id", sa.String(40), sa.ForeignKey("people.id"), primary_key=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("made_at", Instant(), nullable=False),
    sa.Column("confirmed_at", Instant()),
    sa.Column("last_step", sa.BigInteger, nullable=False),
)

recovery_codes = sa.Table(
    "recovery_codes",
    metadata,
    sa.Column("person_id", sa.String(40), sa.ForeignKey("people.id"), primary_key=True),
    sa.Column("code_hash", sa.LargeBinary(32), primary_key=True),
)


def find(connection: sa.Connection, person_id: str) -> SecondFactor | None:
    """A person's second factor."""
    row = connection.execute(sa.select(second_factors).where(second_factors.c.person_id == person_id)).first()
    return None if row is None else SecondFactor(row.person_id, bytes(row.sealed), row.confirmed_at, row.last_step)


def confirmed(connection: sa.Connection) -> set[str]:
    """The people who have one."""
    query = sa.select(second_factors.c.person_id).where(second_factors.c.confirmed_at.is_not(None))
    return set(connection.execute(query).scalars())


def add(connection: sa.Connection, person_id: str, sealed: bytes, now: datetime, step: int) -> bool:
    """Keep a secret that the person proved to hold by the code of a time step; false when they have one already."""
    same = second_factors.c.person_id == person_id
    connection.execute(second_factors.delete().where(same, second_factors.c.confirmed_at.is_(None)))
    row = {"person_id": person_id, "sealed": sealed, "made_at": now, "confirmed_at": now, "last_step": step}
    return bool(connection.execute(insert_ignoring(connection, second_factors).values(row)).rowcount == 1)


def use_step(connection: sa.Connection, person_id: str, step: int) -> bool:
    """Use up the code of a time step and of all before it; false when that was done: of two at once, one gets in."""
    where = (second_factors.c.person_id == person_id, second_factors.c.last_step < step)
    return connection.execute(second_factors.update().where(*where).values(last_step=step)).rowcount == 1


def remove(connection: sa.Connection, person_id: str) -> bool:
    """Forget a person's second factor and recovery codes; false when there was none."""
    connection.execute(recovery_codes.delete().where(recovery_codes.c.person_id == person_id))
    return connection.execute(second_factors.delete().where(second_factors.c.person_id == person_id)).rowcount == 1


def set_recovery_codes(connection: sa.Connection, person_id: str, hashes: Iterable[bytes]) -> None:
    """Replace a person's recovery codes."""
    connection.execute(recovery_codes.delete().where(recovery_codes.c.person_id == person_id))
    connection.execute(recovery_codes.insert(), [{"person_id": person_id, "code_hash": each} for each in hashes])


def use_recovery_code(connection: sa.Connection, person_id: str, code_hash: bytes) -> bool:
    """Use up a recovery code; false when it is none of theirs, or was used."""
    where = (recovery_codes.c.person_id == person_id, recovery_codes.c.code_hash == code_hash)
    return connection.execute(recovery_codes.delete().where(*where)).rowcount == 1


def recovery_codes_left(connection: sa.Connection, person_id: str) -> int:
    """How many recovery codes a person still has."""
    query = sa.select(sa.func.count()).where(recovery_codes.c.person_id == person_id)
    return int(connection.execute(query.select_from(recovery_codes)).scalar_one())
