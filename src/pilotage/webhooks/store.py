"""The SQL of webhooks: endpoints, events (the outbox), deliveries (what is to be sent), attempts (the log)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from pilotage.platform.database import Instant, Json, insert_ignoring, metadata
from pilotage.webhooks.records import Attempt, Claim, Delivery, Endpoint, Event, Secrets, Waiting

endpoints = sa.Table(
    "webhook_endpoints",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("url", sa.String(1000), nullable=False),
    sa.Column("description", sa.String(200), nullable=False),
    sa.Column("types", Json, nullable=False),
    sa.Column("use_case", sa.String(64), nullable=False),
    sa.Column("made_at", Instant, nullable=False),
    sa.Column("made_by", sa.String(200), nullable=False),
    sa.Column("since_entry", sa.BigInteger, nullable=False),
    sa.Column("secret", sa.LargeBinary, nullable=False),
    sa.Column("old_secret", sa.LargeBinary),
    sa.Column("old_secret_until", Instant),
    sa.Column("disabled_at", Instant),
    sa.Column("disabled_because", sa.Text, nullable=False, default=""),
    sa.Column("failures", sa.Integer, nullable=False, default=0),
    sa.Column("failing_since", Instant),
    sa.Column("resting_until", Instant),
)

events = sa.Table(
    "webhook_events",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("entry", sa.BigInteger, unique=True),  # of the audit log: no deed becomes two events
    sa.Column("type", sa.String(64), nullable=False),
    sa.Column("use_case", sa.String(64), nullable=False),
    sa.Column("subject", sa.String(200), nullable=False),
    sa.Column("at", Instant, nullable=False, index=True),
    sa.Column("body", sa.LargeBinary, nullable=False),
)

deliveries = sa.Table(
    "webhook_deliveries",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("endpoint", sa.String(40), sa.ForeignKey(endpoints.c.id), nullable=False),
    sa.Column("event", sa.String(40), sa.ForeignKey(events.c.id), nullable=False, index=True),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("made_at", Instant, nullable=False),
    sa.Column("due_at", Instant, nullable=False),
    sa.Column("replay", sa.Boolean, nullable=False),
    sa.Column("lease", sa.String(40)),
    sa.Column("leased_until", Instant),
    sa.Index("ix_webhook_deliveries_state_due_at", "state", "due_at"),
    sa.Index("ix_webhook_deliveries_endpoint_state_due_at", "endpoint", "state", "due_at"),
)

attempts = sa.Table(
    "webhook_attempts",
    metadata,
    sa.Column("delivery", sa.String(40), sa.ForeignKey(deliveries.c.id), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("status", sa.Integer),
    sa.Column("latency_ms", sa.Float, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
)

cursor = sa.Table(
    "webhook_cursor",
    metadata,
    sa.Column("name", sa.String(16), primary_key=True),
    sa.Column("entry", sa.BigInteger, nullable=False),
)

_AUDIT_LOG = "audit_log"
_ENDPOINT = [endpoints.c[field] for field in Endpoint.__struct_fields__]
_DELIVERY = [
    *(deliveries.c[field] for field in ("id", "endpoint", "event", "state", "attempts", "made_at", "due_at", "replay")),
    events.c.type,
    events.c.subject,
]
_LIVE = sa.and_(
    deliveries.c.state == "waiting", deliveries.c.endpoint == endpoints.c.id, endpoints.c.disabled_at.is_(None)
)


def insert_endpoint(connection: sa.Connection, endpoint: Endpoint, sealed: bytes) -> None:
    """Add an endpoint with its encrypted secret."""
    row = {field: getattr(endpoint, field) for field in Endpoint.__struct_fields__}
    connection.execute(endpoints.insert().values(**row, secret=sealed))


def all_endpoints(connection: sa.Connection) -> list[Endpoint]:
    """All endpoints, oldest first."""
    return [_endpoint(row) for row in connection.execute(sa.select(*_ENDPOINT).order_by(endpoints.c.id))]


def find_endpoint(connection: sa.Connection, identifier: str) -> Endpoint | None:
    """One endpoint."""
    row = connection.execute(sa.select(*_ENDPOINT).where(endpoints.c.id == identifier)).first()
    return None if row is None else _endpoint(row)


def update_endpoint(connection: sa.Connection, identifier: str, **values: Any) -> None:
    """Change columns of an endpoint."""
    connection.execute(endpoints.update().where(endpoints.c.id == identifier).values(**values))


def secrets_of(connection: sa.Connection, identifier: str) -> Secrets:
    """An endpoint's encrypted secrets."""
    columns = (endpoints.c.secret, endpoints.c.old_secret, endpoints.c.old_secret_until)
    row = connection.execute(sa.select(*columns).where(endpoints.c.id == identifier)).one()
    return Secrets(bytes(row.secret), row.old_secret and bytes(row.old_secret), row.old_secret_until)


