"""Columns that may hold personal data: a few rows of each source, always the same ones, and what their values are.

About 4,000 rows and at most 2,000 distinct values of a column find what concerns one value in a thousand. What is rarer
is missed, and the figures say how many values were looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from pilotage.audit.measured.personal import PersonalColumn, PersonalFigures
from pilotage.audit.rules.detecting import detected
from pilotage.audit.rules.sensitive import composed
from pilotage.audit.rules.telling_names import hint_of
from pilotage.data.records import FoundColumn, Snapshot
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import Definition

if TYPE_CHECKING:
    import duckdb

VALUES_MAX = 2_000
_VALUES_OF_SOURCE = 200_000
_CHARACTERS = 2_000
_CHARACTERS_OF_COLUMN = 1_000_000
_CHARACTERS_OF_SOURCE = 4_000_000
_COLUMNS_AT_ONCE = 200
_SPARSE = 100
_SPARSE_COLUMNS_MAX = 50


def measure_personal(
    engine: duckdb.DuckDBPyConnection, definition: Definition, found: dict[str, Snapshot]
) -> PersonalFigures:
    """Every column of every source, by its name and by its values."""
    columns: list[PersonalColumn] = []
    for snapshot in found.values():
        columns += _of_source(engine, snapshot)
    return PersonalFigures(tuple(columns))


@lru_cache(maxsize=1)
def first_names() -> frozenset[str]:
    """Common first names, lower case; where they are from stands in the file."""
    text = files("pilotage.audit.measuring").joinpath("first_names.txt").read_text("utf-8")
    return frozenset(name for line in text.splitlines() if not line.startswith("#") for name in line.split())


def _of_source(engine: duckdb.DuckDBPyConnection, snapshot: Snapshot) -> Iterator[PersonalColumn]:
    names = [column.name for column in snapshot.columns]
    hints = {name: hint_of(name, names) for name in names}
    judged = [c for c in snapshot.columns if c.type == "text" or c.engine_type == "BIGINT" or hints[c.name]]
    texts = sum(column.type == "text" for column in judged) or 1
    characters = min(_CHARACTERS_OF_COLUMN, _CHARACTERS_OF_SOURCE // texts)
    for column, values in _values(engine, snapshot, judged):
        looked_at = _within(values, characters)
        kinds = detected(hints[column.name], column.type, looked_at, first_names())
        seen = composed(snapshot.source, column.name, kinds, len(looked_at))
        if seen is not None:
            yield seen


def _values(
    engine: duckdb.DuckDBPyConnection, snapshot: Snapshot, columns: Sequence[FoundColumn]
) -> Iterator[tuple[FoundColumn, list[str]]]:
    """Distinct non-empty values of each column, as texts, in the order of the rows drawn."""
    most = max(100, min(VALUES_MAX, _VALUES_OF_SOURCE // max(1, len(columns))))
    sparse = 0
    for start in range(0, len(columns), _COLUMNS_AT_ONCE):
        chunk = columns[start : start + _COLUMNS_AT_ONCE]
        rows = _drawn(engine, snapshot, chunk, 2 * most)
        for number, column in enumerate(chunk):
            given = [value for row in rows if (value := row[number])]
            if len(given) < _SPARSE and len(rows) < snapshot.rows and sparse < _SPARSE_COLUMNS_MAX:
                sparse += 1
                given = _of_sparse(engine, snapshot, column, most)
            yield column, list(dict.fromkeys(given))[:most]


def _drawn(
    engine: duckdb.DuckDBPyConnection, snapshot: Snapshot, columns: Sequence[FoundColumn], rows: int
) -> list[tuple[str | None, ...]]:
    """Rows by the hash of their key: spread over the source, and the same at every audit; else the first rows."""
    texts = ", ".join(f"{_text(column)} AS c{number}" for number, column in enumerate(columns))
    select = f"SELECT {texts} FROM {quoted(snapshot.source)}"
    one_of = snapshot.rows // rows
    if snapshot.key and one_of > 1:
        key = ", ".join(quoted(name) for name in snapshot.key)
        spread: list[tuple[str | None, ...]] = engine.execute(
            f"{select} WHERE hash({key}) % {one_of} = 0 LIMIT {2 * rows}"
        ).fetchall()
        if len(spread) > rows // 4:
            return spread
    first: list[tuple[str | None, ...]] = engine.execute(f"{select} LIMIT {2 * rows}").fetchall()
    return first


def _text(column: FoundColumn) -> str:
    return f"left(CAST({quoted(column.name)} AS VARCHAR), {_CHARACTERS})"


def _of_sparse(engine: duckdb.DuckDBPyConnection, snapshot: Snapshot, column: FoundColumn, most: int) -> list[str]:
    """The first values of a column that is hardly ever filled."""
    filled = f"FROM {quoted(snapshot.source)} WHERE {quoted(column.name)} IS NOT NULL"
    rows = engine.execute(f"SELECT {_text(column)} {filled} LIMIT {2 * most}").fetchall()
    return [row[0] for row in rows if row[0]]


def _within(values: Sequence[str], characters: int) -> list[str]:
    """As many values as a number of characters allows: long texts are costly to read."""
    looked_at: list[str] = []
    for value in values:
        characters -= len(value)
        if characters < 0 and looked_at:
            break
        looked_at.append(value)
    return looked_at
