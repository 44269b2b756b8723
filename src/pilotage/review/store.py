"""The SQL of review: what people said, the cases, and every step of each. Cases change only under their fence."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from pilotage.decisions.store import decisions
from pilotage.platform.database import Instant, Json, insert_ignoring, metadata
from pilotage.releases.rules import ANSWERING
from pilotage.review.records import Case, Event, Feedback, Filter, Opinion, QueueCounts

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
    sa.Column("undone_at", Instant),
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
    sa.Column("falls_back_at", Instant, nullable=False),
    sa.Column("rank", sa.Float, nullable=False),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("wanted", sa.Integer, nullable=False),
    sa.Column("blind", sa.Boolean, nullable=False),
    sa.Column("skill", sa.String(64), nullable=False),
    sa.Column("escalated_at", Instant),
    sa.Column("leased_to", sa.String(200), nullable=False),
    sa.Column("leased_at", Instant),
    sa.Column("leased_until", Instant),
    sa.Column("fence", sa.Integer, nullable=False),
    sa.Column("verdict_by", sa.String(200), nullable=False),
    sa.Column("verdict_at", Instant),
    sa.Column("verdict_answer", Json),
    sa.Column("verdict_reason", sa.Text, nullable=False),
    sa.Index(None, "use_case", "state", "rank", "id"),
    # One for each thing that the page of a queue counts or tells, so that the cases themselves are not read.
    sa.Index(None, "use_case", "state", "why", "due_at"),
    sa.Index(None, "use_case", "state", "due_at"),
    sa.Index(None, "use_case", "state", "opened_at"),
    sa.Index(None, "state", "due_at"),
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

_AT_ONCE = 1_000
"""So many parameters are well within what either database takes."""
UNDECIDED = ("open", "leased")
_OF_AN_OPENING = ("why", "note", "opened_at", "due_at", "falls_back_at", "rank", "wanted", "blind", "skill")
_NOBODY: dict[str, Any] = {"leased_to": "", "leased_at": None, "leased_until": None}
_NO_VERDICT: dict[str, Any] = {"verdict_by": "", "verdict_at": None, "verdict_answer": None, "verdict_reason": ""}


def insert_feedback(connection: sa.Connection, given: Feedback) -> bool:
    """Keep what a person said; false when this identifier is there already."""
    insert = insert_ignoring(connection, feedback).values(**msgspec.structs.asdict(given))
    return connection.execute(insert.returning(feedback.c.id)).scalar() is not None


def find_feedback(connection: sa.Connection, feedback_id: str) -> Feedback | None:
    """One thing that was said."""
    row = connection.execute(sa.select(feedback).where(feedback.c.id == feedback_id)).mappings().first()
    return None if row is None else Feedback(**row)


def undo_feedback(connection: sa.Connection, feedback_id: str, now: datetime) -> bool:
    """Mark what was said as taken back; false when it is already."""
    standing = (feedback.c.id == feedback_id, feedback.c.undone_at.is_(None))
    return connection.execute(sa.update(feedback).where(*standing).values(undone_at=now)).rowcount == 1


def feedback_on(connection: sa.Connection, decision: str) -> list[Feedback]:
    """Everything said about one decision, oldest first, also what was taken back."""
    query = sa.select(feedback).where(feedback.c.decision == decision).order_by(feedback.c.at, feedback.c.id)
    return [Feedback(**row) for row in connection.execute(query).mappings()]


def escalated_by(connection: sa.Connection, decision: str) -> list[str]:
    """Who escalated this decision, also who took it back: they saw it when they did."""
    query = sa.select(feedback.c.person).where(feedback.c.decision == decision, feedback.c.kind == "escalate")
    return list(connection.execute(query).scalars())


def insert_case(connection: sa.Connection, case: Case) -> bool:
    """Open a case; false when its decision has one already."""
    return insert_cases(connection, [case]) == 1


def insert_cases(connection: sa.Connection, new: Sequence[Case]) -> int:
    """Open cases, except about decisions that have one already; how many are new."""
    new = sorted(new, key=lambda case: case.decision)  # so that two who open the same ones do not wait for each other
    insert = insert_ignoring(connection, cases).returning(cases.c.id)
    opened = set(connection.execute(insert, [msgspec.structs.asdict(case) for case in new]).scalars())
    told = [Event(case.id, "opened", 0, "", case.opened_at, case.why) for case in new if case.id in opened]
    if told:
        connection.execute(sa.insert(events), [msgspec.structs.asdict(event) for event in told])
    return len(opened)


def find_case(connection: sa.Connection, case_id: str, lock: bool = False) -> Case | None:
    """The case with this identifier; with ``lock``, as nobody else changes it before this transaction ends."""
    return _one(connection, cases.c.id == case_id, lock)


def find_cases(connection: sa.Connection, case_ids: Sequence[str]) -> dict[str, Case]:
    """Those of these cases that there are, by their identifiers."""
    found: dict[str, Case] = {}
    for start in range(0, len(case_ids), _AT_ONCE):
        query = sa.select(cases).where(cases.c.id.in_(case_ids[start : start + _AT_ONCE]))
        found |= {row["id"]: _case(row) for row in connection.execute(query).mappings()}
    return found


def case_of_decision(connection: sa.Connection, decision: str) -> Case | None:
    """The case about this decision, if there is one."""
    return _one(connection, cases.c.decision == decision)


def came_with(connection: sa.Connection, batches: Sequence[str]) -> list[tuple[str, bool]]:
    """(identifier, whether policy sends it to a person) of what came into the ledger with these batches, each of one
    use case.

    Of answers of the model that were given; and of those in shadow in which the rule said otherwise. The use case is
    no condition: SQLite would look for its decisions, all of them, instead of for the batches'.
    """
    given = sa.and_(decisions.c.stage.in_(ANSWERING), decisions.c.produced_by == "model")
    differs = sa.and_(decisions.c.stage.not_in(ANSWERING), decisions.c.model_answer != decisions.c.rule_answer)
    query = sa.select(decisions.c.id, decisions.c.review).where(decisions.c.batch.in_(batches), sa.or_(given, differs))
    return [tuple(row) for row in connection.execute(query.order_by(decisions.c.id))]


def list_cases(
    connection: sa.Connection, use_case: str, wanted: Filter, person: str, now: datetime, limit: int, skip: int
) -> list[Case]:
    """Cases of a queue: those that wait in the order to look at them, those that are closed newest first."""
    if wanted.state != "open":
        return _page(connection, use_case, _filtered(wanted, person, now), wanted.state == "mine", limit, skip)
    # Each state by itself comes in its order from the index; both together would be sorted, however many wait.
    waiting = [
        case
        for state in UNDECIDED
        for case in _page(
            connection, use_case, [cases.c.state == state, *_filtered(wanted, person, now)], True, limit + skip, 0
        )
    ]
    return sorted(waiting, key=lambda case: (case.rank, case.id))[skip : skip + limit]


def _page(
    connection: sa.Connection,
    use_case: str,
    where: Sequence[sa.ColumnElement[bool]],
    by_rank: bool,
    limit: int,
    skip: int,
) -> list[Case]:
    order = cases.c.rank if by_rank else cases.c.verdict_at.desc()
    query = sa.select(cases).where(cases.c.use_case == use_case, *where).order_by(order, cases.c.id)
    return [_case(row) for row in connection.execute(query.limit(limit).offset(skip)).mappings()]


def _filtered(wanted: Filter, person: str, now: datetime) -> list[sa.ColumnElement[bool]]:
    mine = sa.and_(cases.c.state == "leased", cases.c.leased_to == person, cases.c.leased_until > now)
    states: dict[str, sa.ColumnElement[bool]] = {
        "open": sa.true(),  # the caller names the states
        "mine": mine,
        "decided": cases.c.state.in_(("approved", "corrected", "rejected")),
        "lapsed": cases.c.state == "lapsed",
    }
    return [states[wanted.state], *_narrowed(wanted, now)]


def _narrowed(wanted: Filter, now: datetime) -> list[sa.ColumnElement[bool]]:
    """What a filter asks for besides the state."""
    found: list[sa.ColumnElement[bool]] = []
    if wanted.why:
        found.append(cases.c.why.in_(wanted.why))
    if wanted.skill:
        found.append(cases.c.skill == wanted.skill)
    if wanted.entity:
        found.append(cases.c.entity.icontains(wanted.entity, autoescape=True))
    if wanted.overdue:
        found.append(cases.c.due_at <= now)
    return found


def settled_cases(
    connection: sa.Connection,
    use_case: str,
    blind_only: bool,
    after: tuple[datetime, str],
    until: datetime,
    limit: int,
) -> list[Case]:
    """Cases with an answer that people gave up to ``until``, after this instant and identifier, the oldest first.

    Known cases are none of them.
    """
    at, name = after
    later = sa.or_(cases.c.verdict_at > at, sa.and_(cases.c.verdict_at == at, cases.c.id > name))
    answered = cases.c.state.in_(("approved", "corrected"))
    where = [cases.c.use_case == use_case, answered, later, cases.c.verdict_at <= until, cases.c.why != "known"]
    if blind_only:
        where.append(cases.c.blind)
    query = sa.select(cases).where(*where).order_by(cases.c.verdict_at, cases.c.id).limit(limit)
    return [_case(row) for row in connection.execute(query).mappings()]


def count_opened(connection: sa.Connection, use_case: str) -> tuple[int, int]:
    """How many cases there ever were, besides those whose outcome was known; and how many of these."""
    query = sa.select(cases.c.why == "known", sa.func.count()).where(cases.c.use_case == use_case).group_by(cases.c.why)
    found = [tuple(row) for row in connection.execute(query)]
    return sum(count for known, count in found if not known), sum(count for known, count in found if known)


def leased_cases(connection: sa.Connection, use_case: str, wanted: Filter, now: datetime) -> list[Case]:
    """Cases that somebody took and did not decide, whether their time ran out or not: never many."""
    where = [cases.c.use_case == use_case, cases.c.state == "leased", *_narrowed(wanted, now)]
    query = sa.select(cases).where(*where).order_by(cases.c.rank)
    return [_case(row) for row in connection.execute(query).mappings()]


def open_cases(
    connection: sa.Connection,
    use_case: str,
    wanted: Filter,
    skills: Collection[str],
    now: datetime,
    limit: int,
    skip: int,
) -> list[Case]:
    """Cases that nobody has taken and that need no other skill than these, the one to look at first at the top."""
    where = [cases.c.use_case == use_case, cases.c.state == "open", cases.c.skill.in_(["", *skills])]
    query = sa.select(cases).where(*where, *_narrowed(wanted, now)).order_by(cases.c.rank, cases.c.id)
    return [_case(row) for row in connection.execute(query.limit(limit).offset(skip)).mappings()]


def due_cases(connection: sa.Connection, now: datetime, limit: int) -> list[Case]:
    """Cases past their time that were not escalated yet, and those whose time to fall back has come."""
    waits = sa.and_(cases.c.state.in_(UNDECIDED), cases.c.due_at <= now)
    news = sa.or_(cases.c.escalated_at.is_(None), cases.c.falls_back_at <= now)
    query = sa.select(cases).where(waits, news).order_by(cases.c.due_at).limit(limit)
    return [_case(row) for row in connection.execute(query).mappings()]


def count_states(connection: sa.Connection, use_case: str) -> dict[str, int]:
    """How many cases there are, by their state."""
    query = sa.select(cases.c.state, sa.func.count()).where(cases.c.use_case == use_case).group_by(cases.c.state)
    return dict(tuple(row) for row in connection.execute(query))


def count_cases(connection: sa.Connection, use_case: str, now: datetime) -> QueueCounts:
    """How many wait, are being worked on, are late or decided; and since when the oldest waits."""
    by_state = count_states(connection, use_case)
    leased, late, oldest = 0, 0, list[datetime]()
    for state in UNDECIDED:
        of_state = (cases.c.use_case == use_case, cases.c.state == state)
        late += _count(connection, *of_state, cases.c.due_at <= now)
        leased += _count(connection, *of_state, cases.c.leased_until > now) if state == "leased" else 0
        # The first of an index, where a least value of several states would be looked for among all of them.
        first = sa.select(cases.c.opened_at).where(*of_state).order_by(cases.c.opened_at).limit(1)
        oldest += connection.execute(first).scalars()
    waiting = sum(by_state.get(state, 0) for state in UNDECIDED)
    decided = sum(count for state, count in by_state.items() if state not in (*UNDECIDED, "withdrawn"))
    return QueueCounts(waiting - leased, leased, late, decided, min(oldest, default=None))


def _count(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(cases).where(*where)).scalar_one())


def take(connection: sa.Connection, case_id: str, person: str, now: datetime, until: datetime, holder: str) -> bool:
    """Lease a case that is free, or this holder's, and raise its fence; false when it is not to be had."""
    result = connection.execute(
        sa.update(cases)
        .where(cases.c.id == case_id, cases.c.state.in_(UNDECIDED), _free_for(holder, now))
        .values(state="leased", leased_to=person, leased_at=now, leased_until=until, fence=cases.c.fence + 1)
    )
    return result.rowcount == 1


