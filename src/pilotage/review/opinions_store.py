"""The SQL of what reviewers say: opinions, one per case and round; comments; skills; how far the ledger was read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from pilotage.platform.database import Instant, Json, insert_ignoring, metadata
from pilotage.review.records import Comment, Opinion

opinions = sa.Table(
    "review_opinions",
    metadata,
    sa.Column("case", sa.String(40), sa.ForeignKey("review_cases.id"), primary_key=True),
    # The second lock on the same door: even a wrong update of a case cannot record two opinions in one round.
    sa.Column("round", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("use_case", sa.String(64), nullable=False),
    sa.Column("person", sa.String(200), nullable=False),
    sa.Column("verdict", sa.String(16), nullable=False),
    sa.Column("answer", Json),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("blind", sa.Boolean, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("undone_at", Instant),
    sa.Index(None, "use_case", "at"),
)

comments = sa.Table(
    "review_comments",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("case", sa.String(40), sa.ForeignKey("review_cases.id"), nullable=False),
    sa.Column("person", sa.String(200), nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("link", sa.Text, nullable=False),
    sa.Column("late", sa.Boolean, nullable=False),
    sa.Index(None, "case"),
)

skills = sa.Table(
    "reviewer_skills",
    metadata,
    sa.Column("person", sa.String(200), primary_key=True),
    sa.Column("use_case", sa.String(64), primary_key=True),
    sa.Column("skill", sa.String(64), primary_key=True),
)

cursor = sa.Table(
    "review_cursor",
    metadata,
    sa.Column("name", sa.String(16), primary_key=True),
    sa.Column("entry", sa.BigInteger, nullable=False),
)
_LEDGER = "ledger"
_AT_ONCE = 1_000
"""So many parameters are well within what either database takes."""


def insert_opinion(connection: sa.Connection, given: Opinion) -> None:
    """Keep an opinion. The database refuses a second one of the same round."""
    connection.execute(sa.insert(opinions).values(**msgspec.structs.asdict(given)))


def opinions_on(connection: sa.Connection, case_id: str) -> list[Opinion]:
    """Every opinion on a case, also those taken back, in order."""
    query = sa.select(opinions).where(opinions.c.case == case_id).order_by(opinions.c.round)
    return [Opinion(**row) for row in connection.execute(query).mappings()]


def opinions_on_all(connection: sa.Connection, case_ids: Sequence[str]) -> dict[str, list[Opinion]]:
    """Every opinion on each of these cases, also those taken back, in order."""
    found: dict[str, list[Opinion]] = {}
    for start in range(0, len(case_ids), _AT_ONCE):
        some = case_ids[start : start + _AT_ONCE]
        query = sa.select(opinions).where(opinions.c.case.in_(some)).order_by(opinions.c.case, opinions.c.round)
        for row in connection.execute(query).mappings():
            found.setdefault(row["case"], []).append(Opinion(**row))
    return found


def undo_opinion(connection: sa.Connection, given: Opinion, now: datetime) -> bool:
    """Take an opinion back; false when it was before."""
    where = (opinions.c.case == given.case, opinions.c.round == given.round, opinions.c.undone_at.is_(None))
    return connection.execute(sa.update(opinions).where(*where).values(undone_at=now)).rowcount == 1


def judged_by(connection: sa.Connection, case_ids: Collection[str]) -> dict[str, set[str]]:
    """Who has a standing opinion on each of these cases; at most some hundreds at a time."""
    query = sa.select(opinions.c.case, opinions.c.person).where(
        opinions.c.case.in_(case_ids), opinions.c.undone_at.is_(None)
    )
    found: dict[str, set[str]] = {}
    for case, person in connection.execute(query):
        found.setdefault(case, set()).add(person)
    return found


def opinions_since(connection: sa.Connection, use_case: str, since: datetime) -> list[Opinion]:
    """All standing opinions in a use case from an instant on, oldest first."""
    query = (
        sa.select(opinions)
        .where(opinions.c.use_case == use_case, opinions.c.at >= since, opinions.c.undone_at.is_(None))
        .order_by(opinions.c.at, opinions.c.case)
    )
    return [Opinion(**row) for row in connection.execute(query).mappings()]


def insert_comment(connection: sa.Connection, comment: Comment) -> None:
    """Keep a comment."""
    connection.execute(sa.insert(comments).values(**msgspec.structs.asdict(comment)))


def comments_on(connection: sa.Connection, case_id: str) -> list[Comment]:
    """Every comment on a case, oldest first."""
    query = sa.select(comments).where(comments.c.case == case_id).order_by(comments.c.at, comments.c.id)
    return [Comment(**row) for row in connection.execute(query).mappings()]


def skills_of(connection: sa.Connection, person: str, use_case: str) -> list[str]:
    """What a reviewer is known to be able to judge in a use case."""
    where = (skills.c.person == person, skills.c.use_case == use_case)
    return list(connection.execute(sa.select(skills.c.skill).where(*where).order_by(skills.c.skill)).scalars())


def set_skills(connection: sa.Connection, person: str, use_case: str, wanted: Iterable[str]) -> None:
    """Replace a reviewer's skills in a use case."""
    connection.execute(sa.delete(skills).where(skills.c.person == person, skills.c.use_case == use_case))
    rows: list[dict[str, Any]] = [{"person": person, "use_case": use_case, "skill": each} for each in wanted]
    if rows:
        connection.execute(sa.insert(skills), rows)


def cursor_at(connection: sa.Connection) -> int:
    """The entry of the audit log up to which the ledger was looked through for cases; 0 at the beginning."""
    return connection.execute(sa.select(cursor.c.entry).where(cursor.c.name == _LEDGER)).scalar() or 0


def move_cursor(connection: sa.Connection, entry: int) -> None:
    """Note that the ledger was looked through up to this entry; never backwards."""
    connection.execute(insert_ignoring(connection, cursor).values(name=_LEDGER, entry=0))
    where = (cursor.c.name == _LEDGER, cursor.c.entry < entry)
    connection.execute(sa.update(cursor).where(*where).values(entry=entry))
