"""What a contract is drafted from: figures of each column of a snapshot, in two scans."""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from pilotage.data.records import ColumnType, FoundColumn
from pilotage.platform.quoting import literal, quoted

if TYPE_CHECKING:
    import duckdb

CATEGORIES_MAX = 30
SHAPED_LENGTH_MAX = 40
_AT_ONCE = 200
_RUN = re.compile(r"(A|a|9)\1+")
_LETTERS = string.ascii_uppercase + string.ascii_lowercase + string.digits
_FIGURES = 5
_SHAPES_MAX = 500
_CLASSES = "A" * 26 + "a" * 26 + "9" * 10


class ColumnFigures(Struct, frozen=True):
    """A column in figures. ``shape`` is the one shape that all texts have (``AA999``), ``runs`` that without lengths.

    ``categories`` are all its texts, where they are few.
    """

    name: str
    type: ColumnType
    filled: int
    distinct: int
    least: float | None = None
    most: float | None = None
    whole: bool = False
    shape: str = ""
    runs: str = ""
    categories: tuple[str, ...] = ()


class Figures(Struct, frozen=True):
    """A source in figures. ``gap_seconds``: 99 % of the time, the newest row known by then was not older.

    ``newest`` is when the newest row became known, in UTC without zone.
    """

    rows: int
    columns: tuple[ColumnFigures, ...]
    instants: int = 0
    gap_seconds: float | None = None
    newest: datetime | None = None


def measure(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[FoundColumn], known_at: str
) -> Figures:
    """The figures of a relation; ``known_at`` is empty where the source has no clock of its own."""
    rows = connection.execute(f"SELECT count(*) FROM {relation}").fetchall()[0][0]
    measured: list[ColumnFigures] = []
    for start in range(0, len(columns), _AT_ONCE):
        measured += _measured(connection, relation, columns[start : start + _AT_ONCE])
    if not known_at or not rows:
        return Figures(rows, tuple(measured))
    return Figures(rows, tuple(measured), *_cadence(connection, relation, known_at))


def _measured(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[FoundColumn]
) -> list[ColumnFigures]:
    wanted = [expression for column in columns for expression in _expressions(column)]
    row = connection.execute(f"SELECT {', '.join(wanted)} FROM {relation}").fetchall()[0]
    values = [row[start : start + _FIGURES] for start in range(0, len(row), _FIGURES)]
    about = CATEGORIES_MAX * 1.5  # the count of different values is an estimate
    few = [c.name for c, v in zip(columns, values, strict=True) if c.type == "text" and 0 < v[1] <= about]
    texts = _categories(connection, relation, few)
    shapes = {column.name: _shapes(connection, relation, column) for column in columns if column.name not in texts}
    return [
        ColumnFigures(
            name=column.name,
            type=column.type,
            filled=value[0],
            distinct=value[1],
            least=value[2],
            most=value[3],
            whole=bool(value[4]),
            shape=shapes.get(column.name, ("", ""))[0],
            runs=shapes.get(column.name, ("", ""))[1],
            categories=texts.get(column.name, ()),
        )
        for column, value in zip(columns, values, strict=True)
    ]


def _expressions(column: FoundColumn) -> list[str]:
    """Five aggregates: how many are filled, how many differ, the least and the most number, whether all are whole."""
    here = quoted(column.name)
    if column.type == "number":
        value = f"nullif(CAST({here} AS DOUBLE), CAST('nan' AS DOUBLE))"
        finite = f"FILTER (WHERE isfinite({value}))"
        whole = f"bool_and({value} = trunc({value})) {finite}"
        limits = [f"min({value}) {finite}", f"max({value}) {finite}"]
        return [f"count({value})", f"approx_count_distinct({value})", *limits, whole]
    filled = f"count(*) FILTER (WHERE trim({here}) <> '')" if column.type == "text" else f"count({here})"
    return [filled, f"approx_count_distinct({here})", "NULL", "NULL", "NULL"]


def _shapes(connection: duckdb.DuckDBPyConnection, relation: str, column: FoundColumn) -> tuple[str, str]:
    """The one shape of a column's texts, and the one form of their runs; empty where they have several."""
    if column.type != "text":
        return "", ""
    value = f"left(CAST({quoted(column.name)} AS VARCHAR), {SHAPED_LENGTH_MAX + 1})"
    values = f"SELECT DISTINCT {value} AS v FROM {relation} WHERE trim({value}) <> ''"
    shape = f"translate(v, {literal(_LETTERS)}, {literal(_CLASSES)})"
    found = f"SELECT DISTINCT {shape} FROM ({values}) LIMIT {_SHAPES_MAX}"
    shapes = [row[0] for row in connection.execute(found).fetchall()]
    if any(len(shape) > SHAPED_LENGTH_MAX for shape in shapes):
        return "", ""  # of such texts only the beginning was looked at
    runs = {_RUN.sub(r"\1", shape) for shape in shapes} if len(shapes) < _SHAPES_MAX else set()
    return shapes[0] if len(shapes) == 1 else "", runs.pop() if len(runs) == 1 else ""


def _categories(
    connection: duckdb.DuckDBPyConnection, relation: str, names: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """All texts of these columns, of those that have few."""
    if not names:
        return {}
    lists = ", ".join(f"list(DISTINCT {quoted(n)}) FILTER (WHERE trim({quoted(n)}) <> '')" for n in names)
    row = connection.execute(f"SELECT {lists} FROM {relation}").fetchall()[0]
    found = {name: tuple(sorted(values or ())) for name, values in zip(names, row, strict=True)}
    return {name: values for name, values in found.items() if 0 < len(values) <= CATEGORIES_MAX}


def _cadence(
    connection: duckdb.DuckDBPyConnection, relation: str, known_at: str
) -> tuple[int, float | None, datetime | None]:
    """How many different instants became known, how old the newest one got, for 99 % of the time, in seconds, and the
    newest of all.

    Long gaps count by their length: whoever looks at night meets the gap of the night.
    """
    instants = f"SELECT DISTINCT date_trunc('minute', {quoted(known_at)}) AS k FROM {relation}"
    spans = f"SELECT epoch(k) - lag(epoch(k)) OVER (ORDER BY k) AS gap FROM ({instants}) WHERE k IS NOT NULL"
    shares = f"SELECT gap, sum(gap) OVER (ORDER BY gap) / sum(gap) OVER () AS share FROM ({spans})"
    row = connection.execute(f"SELECT count(*), min(gap) FILTER (share >= 0.99) FROM ({shares})").fetchall()[0]
    newest = connection.execute(f"SELECT max(CAST({quoted(known_at)} AS TIMESTAMP)) FROM {relation}").fetchall()[0][0]
    return row[0], row[1], newest
