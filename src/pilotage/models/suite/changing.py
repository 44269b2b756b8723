"""Copies of rows in which one column is another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

Numbers = NDArray[np.float64]


def with_values(table: pa.Table, column: str, values: pa.Array | pa.ChunkedArray) -> pa.Table:
    """The rows with these values in a column, one each."""
    return table.set_column(table.column_names.index(column), column, values)


def with_one(table: pa.Table, column: str, value: Any) -> pa.Table:
    """The rows with the same value in a column; None is missing."""
    import pyarrow as pa

    kind = table[column].type if value is None else None
    if isinstance(value, str):
        kind = pa.string()
    return with_values(table, column, pa.array([value] * table.num_rows, kind))


def emptied(table: pa.Table, columns: list[str]) -> pa.Table:
    """The rows with nothing in these columns."""
    for column in columns:
        table = with_one(table, column, None)
    return table


def numbers_of(table: pa.Table, column: str) -> Numbers:
    """A column of numbers; what is missing is NaN."""
    import pyarrow as pa

    return np.array(table[column].cast(pa.float64()).to_numpy(), dtype=np.float64)


def with_numbers(table: pa.Table, column: str, values: Numbers) -> pa.Table:
    """The rows with these numbers in a column; NaN is missing, infinite numbers are what they are."""
    import pyarrow as pa

    return with_values(table, column, pa.array(values, pa.float64(), mask=np.isnan(values)))


def texts_of(table: pa.Table, column: str) -> pa.ChunkedArray:
    """A column as texts."""
    import pyarrow as pa

    return table[column].cast(pa.string())


def levels_of(table: pa.Table, column: str) -> list[str]:
    """The levels of a category, the most frequent first."""
    counts = texts_of(table, column).drop_null().value_counts()
    found = sorted(((one["counts"].as_py(), one["values"].as_py()) for one in counts), key=lambda x: (-x[0], x[1]))
    return [level for _, level in found]
