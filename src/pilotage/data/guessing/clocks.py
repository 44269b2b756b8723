"""Which column says when a row happened, and which when it could be known, judged by names and by order."""

from __future__ import annotations

from pilotage.data.guessing.records import Guess, SeenColumn, SeenTable
from pilotage.data.guessing.words import words

_HAPPENED = (
    ("occurred", "happened", "event", "observed", "measured"),
    (
        "scheduled",
        "ordered",
        "placed",
        "booked",
        "departure",
        "visit",
        "purchase",
        "transaction",
        "invoice",
        "contacted",
    ),
    ("contacted", "start", "started", "begin", "opened", "order", "date", "time", "datetime", "timestamp", "day"),
    ("created", "added", "inserted", "registered"),
)
_KNOWN = (
    ("known", "recorded", "written", "published", "loaded", "ingested", "imported", "received", "synced", "arrived"),
    ("inserted", "created", "added", "logged", "entered", "registered", "saved", "stored"),
    ("updated", "modified", "changed"),
)
_NEVER = {"birth", "birthday", "dob", "expiry", "expires", "valid", "until", "due", "deadline", "end", "planned"}
FILLED_MIN = 0.98


def clocks_of(table: SeenTable) -> tuple[Guess, Guess] | None:
    """``event_time`` and ``known_at``; None where no column can be a clock: then the table is taken as static."""
    candidates = [c for c in table.columns if c.type == "datetime" and _can_be(c, table)]
    if not candidates:
        return None
    known = _best(candidates, _KNOWN)
    happened = _best([c for c in candidates if c is not known], _HAPPENED) or _best(candidates, _HAPPENED)
    if happened is None:
        happened = next((c for c in candidates if c is not known), candidates[0])
    event_time = Guess((happened.name,), _why(happened, candidates, "named like the time when something happens"))
    if known is None or known is happened:
        why = "no column says when a row was written: it is taken as known in the instant in which it happened"
        return event_time, Guess((happened.name,), why)
    return event_time, Guess((known.name,), "named like the time when a row is written")


def _can_be(column: SeenColumn, table: SeenTable) -> bool:
    return column.filled >= FILLED_MIN * table.sampled and column.filled > 0 and not _NEVER & set(words(column.name))


def _best(candidates: list[SeenColumn], ranks: tuple[tuple[str, ...], ...]) -> SeenColumn | None:
    for telling in ranks:
        for column in candidates:
            if set(telling) & set(words(column.name)):
                return column
    return None


def _why(column: SeenColumn, candidates: list[SeenColumn], otherwise: str) -> str:
    return "the only datetime column that is always filled" if len(candidates) == 1 else otherwise
