"""Who is known at an OpenID provider under which subject."""

from __future__ import annotations

import sqlalchemy as sa

from pilotage.govern.records import SUBJECT_LETTERS_MAX
from pilotage.platform.database import metadata

identities = sa.Table(
    "identities",
    metadata,
    sa.Column("issuer", sa.String(500), primary_key=True),
    sa.Column("subject", sa.String(SUBJECT_LETTERS_MAX), primary_key=True),
    sa.Column("person_id", sa.String(40), sa.ForeignKey("people.id"), nullable=False, index=True),
)


def person_id_of(connection: sa.Connection, issuer: str, subject: str) -> str | None:
    """The person whom a provider calls by this subject."""
    where = (identities.c.issuer == issuer, identities.c.subject == subject)
    found: str | None = connection.execute(sa.select(identities.c.person_id).where(*where)).scalar()
    return found


def add(connection: sa.Connection, issuer: str, subject: str, person_id: str) -> None:
    """Note whom a provider means by a subject."""
    connection.execute(identities.insert().values(issuer=issuer, subject=subject, person_id=person_id))


def subject_of(connection: sa.Connection, issuer: str, person_id: str) -> str | None:
    """By which subject a provider calls a person."""
    where = (identities.c.issuer == issuer, identities.c.person_id == person_id)
    found: str | None = connection.execute(sa.select(identities.c.subject).where(*where).limit(1)).scalar()
    return found


def give(connection: sa.Connection, issuer: str, subject: str, person_id: str) -> None:
    """By a subject that was somebody else, a provider means this person from now on."""
    where = (identities.c.issuer == issuer, identities.c.subject == subject)
    connection.execute(identities.update().where(*where).values(person_id=person_id))
