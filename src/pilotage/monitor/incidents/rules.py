"""What incidents are called, and when one closes by itself. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from pilotage.decisions.records import TroubleKind
from pilotage.monitor.incidents.records import Incident, OtherKind
from pilotage.platform.errors import Conflict, InvalidRequest

CALM = timedelta(seconds=60)
"""For so long nobody may have seen the cause before an incident closes by itself."""
NOTE_LETTERS_MAX = 2_000

TITLES: Mapping[str, str] = MappingProxyType(
    {
        OtherKind.CRASH_LOOP: "Workers crashed again and again",
        OtherKind.CASES_OVERDUE: "Cases wait beyond their deadline",
        TroubleKind.CIRCUIT_OPEN: "The model is left alone: it failed again and again",
        TroubleKind.ARTEFACT_REFUSED: "A released version could not be loaded",
        TroubleKind.SPOOL_REFUSES: "Decisions cannot be recorded",
        TroubleKind.DECISIONS_MISSING: "Decisions are missing",
        TroubleKind.DRAIN_STUCK: "Decisions do not reach the ledger",
    }
)
"""What people read; the code is ``kind``."""


def title(kind: str) -> str:
    """An incident's kind in words; a later release may know kinds that this one does not."""
    return TITLES.get(kind, kind.replace("_", " ").capitalize())


def is_calm(incident: Incident, now: datetime) -> bool:
    """Whether nobody has seen the cause for long enough."""
    return now - incident.last_seen_at >= CALM


def demand_open(incident: Incident) -> None:
    """Do nothing where it is open.

    Raises:
        Conflict: it is closed.
    """
    if not incident.is_open:
        raise Conflict(
            f"Incident {incident.id} was closed by {incident.closed_by}.", "A new one opens where it is seen again."
        )


def checked_note(note: str, *, needed: bool = False) -> str:
    """A note without blanks around it.

    Raises:
        InvalidRequest: it is longer than 2,000 letters, or missing where one is needed.
    """
    text = note.strip()
    if len(text) > NOTE_LETTERS_MAX:
        raise InvalidRequest(f"A note has at most {NOTE_LETTERS_MAX:,} letters (got {len(text):,}).", "Shorten it.")
    if needed and not text:
        raise InvalidRequest("Closing an incident needs a note.", "Say what was found or done.")
    return text
