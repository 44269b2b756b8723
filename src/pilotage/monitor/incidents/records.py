"""The nouns of incidents."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Literal

from msgspec import Struct

from pilotage.decisions.records import TroubleKind


class OtherKind(enum.StrEnum):
    """What is seen elsewhere than in a worker that answers."""

    CRASH_LOOP = "crash_loop"
    CASES_OVERDUE = "cases_overdue"


Kind = TroubleKind | OtherKind
What = Literal["opened", "seen", "acknowledged", "closed"]


class Incident(Struct, frozen=True, kw_only=True):
    """Something that went wrong and needs a person. There is one open one per kind, use case, version and place.

    ``use_case`` is ``*`` where it is the whole installation's; ``version`` is empty where it is of no single one;
    ``place`` is the spool's folder, shortened, where it is one machine's. ``times_seen`` counts how often it began.
    """

    id: str
    kind: str
    use_case: str
    version: str
    place: str
    opened_at: datetime
    why: str
    times_seen: int
    last_seen_at: datetime
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    note: str = ""
    closed_at: datetime | None = None
    closed_by: str = ""

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


class IncidentStep(Struct, frozen=True):
    """One entry of an incident's timeline."""

    at: datetime
    what: What
    by: str
    text: str


class Found(Struct, frozen=True):
    """An incident with its timeline, the oldest entry first."""

    incident: Incident
    steps: tuple[IncidentStep, ...]
