"""Opening, acknowledging and closing incidents. Each change is an entry in the audit log, and so an event."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
import structlog

from pilotage.govern import flow as governing
from pilotage.govern.records import EVERY_USE_CASE, SYSTEM, Principal
from pilotage.monitor.incidents import rules, store
from pilotage.monitor.incidents.records import Found, Incident, IncidentStep, What
from pilotage.platform.errors import NotFound
from pilotage.platform.identifiers import new_id
from pilotage.platform.workspace import Workspace

SHOWN_MAX = 100

log = structlog.get_logger()


def see(
    work: Workspace,
    kind: str,
    why: str,
    use_case: str = EVERY_USE_CASE,
    version: str = "",
    place: str = "",
    times: int = 1,
) -> Incident:
    """Something went wrong so many times, or with 0 is still so: counted in its open incident, else one is opened.

    Raises:
        SQLAlchemyError: the database is down; the caller tries again.
    """
    now = work.clock.now()
    with work.database.writing() as connection:
        governing.take_turn(connection)  # of two workers that see the same, one opens it
        known = store.open_of(connection, kind, use_case, version, place)
        if known is not None:
            store.seen_again(connection, known.id, now, times, why)
            return msgspec.structs.replace(known, times_seen=known.times_seen + times, last_seen_at=now, why=why)
        incident = Incident(
            id=new_id("inc", now),
            kind=kind,
            use_case=use_case,
            version=version,
            place=place,
            opened_at=now,
            why=why,
            times_seen=max(1, times),
            last_seen_at=now,
        )
        store.insert(connection, incident)
        _note(connection, work, incident, "opened", SYSTEM, why)
    log.error("incident_opened", incident=incident.id, kind=kind, use_case=use_case, version=version, why=why)
    return incident


def acknowledge(work: Workspace, identifier: str, by: Principal, note: str = "") -> Incident:
    """Somebody has taken it on.

    Raises:
        NotFound: there is no such incident.
        Conflict: it is closed.
        InvalidRequest: the note is too long.
    """
    text = rules.checked_note(note)
    with work.database.writing() as connection:
        governing.take_turn(connection)
        incident = _find(connection, identifier)
        rules.demand_open(incident)
        values = {"acknowledged_at": work.clock.now(), "acknowledged_by": by.name, "note": text or incident.note}
        store.change(connection, identifier, **values)
        _note(connection, work, incident, "acknowledged", by, text)
    return msgspec.structs.replace(incident, **values)


def close(work: Workspace, identifier: str, by: Principal, note: str) -> Incident:
    """It is over, and the note says why.

    Raises:
        NotFound: there is no such incident.
        Conflict: it is closed already.
        InvalidRequest: the note is missing or too long.
    """
    text = rules.checked_note(note, needed=True)
    with work.database.writing() as connection:
        governing.take_turn(connection)
        incident = _find(connection, identifier)
        rules.demand_open(incident)
        values = {"closed_at": work.clock.now(), "closed_by": by.name, "note": text}
        store.change(connection, identifier, **values)
        _note(connection, work, incident, "closed", by, text)
    log.warning("incident_closed", incident=identifier, kind=incident.kind, use_case=incident.use_case, by=by.id)
    return msgspec.structs.replace(incident, **values)


def close_if_calm(work: Workspace, incident: Incident, evidence: str) -> bool:
    """Close an incident whose cause is gone, unless somebody has seen it within a minute; whether it was closed."""
    now = work.clock.now()
    with work.database.writing() as connection:
        governing.take_turn(connection)
        present = _find(connection, incident.id)
        if not present.is_open or not rules.is_calm(present, now):
            return False
        store.change(connection, present.id, closed_at=now, closed_by=SYSTEM.name, note=present.note or evidence)
        _note(connection, work, present, "closed", SYSTEM, f"By itself, as the cause is gone: {evidence}")
    log.warning("incident_closed", incident=incident.id, kind=incident.kind, use_case=incident.use_case, by=SYSTEM.id)
    return True


def find(work: Workspace, identifier: str) -> Found:
    """One incident with its timeline.

    Raises:
        NotFound: there is none.
    """
    with work.database.reading() as connection:
        return Found(_find(connection, identifier), tuple(store.steps_of(connection, identifier)))


def listed(
    work: Workspace, use_cases: Sequence[str] | None = None, *, only_open: bool = False, limit: int | None = SHOWN_MAX
) -> list[Incident]:
    """Incidents of these use cases, or of all, with the whole installation's: open ones first, then the newest.

    ``limit`` is how many at most; None is all.
    """
    wanted = None if use_cases is None else [*use_cases, EVERY_USE_CASE]
    with work.database.reading() as connection:
        return store.newest(connection, wanted, only_open=only_open, limit=limit)


def _find(connection: sa.Connection, identifier: str) -> Incident:
    found = store.find(connection, identifier)
    if found is None:
        raise NotFound(f"There is no incident {identifier}.", "pilotage incidents lists them.")
    return found


def _note(connection: sa.Connection, work: Workspace, incident: Incident, what: What, by: Principal, text: str) -> None:
    """Append to the timeline, and to the audit log, of which other systems are told."""
    store.add_step(connection, incident.id, IncidentStep(work.clock.now(), what, by.name, text))
    detail = {
        "use_case": incident.use_case,
        "kind": incident.kind,
        "version": incident.version,
        "incident": incident.id,
        "text": text,
    }
    governing.record(connection, work, by, f"incident.{what}", incident.id, detail)
