"""Which rows of a training set are asked: spread over its time, next to the threshold, and the odd ones of a column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_MAX = 10_000
NEAR_MAX = 1_000
SCORED_MAX = 100_000
_ODD_MAX = 2_000
_LEVELS_MAX = 20


def spread(rows: int, wanted: int) -> NDArray[np.intp]:
    """So many positions at most, evenly over all rows, which are in the order of time; ascending, none twice."""
    return np.unique(np.linspace(0, rows - 1, min(rows, wanted)).astype(np.intp))


def nearest(positions: NDArray[np.intp], distances: NDArray[np.float64]) -> NDArray[np.intp]:
    """Those of the positions whose scores lie nearest to where the decision changes.

    ``distances`` are rows × places. Of each place as many: where scores lie dense at one, the others must not go
    without. What that leaves of :data:`NEAR_MAX` are the nearest to any.
    """
    ranks = np.argsort(distances, axis=0, kind="stable")
    of_places = np.unique(ranks[: NEAR_MAX // distances.shape[1]])
    others = np.argsort(distances.min(axis=1), kind="stable")
    others = others[~np.isin(others, of_places)]
    chosen: NDArray[np.intp] = positions[np.concatenate([of_places, others[: NEAR_MAX - len(of_places)]])]
    return chosen


def odd(table: pa.Table, names: tuple[str, ...]) -> NDArray[np.intp]:
    """Of each column a row with a value and one without, its least and greatest number, some rows of its levels."""
    found = [position for name in names for position in _of_column(table[name])]
    return np.unique(np.asarray(found[:_ODD_MAX], dtype=np.intp))


def _of_column(column: pa.ChunkedArray) -> list[int]:
    import pyarrow as pa

    values = column.combine_chunks()
    unknown = values.is_null().to_numpy(zero_copy_only=False)
    if unknown.all():
        return [0]
    chosen = [int(unknown.argmin()), *([int(unknown.argmax())] if unknown.any() else [])]
    if pa.types.is_floating(values.type):
        numbers = np.where(unknown, np.nan, values.to_numpy(zero_copy_only=False))
        chosen += [int(np.nanargmin(numbers)), int(np.nanargmax(numbers))] if not np.isnan(numbers).all() else []
    elif pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        codes = values.dictionary_encode().indices.fill_null(0).to_numpy(zero_copy_only=False)
        chosen += [int(first) for first in np.unique(codes, return_index=True)[1][-_LEVELS_MAX:]]
    return chosen


def together(rows: int, first: NDArray[np.intp]) -> NDArray[np.intp]:
    """The rows that must be among them, filled up to :data:`ROWS_MAX` with rows spread over the time; ascending."""
    if rows <= ROWS_MAX:
        return np.arange(rows, dtype=np.intp)
    others = np.setdiff1d(np.arange(rows, dtype=np.intp), first, assume_unique=True)
    return np.union1d(first, others[spread(len(others), ROWS_MAX - len(first))])