def extend(connection: sa.Connection, case_id: str, fence: int, person: str, now: datetime, until: datetime) -> bool:
    """Keep a running lease for longer; false when it is over or another's."""
    update = sa.update(cases).where(*_held(case_id, fence, person, now)).values(leased_until=until)
    return connection.execute(update).rowcount == 1


def begin(connection: sa.Connection, case_id: str, fence: int, person: str, now: datetime, until: datetime) -> bool:
    """Let a running lease begin anew, now that the case is looked at; false when it is over or another's."""
    update = sa.update(cases).where(*_held(case_id, fence, person, now)).values(leased_at=now, leased_until=until)
    return connection.execute(update).rowcount == 1


def give_back(connection: sa.Connection, case_id: str, fence: int, person: str, now: datetime) -> bool:
    """End a running lease without a verdict; false when it is over or another's."""
    update = sa.update(cases).where(*_held(case_id, fence, person, now))
    return connection.execute(update.values(state="open", **_NOBODY)).rowcount == 1


def settle(connection: sa.Connection, case: Case, given: Opinion) -> bool:
    """Write the verdict that counts if the lease it was given under still runs; one caller only, whoever else tries."""
    values = {
        "state": given.verdict,
        "verdict_by": given.person,
        "verdict_at": given.at,
        "verdict_answer": given.answer,
        "verdict_reason": given.reason,
    }
    return _after_opinion(connection, case, given, values)


