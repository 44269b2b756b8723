"""People, the roles granted to them and to keys, their sessions, and wrong passwords."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from pilotage.govern.records import Grant, Person, Role, Session, Wait
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
    sa.Column("id", sa.String(40), nullable=False),
    sa.Column("person_id", sa.String(40), sa.ForeignKey("people.id"), nullable=False, index=True),
    sa.Column("agent", sa.String(200), nullable=False),
    sa.Column("waits_for", sa.String(16), nullable=False),
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


def names(connection: sa.Connection) -> list[str]:
    """What everybody is called."""
    return list(connection.execute(sa.select(people.c.name)).scalars())


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
    close_sessions(connection, person_id)


def set_enabled(connection: sa.Connection, person_id: str) -> None:
    """This person may log in again."""
    connection.execute(people.update().where(people.c.id == person_id).values(disabled_at=None))
    close_sessions(connection, person_id)


def set_password(connection: sa.Connection, person_id: str, password_hash: str) -> None:
    """Replace the password; every session of the person ends."""
    connection.execute(people.update().where(people.c.id == person_id).values(password_hash=password_hash))
    close_sessions(connection, person_id)


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


def open_session(connection: sa.Connection, token_hash: bytes, session: Session) -> None:
    """Store a session, and forget those that are over."""
    connection.execute(sessions.delete().where(sessions.c.expires_at <= session.made_at))
    row = {name: getattr(session, name) for name in ("id", "agent", "waits_for", "made_at", "expires_at")}
    connection.execute(sessions.insert().values(token_hash=token_hash, person_id=session.person, **row))


def person_in_session(
    connection: sa.Connection, token_hash: bytes, now: datetime, waits_for: Collection[Wait]
) -> tuple[Person, Wait] | None:
    """Whose session this is and what it waits for; None when it is over, for another wait, or the person disabled."""
    query = (
        sa.select(people, sessions.c.waits_for)
        .join(sessions, sessions.c.person_id == people.c.id)
        .where(
            sessions.c.token_hash == token_hash,
            sessions.c.expires_at > now,
            sessions.c.waits_for.in_(waits_for),
            people.c.disabled_at.is_(None),
        )
    )
    row = connection.execute(query).first()
    return None if row is None else (_person(row, grants_of(connection, [row.id])[row.id]), row.waits_for)


def sessions_of(connection: sa.Connection, person_id: str, token_hash: bytes, now: datetime) -> list[Session]:
    """The open sessions of a person, newest first; the one with this token is the one that asks."""
    query = sa.select(sessions).where(
        sessions.c.person_id == person_id, sessions.c.expires_at > now, sessions.c.waits_for == ""
    )
    rows = connection.execute(query.order_by(sessions.c.made_at.desc(), sessions.c.id)).all()
    return [
        Session(row.id, row.person_id, row.agent, row.made_at, row.expires_at, here=bytes(row.token_hash) == token_hash)
        for row in rows
    ]


def close_session(connection: sa.Connection, token_hash: bytes) -> bool:
    """Forget a session; false when there is none of this token."""
    return connection.execute(sessions.delete().where(sessions.c.token_hash == token_hash)).rowcount == 1


def close_sessions(connection: sa.Connection, person_id: str, but: bytes = b"") -> int:
    """Forget all sessions of a person, but for the one with this token; how many there were."""
    where = (sessions.c.person_id == person_id, sessions.c.token_hash != but)
    return connection.execute(sessions.delete().where(*where)).rowcount


def failures(connection: sa.Connection, name_hash: bytes, now: datetime) -> tuple[int, datetime]:
    """How many wrong tries in a row a name had, and when the last was; nobody else reads or counts until we are done.

    The row is made where there is none.
    """
    row = {"name_hash": name_hash, "failures": 0, "last_at": now}
    query = sa.select(wrong_passwords).where(wrong_passwords.c.name_hash == name_hash).with_for_update()
    while True:
        connection.execute(insert_ignoring(connection, wrong_passwords).values(row))
        found = connection.execute(query).first()
        if found is not None:  # else another process, whose try was right, has removed the row between the two
            return found.failures, found.last_at


def count_failure(connection: sa.Connection, name_hash: bytes, now: datetime, forget_before: datetime) -> None:
    """One more wrong try for this name; old ones of all names are forgotten."""
    connection.execute(wrong_passwords.delete().where(wrong_passwords.c.last_at < forget_before))
    more = {"failures": wrong_passwords.c.failures + 1, "last_at": now}
    connection.execute(wrong_passwords.update().where(wrong_passwords.c.name_hash == name_hash).values(more))


def set_failures(connection: sa.Connection, name_hash: bytes, failures: int, since: datetime) -> None:
    """So many wrong tries count from this instant on, of a row that :func:`failures` has read."""
    row = {"failures": failures, "last_at": since}
    connection.execute(wrong_passwords.update().where(wrong_passwords.c.name_hash == name_hash).values(row))


def forget_failures(connection: sa.Connection, name_hash: bytes) -> None:
    """The password was right: start counting anew."""
    connection.execute(wrong_passwords.delete().where(wrong_passwords.c.name_hash == name_hash))


def _person(row: sa.Row[Any], granted: tuple[Grant, ...]) -> Person:
    return Person(row.id, row.name, row.made_at, row.disabled_at, granted)