def set_disabled(connection: sa.Connection, identifier: str, now: datetime, because: str) -> bool:
    """Disable an endpoint that is not yet; whether this did it."""
    free = (endpoints.c.id == identifier, endpoints.c.disabled_at.is_(None))
    done = connection.execute(endpoints.update().where(*free).values(disabled_at=now, disabled_because=because))
    return done.rowcount == 1


def cursor_at(connection: sa.Connection, lock: bool = False) -> int | None:
    """The audit log's entry up to which deeds became events; None before the first look."""
    query = sa.select(cursor.c.entry).where(cursor.c.name == _AUDIT_LOG)
    found = connection.execute(query.with_for_update() if lock else query).scalar()
    return None if found is None else int(found)


def begin_cursor(connection: sa.Connection, entry: int) -> None:
    """Start at this entry, unless somebody did."""
    connection.execute(insert_ignoring(connection, cursor).values(name=_AUDIT_LOG, entry=entry))


def move_cursor(connection: sa.Connection, entry: int) -> None:
    """Everything up to this entry became events."""
    connection.execute(cursor.update().where(cursor.c.name == _AUDIT_LOG).values(entry=entry))


def insert_events(connection: sa.Connection, found: Sequence[Event]) -> None:
    """Add events to the outbox."""
    if found:
        connection.execute(events.insert(), [_row(each, Event.__struct_fields__) for each in found])


def insert_deliveries(connection: sa.Connection, found: Sequence[Delivery]) -> None:
    """Add what is to be sent."""
    fields = ("id", "endpoint", "event", "state", "attempts", "made_at", "due_at", "replay")
    if found:
        connection.execute(deliveries.insert(), [_row(each, fields) for each in found])


def find_event(connection: sa.Connection, identifier: str) -> Event | None:
    """One event."""
    row = connection.execute(sa.select(events).where(events.c.id == identifier)).first()
    return None if row is None else _event(row)


def events_since(
    connection: sa.Connection, since: datetime, types: Sequence[str], use_case: str | None, limit: int
) -> list[Event]:
    """The first events of these types from an instant on, oldest first; of one use case, or of all."""
    query = sa.select(events).where(events.c.at >= since, events.c.type.in_(types))
    if use_case is not None:
        query = query.where(events.c.use_case == use_case)
    return [_event(row) for row in connection.execute(query.order_by(events.c.at, events.c.id).limit(limit))]


def on_their_way(connection: sa.Connection, endpoint: str) -> set[str]:
    """The events that wait for an endpoint."""
    query = sa.select(deliveries.c.event).where(deliveries.c.endpoint == endpoint, deliveries.c.state == "waiting")
    return set(connection.execute(query).scalars())


def has_waiting(connection: sa.Connection, endpoint: str, count: int) -> bool:
    """Whether so many deliveries wait for an endpoint. It looks at so many entries of an index."""
    waits = (deliveries.c.endpoint == endpoint, deliveries.c.state == "waiting")
    query = sa.select(sa.literal(1)).select_from(deliveries).where(*waits).offset(count - 1).limit(1)
    return connection.execute(query).first() is not None


def waiting(connection: sa.Connection, now: datetime) -> list[Waiting]:
    """The endpoints that something can be sent to now, and how much."""
    due = sa.func.min(deliveries.c.due_at)
    query = (
        sa.select(endpoints.c.id, sa.func.count(), sa.type_coerce(due, Instant), endpoints.c.failures)
        .where(_LIVE, *_is_due(now))
        .group_by(endpoints.c.id, endpoints.c.failures)
    )
    return [Waiting(name, count, at, failures > 0) for name, count, at, failures in connection.execute(query)]


