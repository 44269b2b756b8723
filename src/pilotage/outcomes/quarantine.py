"""What was told of decisions that nobody knows: why each waits, trying again, dismissing, forgetting in time."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, Permission, Principal
from pilotage.govern.rules.permissions import allowed
from pilotage.outcomes import reporting, reports_store
from pilotage.outcomes.records import Waiting
from pilotage.outcomes.rules import why_waiting
from pilotage.platform.errors import NotFound
from pilotage.platform.workspace import Workspace

_LISTED_MAX = 1_000
_FORGOTTEN_AT_ONCE = 1_000


def waiting(work: Workspace, use_case: str) -> list[Waiting]:
    """Reports that are about this use case, or may be: their caller may ask it and names none. Newest first."""
    callers = {each.id: each for each in governing.all_keys(work).values()}
    kinds = reporting.kinds(work)
    with work.database.reading() as connection:
        found = reports_store.quarantined(connection, _LISTED_MAX, of=(use_case, _askers(callers, use_case)))
        asked = reports_store.decisions_of(connection, found)
    now = work.clock.now()
    return [
        Waiting(
            each,
            callers[each.reported_by].name if each.reported_by in callers else each.reported_by,
            now - each.reported_at,
            why_waiting(each, asked, each.reported_by in callers, reporting.misfit(each, kinds)),
        )
        for each in found
    ]


def count(work: Workspace, use_case: str) -> int:
    """How many such reports there are."""
    callers = {each.id: each for each in governing.all_keys(work).values()}
    with work.database.reading() as connection:
        return reports_store.count_quarantined(connection, use_case, _askers(callers, use_case))


def retry(work: Workspace) -> int:
    """Look now whether the decisions turned up, as is done every few seconds anyway; how many reports were joined."""
    return reporting.settle(work)


def dismiss(work: Workspace, use_case: str, source: str, event: str, version: int, by: Principal) -> None:
    """Remove a report that is about nothing. Told again, it is quarantined again.

    Raises:
        NotFound: no such report waits that is, or may be, about this use case.
    """
    known = [each.report for each in waiting(work, use_case)]
    found = next((each for each in known if (each.source, each.id, each.version) == (source, event, version)), None)
    if found is None:
        raise NotFound(f"No outcome {source}/{event}/{version} waits here.", "It may have been joined meanwhile.")
    with work.database.writing() as connection:
        governing.take_turn(connection)
        if reports_store.remove_quarantined(connection, [found]):
            detail = {"use_case": use_case, "outcome": found.name, "decision": found.decision, "entity": found.entity}
            governing.record(connection, work, by, "outcome.dismissed", use_case, detail)


def forget_old(work: Workspace) -> int:
    """Remove what has waited longer than ``quarantine_days``; how many. The audit log says of which use cases."""
    before = work.clock.now() - timedelta(days=work.settings.quarantine_days)
    removed = 0
    while True:
        with work.database.writing() as connection:
            governing.take_turn(connection)
            old = reports_store.quarantined_before(connection, before, _FORGOTTEN_AT_ONCE)
            reports_store.remove_quarantined(connection, old)
            if old:
                by_use_case = _named(Counter(each.use_case for each in old))
                detail = {"removed": len(old), "by_use_case": by_use_case, "told_before": before}
                governing.record(connection, work, SYSTEM, "outcomes.quarantine-removed", "outcomes", detail)
        removed += len(old)
        if len(old) < _FORGOTTEN_AT_ONCE:
            return removed


def _named(removed: Counter[str]) -> dict[str, int]:
    return {name or "none named": count for name, count in sorted(removed.items())}


def _askers(callers: dict[str, Principal], use_case: str) -> list[str]:
    return [each.id for each in callers.values() if allowed(each, Permission.DECIDE, use_case)]