def ask_another(connection: sa.Connection, case: Case, given: Opinion) -> bool:
    """Let the case wait for another person's opinion, if the lease of this one still runs."""
    return _after_opinion(connection, case, given, {"state": "open"})


def _after_opinion(connection: sa.Connection, case: Case, given: Opinion, values: dict[str, Any]) -> bool:
    update = (
        sa.update(cases)
        .where(*_held(case.id, case.fence, given.person, given.at), cases.c.round == given.round)
        .values(**values, **_NOBODY, round=given.round + 1)
    )
    return connection.execute(update).rowcount == 1


def reopen(connection: sa.Connection, case: Case, shown: bool) -> bool:
    """Take the newest opinion from the case, whether it had decided it or not; false when it has moved on since.

    Where the model was ``shown`` meanwhile, the case is blind no more.
    """
    update = (
        sa.update(cases)
        .where(cases.c.id == case.id, cases.c.round == case.round, cases.c.state == case.state)
        .values(state="open", **_NOBODY, **_NO_VERDICT, round=case.round + 1, blind=case.blind and not shown)
    )
    return connection.execute(update).rowcount == 1


def ask_again(connection: sa.Connection, case: Case) -> bool:
    """Open a case that had lapsed or was withdrawn, as ``case`` says; false when it is no longer so."""
    values = {name: getattr(case, name) for name in _OF_AN_OPENING}
    update = sa.update(cases).where(cases.c.id == case.id, cases.c.state.in_(("lapsed", "withdrawn")))
    if connection.execute(update.values(state="open", escalated_at=None, **_NO_VERDICT, **values)).rowcount != 1:
        return False
    insert_event(connection, Event(case.id, "opened", 0, "", case.opened_at, case.why))
    return True


