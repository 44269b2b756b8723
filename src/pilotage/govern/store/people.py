"""People, the roles granted to them and to keys, their sessions, and wrong passwords."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from pilotage.govern.records import Grant, Person, Role
from pilotage.platform.database import Instant, insert_ignoring, metadata

people = sa.Table(
    "people",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("name", sa.String(80), nullable=False, unique=True),
    sa.Column("password_hash", sa.String(200), nullable=False),
    sa.Column("made_at", Instant(), nullable=False),
    sa.Column("disabled_at", Instant()),
)

grants = sa.Table(
    "grants",
    metadata,
    sa.Column("principal_id", sa.String(40), primary_key=True),
    sa.Column("role", sa.String(20), primary_key=True),
    sa.Column("use_case", sa.String(64), primary_key=True),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("token_hash", sa.LargeBinary(32), primary_key=True),
    sa.Column("person_id", sa.String(40), sa.ForeignKey("people.id"), nullable=False, index=True),
    sa.Column("made_at", Instant(), nullable=False),
    sa.Column("expires_at", Instant(), nullable=False),
)

wrong_passwords = sa.Table(
    "wrong_passwords",
    metadata,
    # A hash, because people type passwords where the name belongs.
    sa.Column("name_hash", sa.LargeBinary(32), primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("last_at", Instant(), nullable=False, index=True),
)


def is_empty(connection: sa.Connection) -> bool:
    """Whether nobody was ever added."""
    return connection.execute(sa.select(people.c.id).limit(1)).first() is None


def everybody(connection: sa.Connection) -> list[Person]:
    """All people by name, with their grants."""
    rows = connection.execute(sa.select(people).order_by(people.c.name)).all()
    granted = grants_of(connection, [row.id for row in rows])
    return [_person(row, granted[row.id]) for row in rows]


def find(connection: sa.Connection, person_id: str) -> Person | None:
    """One person with grants."""
    row = connection.execute(sa.select(people).where(people.c.id == person_id)).first()
    return None if row is None else _person(row, grants_of(connection, [row.id])[row.id])


def named(connection: sa.Connection, name: str) -> tuple[Person, str] | None:
    """One person by name, and the hash of their password."""
    row = connection.execute(sa.select(people).where(people.c.name == name)).first()
    if row is None:
        return None
    return _person(row, grants_of(connection, [row.id])[row.id]), row.password_hash


def add(connection: sa.Connection, person: Person, password_hash: str) -> None:
    """Store a new person and their grants."""
    row = {"id": person.id, "name": person.name, "password_hash": password_hash, "made_at": person.made_at}
    connection.execute(people.insert().values(row))
    for grant in person.grants:
        give(connection, person.id, grant)


def set_disabled(connection: sa.Connection, person_id: str, at: datetime) -> None:
    """Nobody logs in as this person any more; their sessions end."""
    connection.execute(people.update().where(people.c.id == person_id).values(disabled_at=at))
    connection.execute(sessions.delete().where(sessions.c.person_id == person_id))


def give(connection: sa.Connection, principal_id: str, grant: Grant) -> bool:
    """Store a grant; false when it was there already."""
    row = {"principal_id": principal_id, "role": grant.role.value, "use_case": grant.use_case}
    return bool(connection.execute(insert_ignoring(connection, grants).values(row)).rowcount == 1)


def take(connection: sa.Connection, principal_id: str, grant: Grant) -> bool:
    """Remove a grant; false when it was not there."""
    same = sa.and_(
        grants.c.principal_id == principal_id,
        grants.c.role == grant.role.value,
        grants.c.use_case == grant.use_case,
    )
    return bool(connection.execute(grants.delete().where(same)).rowcount == 1)


def grants_of(connection: sa.Connection, principal_ids: Iterable[str]) -> dict[str, tuple[Grant, ...]]:
    """The grants of each of these people or keys."""
    found: dict[str, list[Grant]] = {principal_id: [] for principal_id in principal_ids}
    query = sa.select(grants).where(grants.c.principal_id.in_(list(found)))
    for row in connection.execute(query.order_by(grants.c.role, grants.c.use_case)):
        found[row.principal_id].append(Grant(Role(row.role), row.use_case))
    return {principal_id: tuple(granted) for principal_id, granted in found.items()}


def open_session(connection: sa.Connection, token_hash: bytes, person_id: str, now: datetime, until: datetime) -> None:
    """Store a session, and forget those that are over."""
    connection.execute(sessions.delete().where(sessions.c.expires_at <= now))
    row = {"token_hash": token_hash, "person_id": person_id, "made_at": now, "expires_at": until}
    connection.execute(sessions.insert().values(row))


def person_in_session(connection: sa.Connection, token_hash: bytes, now: datetime) -> Person | None:
    """Whose session this is, unless it is over or the person disabled."""
    query = (
        sa.select(people)
        .join(sessions, sessions.c.person_id == people.c.id)
        .where(sessions.c.token_hash == token_hash, sessions.c.expires_at > now, people.c.disabled_at.is_(None))
    )
    row = connection.execute(query).first()
    return None if row is None else _person(row, grants_of(connection, [row.id])[row.id])


def close_session(connection: sa.Connection, token_hash: bytes) -> None:
    """Forget a session."""
    connection.execute(sessions.delete().where(sessions.c.token_hash == token_hash))


def failures(connection: sa.Connection, name_hash: bytes) -> tuple[int, datetime] | None:
    """How many wrong passwords in a row a name had, and when the last one was."""
    row = connection.execute(sa.select(wrong_passwords).where(wrong_passwords.c.name_hash == name_hash)).first()
    return None if row is None else (row.failures, row.last_at)


def count_failure(connection: sa.Connection, name_hash: bytes, now: datetime, forget_before: datetime) -> None:
    """One more wrong password for this name; old ones of all names are forgotten."""
    connection.execute(wrong_passwords.delete().where(wrong_passwords.c.last_at < forget_before))
    row = {"name_hash": name_hash, "failures": 0, "last_at": now}
    connection.execute(insert_ignoring(connection, wrong_passwords).values(row))
    more = {"failures": wrong_passwords.c.failures + 1, "last_at": now}
    connection.execute(wrong_passwords.update().where(wrong_passwords.c.name_hash == name_hash).values(more))


def forget_failures(connection: sa.Connection, name_hash: bytes) -> None:
    """The password was right: start counting anew."""
    connection.execute(wrong_passwords.delete().where(wrong_passwords.c.name_hash == name_hash))


def _person(row: sa.Row[Any], granted: tuple[Grant, ...]) -> Person:
    return Person(row.id, row.name, row.made_at, row.disabled_at, granted)
