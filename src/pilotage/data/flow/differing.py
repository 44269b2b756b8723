"""Two tables of training rows, compared row for row and bit for bit."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from pilotage.data.records import Difference

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

_ROW, _NONE = "a row", "none"
APART_MAX = 1e-9
"""So much of its size a sum, mean or deviation may differ that another engine added up."""


def first_difference(kept: pa.Table, rebuilt: pa.Table) -> Difference | None:
    """The first row in which two tables differ, and its first column; None where there is none.

    Both are sorted by moment and entity and have each entity once. A row that only one of them has is named as such.
    """
    moments, entities = (_differing(kept, rebuilt, name) for name in ("moment", "entity"))
    moved = _first(moments | entities)
    shared = min(kept.num_rows, rebuilt.num_rows)
    end = moved if moved is not None else shared
    by_column = {name: _first(_differing(kept, rebuilt, name)[:end]) for name in _names(kept, rebuilt)}
    differing = {name: row for name, row in by_column.items() if row is not None}
    if differing:
        column = min(differing, key=lambda name: differing[name])
        return _in_column(kept, rebuilt, differing[column], column)
    if moved is None and kept.num_rows == rebuilt.num_rows:
        return None
    return _in_row(kept, rebuilt, end)


def told_apart(kept: pa.Table, rebuilt: pa.Table, inexact: frozenset[str]) -> tuple[float | None, pa.Table]:
    """The largest difference in the ``inexact`` columns, and ``rebuilt`` with kept values where they differ by less.

    A difference is a part of the value's size, or of the column's mean size where that is larger: a deviation of equal
    values is zero, or what rounding left of it. None where the rows cannot be laid side by side. What differs by more
    than :data:`APART_MAX` stays as it is, to be found.
    """
    import numpy as np
    import pyarrow as pa

    if kept.num_rows != rebuilt.num_rows or kept.column_names != rebuilt.column_names:
        return None, rebuilt
    most = 0.0
    for place, name in enumerate(rebuilt.column_names):
        if name not in inexact:
            continue
        one, other = (table[name].combine_chunks().to_numpy(zero_copy_only=False) for table in (kept, rebuilt))
        known = np.isfinite(one) & np.isfinite(other)
        if not known.any():
            continue
        size = np.maximum(np.maximum(np.abs(one), np.abs(other)), np.abs(one[known]).mean())
        apart = np.divide(np.abs(one - other), size, out=np.zeros(len(one)), where=known & (size > 0))
        most = max(most, float(apart.max()))
        alike = known & (apart <= APART_MAX)
        values = pa.array(np.where(alike, one, other), pa.float64(), mask=np.isnan(other))
        rebuilt = rebuilt.set_column(place, name, values)
    return most, rebuilt


def _names(kept: pa.Table, rebuilt: pa.Table) -> list[str]:
    """The columns of both, in the order of the kept table."""
    return [*kept.column_names, *(name for name in rebuilt.column_names if name not in kept.column_names)]


def _differing(kept: pa.Table, rebuilt: pa.Table, name: str) -> NDArray[np.bool_]:
    """Of the rows that both tables reach, whether this column's values differ; a column that one lacks always does."""
    import numpy as np

    shared = min(kept.num_rows, rebuilt.num_rows)
    if name not in kept.column_names or name not in rebuilt.column_names:
        return np.ones(shared, dtype=np.bool_)
    one, other = (_bits(table[name].slice(0, shared).combine_chunks()) for table in (kept, rebuilt))
    if one.type != other.type:
        return np.ones(shared, dtype=np.bool_)
    return _unequal(one, other)


def _unequal(one: pa.Array, other: pa.Array) -> NDArray[np.bool_]:
    """Not equal; a null equals a null only."""
    import numpy as np
    import pyarrow.compute as pc

    values = pc.fill_null(pc.not_equal(one, other), False).to_numpy(zero_copy_only=False)
    nulls = pc.xor(one.is_null(), other.is_null()).to_numpy(zero_copy_only=False)
    return np.asarray(values | nulls, dtype=np.bool_)


def _bits(values: pa.Array) -> pa.Array:
    """Floats as their bits, so that 0.0 and -0.0 differ as they do in a fingerprint; instants in microseconds."""
    import pyarrow as pa

    if pa.types.is_string(values.type):
        return values.cast(pa.large_string())
    if pa.types.is_timestamp(values.type):
        return values.cast(pa.timestamp("us")).cast(pa.int64())
    return values.view(pa.int64()) if pa.types.is_float64(values.type) else values


def _first(marks: NDArray[np.bool_]) -> int | None:
    return int(marks.argmax()) if marks.any() else None


def _in_column(kept: pa.Table, rebuilt: pa.Table, row: int, column: str) -> Difference:
    said = (_said(table, row, column) for table in (kept, rebuilt))
    return Difference(row + 1, str(kept["entity"][row]), kept["moment"][row].as_py(), column, *said)


def _said(table: pa.Table, row: int, column: str) -> str:
    if column not in table.column_names:
        return "no such column"
    value = table[column][row].as_py()
    return "null" if value is None else repr(value) if isinstance(value, float) else str(value)


def _in_row(kept: pa.Table, rebuilt: pa.Table, row: int) -> Difference:
    """At this place one table has a row that the other has not: the one that comes first in the order."""
    places = [_place(table, row) for table in (kept, rebuilt)]
    of_kept = places[1] is None or (places[0] is not None and places[0] < places[1])
    moment, entity = _place(kept if of_kept else rebuilt, row) or (kept["moment"][0].as_py(), "")
    said = (_ROW, _NONE) if of_kept else (_NONE, _ROW)
    return Difference(row + 1, entity, moment, "", *said)


def _place(table: pa.Table, row: int) -> tuple[datetime, str] | None:
    return (table["moment"][row].as_py(), str(table["entity"][row])) if row < table.num_rows else None
