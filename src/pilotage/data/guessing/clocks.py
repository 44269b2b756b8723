"""Which column says when a row happened, and which when it could be known, judged by names and by order."""

from __future__ import annotations

from pilotage.data.guessing.naming import column_text
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
_VERSION = {"updated", "modified", "changed", "edited"}
_GONE = {"deleted", "removed", "archived"}
_KEPT = {"created", "inserted", "added", "imported", "loaded", "ingested", "synced"}
_NEVER = {
    "deleted",
    "removed",
    "archived",
    "birth",
    "birthday",
    "dob",
    "expiry",
    "expires",
    "valid",
    "until",
    "due",
    "deadline",
    "end",
    "planned",
}
FILLED_MIN = 0.98


def clocks_of(table: SeenTable) -> tuple[Guess, Guess] | None:
    """``event_time`` and ``known_at``; None where no column can be a clock: then the table is taken as static."""
    candidates = [c for c in table.columns if c.type == "datetime" and _can_be(c, table)]
    if not candidates:
        return None
    version = _version_clock(candidates)
    known = version or _best([c for c in candidates if not _VERSION & set(words(c.name))], _KNOWN)
    others = [c for c in candidates if c is not known]
    happened = _best(others, _HAPPENED) or _best(candidates, _HAPPENED) or next(iter(others), candidates[0])
    event_time = Guess((happened.name,), _why(happened, candidates, "named like the time when something happens"))
    if known is None or known is happened:
        why = "no column says when a row was written: it is taken as known in the instant in which it happened"
        return event_time, Guess((happened.name,), why)
    if known is version:
        return event_time, Guess((known.name,), "when the row was last changed: what it says now was not known before")
    return event_time, Guess((known.name,), "named like the time when a row is written")


def is_version_clock(table: SeenTable, name: str) -> bool:
    """Whether a clock says when a row was changed last, so that rows are overwritten where they are."""
    return bool(_VERSION & set(words(name))) and table.column(name).type == "datetime"


def is_bookkeeping(column: SeenColumn) -> bool:
    """Whether a column is about the row and not about the case: when it was written, changed or deleted."""
    parts = set(words(column.name))
    if parts & _GONE and (column.type in ("datetime", "flag") or parts & {"is", "flag"}):
        return True
    return column.type == "datetime" and bool(parts & (_VERSION | _KEPT))


def deletion_of(table: SeenTable) -> tuple[str, str] | None:
    """The column that says that a row is gone, and the condition that is true then; None where there is none."""
    for column in table.columns:
        parts = set(words(column.name))
        if not parts & _GONE or not is_bookkeeping(column) or not column.filled:
            continue
        name = column_text(column.name)
        if column.type == "datetime" and column.filled < table.sampled:
            return column.name, f"{name} IS NOT NULL"
        if column.type == "flag":
            return column.name, name
        if column.type == "number" and {value for value, _ in column.common} <= {"0", "1"}:
            return column.name, f"{name} = 1"
    return None


def _version_clock(candidates: list[SeenColumn]) -> SeenColumn | None:
    """The column that says when a row was changed last: named so, and never behind the others."""
    for column in candidates:
        if not _VERSION & set(words(column.name)):
            continue
        written = [c for c in candidates if c is not column and set(words(c.name)) & _KEPT]
        if all(_is_after(column, other) for other in written):
            return column
    return None


def _is_after(column: SeenColumn, other: SeenColumn) -> bool:
    pairs = ((column.first, other.first), (column.last, other.last))
    return all(one is None or two is None or one >= two for one, two in pairs)


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
