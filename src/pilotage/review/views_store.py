"""The SQL of views: the filters that reviewers keep, and what waits by reason, which their counts are made of."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from pilotage.platform.database import Instant, insert_ignoring, metadata
from pilotage.review.records import View
from pilotage.review.store import UNDECIDED, cases

views = sa.Table(
    "review_views",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("use_case", sa.String(64), nullable=False),
    sa.Column("person", sa.String(200), nullable=False),
    sa.Column("name", sa.String(60), nullable=False),
    # The name without its case: two of one person's that differ in nothing else are one.
    sa.Column("folded", sa.String(200), nullable=False),
    # From 1 up to how many one may keep: however many are kept at one moment, none is one too many.
    sa.Column("place", sa.Integer, nullable=False),
    sa.Column("shared", sa.Boolean, nullable=False),
    sa.Column("show", sa.String(16), nullable=False),
    sa.Column("why", sa.String(16), nullable=False),
    sa.Column("skill", sa.String(64), nullable=False),
    sa.Column("entity", sa.String(200), nullable=False),
    sa.Column("overdue", sa.Boolean, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.UniqueConstraint("use_case", "person", "folded"),
    sa.UniqueConstraint("use_case", "person", "place"),
    sa.Index(None, "use_case", "shared"),
)
_KEPT = [views.c[name] for name in View.__struct_fields__]


def views_of(connection: sa.Connection, use_case: str, person: str) -> list[View]:
    """What this person sees of a queue's views: their own in the order in which they were kept, then those shared."""
    seen = sa.or_(views.c.person == person, views.c.shared)
    query = sa.select(*_KEPT).where(views.c.use_case == use_case, seen).order_by(views.c.at, views.c.place, views.c.id)
    found = [View(**row) for row in connection.execute(query).mappings()]
    return sorted(found, key=lambda view: view.person != person)


def find_view(connection: sa.Connection, view_id: str) -> View | None:
    """One view."""
    row = connection.execute(sa.select(*_KEPT).where(views.c.id == view_id)).mappings().first()
    return None if row is None else View(**row)


def names_and_places(connection: sa.Connection, use_case: str, person: str) -> dict[str, int]:
    """The place of each of a person's views, by its name without its case."""
    mine = (views.c.use_case == use_case, views.c.person == person)
    return dict(tuple(row) for row in connection.execute(sa.select(views.c.folded, views.c.place).where(*mine)))


def insert_view(connection: sa.Connection, view: View, place: int) -> bool:
    """Keep a view; false when its name or its place is taken."""
    values: dict[str, Any] = {**msgspec.structs.asdict(view), "folded": view.name.casefold(), "place": place}
    return bool(connection.execute(insert_ignoring(connection, views).values(**values)).rowcount == 1)


def change_view(connection: sa.Connection, view_id: str, name: str, shared: bool) -> None:
    """Rename a view, and share it or not.

    Raises:
        sqlalchemy.exc.IntegrityError: its person has another one of this name.
    """
    values = {"name": name, "folded": name.casefold(), "shared": shared}
    connection.execute(sa.update(views).where(views.c.id == view_id).values(**values))


def delete_view(connection: sa.Connection, view_id: str) -> None:
    """Keep a view no longer."""
    connection.execute(sa.delete(views).where(views.c.id == view_id))


def count_waiting(connection: sa.Connection, use_case: str, now: datetime) -> Collection[tuple[str, int, int]]:
    """(why they came, how many cases wait, how many of these past their time)."""
    late = sa.func.count().filter(cases.c.due_at <= now)
    # By state, too, as the index has them: else they would be sorted first.
    query = (
        sa.select(cases.c.why, sa.func.count(), late)
        .where(cases.c.use_case == use_case, cases.c.state.in_(UNDECIDED))
        .group_by(cases.c.state, cases.c.why)
    )
    found: dict[str, tuple[int, int]] = {}
    for why, waiting, overdue in connection.execute(query):
        before = found.get(why, (0, 0))
        found[why] = (before[0] + waiting, before[1] + overdue)
    return [(why, *counts) for why, counts in found.items()]