def claim(
    connection: sa.Connection, now: datetime, until: datetime, lease: str, endpoint: str, delivery: str | None = None
) -> Claim | None:
    """Take the endpoint's oldest due delivery, or the one named, until an instant; None when there is none."""
    query = (
        sa.select(deliveries.c.id, deliveries.c.attempts, deliveries.c.event, events.c.body)
        .join(endpoints, endpoints.c.id == deliveries.c.endpoint)
        .join(events, events.c.id == deliveries.c.event)
        .where(_LIVE, deliveries.c.endpoint == endpoint, *_is_due(now))
    )
    if delivery is not None:
        query = query.where(deliveries.c.id == delivery)
    query = query.order_by(deliveries.c.due_at, deliveries.c.id).limit(1)
    row = connection.execute(query.with_for_update(of=deliveries, skip_locked=True)).first()
    found = None if row is None else find_endpoint(connection, endpoint)
    if row is None or found is None:
        return None
    number = row.attempts + 1
    taken = deliveries.update().where(deliveries.c.id == row.id)
    connection.execute(taken.values(lease=lease, leased_until=until, attempts=number))
    return Claim(
        delivery=row.id,
        number=number,
        lease=lease,
        endpoint=found,
        secrets=secrets_of(connection, endpoint),
        event=row.event,
        body=bytes(row.body),
    )


def settle(connection: sa.Connection, claim: Claim, state: str, due_at: datetime) -> None:
    """End a claim: delivered, given up, or waiting until an instant. A lease that was lost changes only a success."""
    mine = deliveries.c.lease == claim.lease
    whose = deliveries.c.state == "waiting" if state == "delivered" else mine
    connection.execute(
        deliveries.update()
        .where(deliveries.c.id == claim.delivery, whose)
        .values(state=state, due_at=due_at, lease=None, leased_until=None)
    )


def insert_attempt(connection: sa.Connection, attempt: Attempt) -> None:
    """Add a try to the log."""
    connection.execute(attempts.insert().values(**_row(attempt, Attempt.__struct_fields__)))


def newest_deliveries(
    connection: sa.Connection, limit: int, endpoint: str = "", before: str | None = None
) -> list[Delivery]:
    """The newest deliveries, newest first, optionally to one endpoint or older than one."""
    query = sa.select(*_DELIVERY).join(events, events.c.id == deliveries.c.event)
    if endpoint:
        query = query.where(deliveries.c.endpoint == endpoint)
    if before:
        query = query.where(deliveries.c.id < before)
    query = query.order_by(deliveries.c.id.desc()).limit(limit)
    return [Delivery(**row) for row in connection.execute(query).mappings()]


def find_delivery(connection: sa.Connection, identifier: str) -> Delivery | None:
    """One delivery."""
    query = sa.select(*_DELIVERY).join(events, events.c.id == deliveries.c.event)
    row = connection.execute(query.where(deliveries.c.id == identifier)).mappings().first()
    return None if row is None else Delivery(**row)


def attempts_of(connection: sa.Connection, found: Iterable[str]) -> dict[str, list[Attempt]]:
    """The tries of these deliveries, in order."""
    query = sa.select(attempts).where(attempts.c.delivery.in_(list(found))).order_by(attempts.c.number)
    log: dict[str, list[Attempt]] = {}
    for row in connection.execute(query).mappings():
        log.setdefault(row["delivery"], []).append(Attempt(**row))
    return log


def forget(connection: sa.Connection, before: datetime, limit: int) -> int:
    """Remove so many events at most from before an instant, with their deliveries and tries; how many.

    What waits for an endpoint that is not disabled stays.
    """
    waits = sa.exists().where(deliveries.c.event == events.c.id, _LIVE)
    query = sa.select(events.c.id).where(events.c.at < before, ~waits).order_by(events.c.at).limit(limit)
    old = list(connection.execute(query).scalars())
    sent = sa.select(deliveries.c.id).where(deliveries.c.event.in_(old))
    connection.execute(attempts.delete().where(attempts.c.delivery.in_(sent)))
    connection.execute(deliveries.delete().where(deliveries.c.event.in_(old)))
    return connection.execute(events.delete().where(events.c.id.in_(old))).rowcount


def _is_due(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        deliveries.c.due_at <= now,
        sa.or_(deliveries.c.leased_until.is_(None), deliveries.c.leased_until <= now),
        sa.or_(endpoints.c.resting_until.is_(None), endpoints.c.resting_until <= now),
    )


def _row(record: Any, fields: Iterable[str]) -> dict[str, Any]:
    return {field: getattr(record, field) for field in fields}


def _endpoint(row: sa.Row[Any]) -> Endpoint:
    return Endpoint(**{**row._mapping, "types": tuple(row.types)})


def _event(row: sa.Row[Any]) -> Event:
    return Event(**{**row._mapping, "body": bytes(row.body)})
