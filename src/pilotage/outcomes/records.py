"""The nouns of outcomes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Literal

from msgspec import Meta, Struct

from pilotage.decisions.records import Said


class JoinedOutcome(Struct, frozen=True):
    """What really happened in a decided case: yes or no, a category or a number, as the outcome is.

    ``revision`` counts corrections, the newest counts. ``known_before``: it had been read here before the question was
    answered, so that it shows nothing of how well answers foresee. ``told_by`` is the report that it came with, as
    ``source/id/version``; empty where it was read from a source of the use case's file.
    """

    decision: str
    use_case: str
    entity: str
    happened: Said
    known_at: datetime
    joined_at: datetime
    revision: int
    known_before: bool = False
    told_by: str = ""


class Decided(Struct, frozen=True):
    """A decision, as far as joining outcomes needs it; ``known_at`` is of the outcome that counts, None without one."""

    id: str
    entity: str
    moment: datetime
    decided_at: datetime
    known_at: datetime | None = None


class OutcomePull(Struct, frozen=True):
    """What one pull of outcomes brought, and where each of the ``decisions`` stands after it.

    Each is one of these: ``known`` has an outcome (``known_before`` of them had it before they were answered);
    ``waiting`` is younger than the outcome takes, the last until ``waiting_until``; of ``missing`` the source says
    nothing although it should by now; ``left`` was answered too long ago and is not looked for any more.
    """

    use_case: str
    joined: int = 0
    corrected: int = 0
    decisions: int = 0
    known: int = 0
    known_before: int = 0
    waiting: int = 0
    waiting_until: datetime | None = None
    missing: int = 0
    left: int = 0


class Asked(Struct, frozen=True):
    """What was asked in a decision, as far as a report of its outcome needs it."""

    use_case: str
    entity: str
    decided_at: datetime


class ReportRow(Struct, frozen=True, forbid_unknown_fields=True):
    """One outcome as an app tells it: of a ``decision``, or of an ``entity`` in a ``use_case``.

    ``source`` and ``id`` name an event in the app's own terms, ``version`` its so-manieth telling: the highest counts.
    ``happened`` is yes or no, a category or a number, as the use case's outcome is; ``known_at`` is when that became
    known.
    """

    source: Annotated[str, Meta(min_length=1, max_length=80)]
    id: Annotated[str, Meta(min_length=1, max_length=120)]
    happened: Said
    known_at: Annotated[datetime, Meta(tz=True)]
    version: Annotated[int, Meta(ge=0, lt=2**62)] = 1
    decision: Annotated[str, Meta(max_length=40)] = ""
    use_case: Annotated[str, Meta(max_length=64)] = ""
    entity: Annotated[str, Meta(max_length=200)] = ""


class Report(Struct, frozen=True):
    """An outcome that an app told: event ``id`` of a system ``source``, in its so-manieth ``version``.

    It is about one decision, or about all decisions about an entity of a use case. ``quarantined``: nobody knows such a
    decision, or none that the caller may know of.
    """

    source: str
    id: str
    version: int
    use_case: str
    decision: str
    entity: str
    happened: Said
    known_at: datetime
    reported_by: str
    reported_at: datetime
    quarantined: bool

    @property
    def name(self) -> str:
        """As it stands beside the outcome that it brought."""
        return f"{self.source}/{self.id}/{self.version}"


class Waiting(Struct, frozen=True):
    """A report whose decision nobody knows: who told it, how long ago, and why it waits."""

    report: Report
    caller: str
    age: timedelta
    why: str


Effect = Literal["joined", "corrected", "repeated", "superseded", "quarantined", "refused"]
"""What a report did: the first, a correction, nothing new, too late for a newer version, or nothing yet."""


class Reported(Struct, frozen=True, omit_defaults=True):
    """What became of one row of a report; ``status`` is as of HTTP, ``problem`` says why it was refused."""

    status: int
    effect: Effect
    decisions: tuple[str, ...] = ()
    problem: str = ""
