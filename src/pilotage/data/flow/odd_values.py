"""The value because of which a column is not read as before: named, so that somebody can correct it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from datetime import datetime
from typing import Any

from pilotage.data import sources
from pilotage.data.records import FoundColumn, Span
from pilotage.data.sources.asked import Asked
from pilotage.platform.errors import SourceUnavailable
from pilotage.usecase.records import ROW

_LENGTH_MAX = 40


def odd_value(wanted: Asked, name: str, was: str, columns: Sequence[FoundColumn]) -> str:
    """The first text of a column that is no number or date, with its row in the file; empty where it was neither.

    A list of texts that should have been one kind of thing holds few that are not: the first is enough to find them.
    """
    reads = _READS.get(was)
    column = next(column for column in columns if column.name == name)
    if reads is None or column.type != "text":
        return ""
    numbered = [found for found in columns if found.name == ROW]
    batches = sources.read(wanted, (column, *numbered), Span())
    try:
        for batch in batches:
            rows = batch.column(1).to_pylist() if numbered else [None] * len(batch)
            for value, row in zip(batch.column(0).to_pylist(), rows, strict=True):
                if value not in (None, "", *wanted.source.missing) and not _is(reads, value):
                    return f", because of '{value[:_LENGTH_MAX]}'" + (f" in row {row}" if row is not None else "")
    except SourceUnavailable:  # what is wrong with it is said without the value, too
        return ""
    finally:
        if isinstance(batches, Generator):
            batches.close()
    return ""


def _is(reads: Callable[[str], Any], value: str) -> bool:
    try:
        reads(value)
    except ValueError:
        return False
    return True


def _number(text: str) -> float:
    """A number in any of the ways in which they are written."""
    return float(text.translate({ord(sign): None for sign in "., \u00a0\u202f'’"}) or "x")


def _date(text: str) -> object:
    """A date by its look: digits and the signs between them."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return int("".join(sign for sign in text if sign not in " .:/-+TZ") or "x")


_READS: dict[str, Callable[[str], object]] = {"number": _number, "datetime": _date}
