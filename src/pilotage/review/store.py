"""The SQL of review: what people said, the cases, and every step of each. Cases change only under their fence."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from pilotage.decisions.records import Decision, Said
from pilotage.decisions.store import decisions, decode
from pilotage.platform.database import Instant, Json, insert_ignoring, metadata
from pilotage.releases.rules import ANSWERING
from pilotage.review.records import Case, Event, Feedback, QueueCounts, Verdict

feedback = sa.Table(
    "feedback",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("decision", sa.String(40), nullable=False),
    sa.Column("use_case", sa.String(64), nullable=False),
    sa.Column("entity", sa.String(200), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("person", sa.String(200), nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Index(None, "decision"),
    sa.Index(None, "use_case", "at"),
)

cases = sa.Table(
    "review_cases",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("decision", sa.String(40), nullable=False, unique=True),
    sa.Column("use_case", sa.String(64), nullable=False),
    sa.Column("entity", sa.String(200), nullable=False),
    sa.Column("why", sa.String(16), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("opened_at", Instant, nullable=False),
    sa.Column("due_at", Instant, nullable=False),
    sa.Column("leased_to", sa.String(200), nullable=False),
    sa.Column("leased_until", Instant),
    sa.Column("fence", sa.Integer, nullable=False),
    sa.Column("verdict_by", sa.String(200), nullable=False),
    sa.Column("verdict_at", Instant),
    sa.Column("verdict_answer", Json),
    sa.Column("verdict_reason", sa.Text, nullable=False),
    sa.Index(None, "use_case", "state", "due_at"),
)

events = sa.Table(
    "review_events",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("case", sa.String(40), sa.ForeignKey("review_cases.id"), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("fence", sa.Integer, nullable=False),
    sa.Column("person", sa.String(200), nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Index(None, "case"),
)

one_verdict = sa.Index(
    "uq_review_events_one_verdict",
    events.c.case,
    unique=True,
    sqlite_where=events.c.kind == "verdict",
    postgresql_where=events.c.kind == "verdict",
)
"""The second lock on the same door: even a wrong update of a case cannot record two verdicts."""

_UNDECIDED = ("open", "leased")


def insert_feedback(connection: sa.Connection, given: Feedback) -> bool:
    """Keep what a person said; false when this identifier is there already."""
    insert = insert_ignoring(connection, feedback).values(**msgspec.structs.asdict(given))
    return connection.execute(insert.returning(feedback.c.id)).scalar() is not None


def find_feedback(connection: sa.Connection, feedback_id: str) -> Feedback | None:
    """One thing that was said."""
    row = connection.execute(sa.select(feedback).where(feedback.c.id == feedback_id)).mappings().first()
    return None if row is None else Feedback(**row)


def feedback_on(connection: sa.Connection, decision: str) -> list[Feedback]:
    """Everything said about one decision, oldest first."""
    query = sa.select(feedback).where(feedback.c.decision == decision).order_by(feedback.c.at, feedback.c.id)
    return [Feedback(**row) for row in connection.execute(query).mappings()]


def escalated_by(connection: sa.Connection, decision: str) -> list[str]:
    """Who escalated this decision."""
    query = sa.select(feedback.c.person).where(feedback.c.decision == decision, feedback.c.kind == "escalate")
    return list(connection.execute(query).scalars())


def insert_case(connection: sa.Connection, case: Case) -> bool:
    """Open a case; false when its decision has one already."""
    insert = insert_ignoring(connection, cases).values(**msgspec.structs.asdict(case))
    if connection.execute(insert.returning(cases.c.id)).scalar() is None:
        return False
    insert_event(connection, Event(case.id, "opened", 0, "", case.opened_at, case.why))
    return True


def find_case(connection: sa.Connection, case_id: str) -> Case | None:
    """The case with this identifier."""
    return _one(connection, cases.c.id == case_id)


def case_of_decision(connection: sa.Connection, decision: str) -> Case | None:
    """The case about this decision, if there is one."""
    return _one(connection, cases.c.decision == decision)


def decisions_without_case(connection: sa.Connection, limit: int) -> list[Decision]:
    """Answers of the model that policy sends to a person and that have no case yet, oldest first.

    Decisions reach the ledger in bulk, sometimes long after they were taken: whichever have no case wait, whatever
    their time.
    """
    query = (
        sa.select(decisions.c.content)
        .outerjoin(cases, cases.c.decision == decisions.c.id)
        .where(
            decisions.c.review,
            decisions.c.stage.in_(ANSWERING),
            decisions.c.produced_by == "model",
            cases.c.id.is_(None),
        )
        .order_by(decisions.c.id)
        .limit(limit)
    )
    return [decode(content) for content in connection.execute(query).scalars()]


def list_cases(connection: sa.Connection, use_case: str, states: Collection[str], limit: int) -> list[Case]:
    """Cases in these stored states, the one due first at the top."""
    query = (
        sa.select(cases)
        .where(cases.c.use_case == use_case, cases.c.state.in_(states))
        .order_by(cases.c.due_at, cases.c.id)
        .limit(limit)
    )
    return [_case(row) for row in connection.execute(query).mappings()]


def free_cases(connection: sa.Connection, use_case: str, person: str, now: datetime, limit: int) -> list[Case]:
    """Cases that this person could take now, the one due first at the top; a case of their own comes before all."""
    query = (
        sa.select(cases)
        .where(cases.c.use_case == use_case, cases.c.state.in_(_UNDECIDED), _free_for(person, now))
        .order_by(sa.case((cases.c.leased_to == person, 0), else_=1), cases.c.due_at, cases.c.id)
        .limit(limit)
    )
    return [_case(row) for row in connection.execute(query).mappings()]


def count_cases(connection: sa.Connection, use_case: str, now: datetime) -> QueueCounts:
    """How many wait, are being worked on, are late or decided; and since when the oldest waits."""
    waiting = cases.c.state.in_(_UNDECIDED)
    leased = sa.and_(cases.c.state == "leased", cases.c.leased_until > now)
    row = connection.execute(
        sa.select(
            sa.func.count().filter(waiting, sa.not_(leased)),
            sa.func.count().filter(leased),
            sa.func.count().filter(waiting, cases.c.due_at <= now),
            sa.func.count().filter(sa.not_(waiting)),
            sa.func.min(sa.case((waiting, cases.c.opened_at))),
        ).where(cases.c.use_case == use_case)
    ).one()
    return QueueCounts(*row)


def take(connection: sa.Connection, case_id: str, person: str, now: datetime, until: datetime) -> bool:
    """Lease a case that is free, or already this person's, and raise its fence; false when it is not to be had."""
    result = connection.execute(
        sa.update(cases)
        .where(cases.c.id == case_id, cases.c.state.in_(_UNDECIDED), _free_for(person, now))
        .values(state="leased", leased_to=person, leased_until=until, fence=cases.c.fence + 1)
    )
    return result.rowcount == 1