def heed(connection: sa.Connection, case: Case) -> None:
    """Let an undecided case have this note and place, and ask as many people as it says."""
    update = sa.update(cases).where(cases.c.id == case.id, cases.c.state.in_(UNDECIDED))
    connection.execute(update.values(note=case.note, rank=case.rank, wanted=case.wanted))


def mark_escalated(connection: sa.Connection, case_id: str, now: datetime) -> bool:
    """Note that a case is past its time; false when somebody noted or decided it before."""
    where = (cases.c.id == case_id, cases.c.state.in_(UNDECIDED), cases.c.escalated_at.is_(None))
    return connection.execute(sa.update(cases).where(*where).values(escalated_at=now)).rowcount == 1


def lapse(connection: sa.Connection, case: Case, answer: Any, now: datetime) -> bool:
    """Close a case that nobody decided: what was the way before holds. False while somebody is looking at it."""
    free = sa.or_(cases.c.state == "open", cases.c.leased_until <= now)
    update = sa.update(cases).where(cases.c.id == case.id, cases.c.state.in_(UNDECIDED), free)
    values = {"state": "lapsed", "verdict_at": now, "verdict_answer": answer, **_NOBODY}
    return connection.execute(update.values(**values)).rowcount == 1


def withdraw(connection: sa.Connection, case_id: str) -> bool:
    """Close a case that nobody needs to look at any more; false when somebody has taken it, now or before."""
    untouched = (cases.c.state == "open", cases.c.fence == 0, cases.c.why == "escalated")
    update = sa.update(cases).where(cases.c.id == case_id, *untouched)
    return connection.execute(update.values(state="withdrawn")).rowcount == 1


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


def _free_for(holder: str, now: datetime) -> sa.ColumnElement[bool]:
    return sa.or_(
        cases.c.state == "open",
        cases.c.leased_to == holder,
        cases.c.leased_until.is_(None),
        cases.c.leased_until <= now,
    )


def _one(connection: sa.Connection, where: sa.ColumnElement[bool], lock: bool = False) -> Case | None:
    query = sa.select(cases).where(where)
    row = connection.execute(query.with_for_update() if lock else query).mappings().first()
    return None if row is None else _case(row)


def _case(row: Any) -> Case:
    return Case(**row)