def extend(connection: sa.Connection, case_id: str, fence: int, person: str, now: datetime, until: datetime) -> bool:
    """Keep a running lease for longer; false when it is over or another's."""
    update = sa.update(cases).where(*_held(case_id, fence, person, now)).values(leased_until=until)
    return connection.execute(update).rowcount == 1


def give_back(connection: sa.Connection, case_id: str, fence: int, person: str, now: datetime) -> bool:
    """End a running lease without a verdict; false when it is over or another's."""
    update = sa.update(cases).where(*_held(case_id, fence, person, now))
    return connection.execute(update.values(state="open", leased_to="", leased_until=None)).rowcount == 1


def decide(
    connection: sa.Connection,
    case_id: str,
    fence: int,
    person: str,
    now: datetime,
    verdict: Verdict,
    answer: Said | None,
    reason: str,
) -> bool:
    """Write the verdict if this lease still runs; the update counts for one caller only, whoever else tries."""
    update = (
        sa.update(cases)
        .where(*_held(case_id, fence, person, now))
        .values(
            state=verdict,
            leased_to="",
            leased_until=None,
            verdict_by=person,
            verdict_at=now,
            verdict_answer=answer,
            verdict_reason=reason,
        )
    )
    return connection.execute(update).rowcount == 1


def insert_event(connection: sa.Connection, event: Event) -> None:
    """Add a step to a case's history."""
    connection.execute(sa.insert(events).values(**msgspec.structs.asdict(event)))


def events_of(connection: sa.Connection, case_id: str) -> list[Event]:
    """The history of a case, oldest first."""
    columns = [events.c[name] for name in Event.__struct_fields__]
    query = sa.select(*columns).where(events.c.case == case_id).order_by(events.c.number)
    return [Event(**row) for row in connection.execute(query).mappings()]


def _held(case_id: str, fence: int, person: str, now: datetime) -> Sequence[sa.ColumnElement[bool]]:
    return (
        cases.c.id == case_id,
        cases.c.state == "leased",
        cases.c.fence == fence,
        cases.c.leased_to == person,
        cases.c.leased_until > now,
    )


def _free_for(person: str, now: datetime) -> sa.ColumnElement[bool]:
    return sa.or_(
        cases.c.state == "open",
        cases.c.leased_to == person,
        cases.c.leased_until.is_(None),
        cases.c.leased_until <= now,
    )


def _one(connection: sa.Connection, where: sa.ColumnElement[bool]) -> Case | None:
    row = connection.execute(sa.select(cases).where(where)).mappings().first()
    return None if row is None else _case(row)


def _case(row: Any) -> Case:
    return Case(**row)
