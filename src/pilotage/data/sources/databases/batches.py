"""Rows as drivers give them become Arrow batches of bounded size."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pilotage.data.records import FoundColumn
from pilotage.data.sources.asked import Asked

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_MAX = 50_000
BYTES_AIM = 32_000_000
"""About how large a batch is in Arrow; rows as Python objects take some five times as much."""

_ROWS_FIRST = 1_000
_CELLS_MAX = 1_000_000
_GROWTH_MAX = 4

Rows = Sequence[Sequence[Any]]


def batched(
    asked: Asked, columns: Sequence[FoundColumn], fetch: Callable[[int], Rows], instants_as_text: bool = False
) -> Generator[pa.RecordBatch]:
    """What ``fetch(count)`` gives until it gives nothing, so many rows at a time that a batch stays small.

    A table may have 1,600 columns, or texts of megabytes: the next batch's rows are counted from the last one's bytes.
    """
    most = max(1, min(ROWS_MAX, _CELLS_MAX // max(1, len(columns))))
    rows_wanted = min(_ROWS_FIRST, most)
    while rows := fetch(rows_wanted):
        batch = to_arrow(asked, columns, rows, instants_as_text)
        yield batch
        fitting = int(BYTES_AIM * batch.num_rows / max(1, batch.nbytes))
        rows_wanted = max(1, min(most, fitting, rows_wanted * _GROWTH_MAX))


def limited(asked: Asked, batches: Iterator[pa.RecordBatch]) -> Generator[pa.RecordBatch]:
    """The batches, or a failure as soon as they have more rows than the source may give."""
    rows, most = 0, asked.source.rows_max
    for batch in batches:
        rows += batch.num_rows
        if rows > most:
            message = f"Source {asked.name} gives more than {most:,} rows to one query."
            raise asked.failure(message, "Raise `rows_max`, or read a view with fewer rows.")
        yield batch


def to_arrow(
    asked: Asked, columns: Sequence[FoundColumn], rows: Rows, instants_as_text: bool = False
) -> pa.RecordBatch:
    """Rows as one batch. Numbers and instants may come as text; text may come as bytes.

    Raises:
        SourceUnavailable: a column has a value that does not fit its type; the message names it.
    """
    import pyarrow as pa

    types = {
        "BIGINT": pa.int64(),
        "DOUBLE": pa.float64(),
        "BOOLEAN": pa.bool_(),
        "TIMESTAMP": pa.string() if instants_as_text else pa.timestamp("us"),
        "VARCHAR": pa.string(),
    }
    arrays = []
    for column, values in zip(columns, zip(*rows, strict=True), strict=True):
        try:
            arrays.append(_array(values, types[column.engine_type]))
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
            raise _misfit(asked, column, str(error)) from None
    return pa.record_batch(arrays, names=[column.name for column in columns])


def _array(values: Sequence[Any], wanted: pa.DataType) -> pa.Array:
    import pyarrow as pa

    sample = next((value for value in values if value is not None), None)
    if isinstance(sample, bytes):
        return _decoded(values).cast(wanted)
    if isinstance(sample, str) and wanted != pa.string():
        return pa.array(values, pa.string()).cast(wanted)
    if wanted == pa.bool_() and not isinstance(sample, bool):
        return pa.array(values, pa.int64()).cast(wanted)
    return pa.array(values, wanted)


def _decoded(values: Sequence[Any]) -> pa.Array:
    """Bytes as text; those that are no UTF-8 become the replacement character U+FFFD, others stay exactly."""
    import pyarrow as pa

    try:
        return pa.array(values, pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        texts = [value.decode("utf-8", errors="replace") if isinstance(value, bytes) else value for value in values]
        return pa.array(texts, pa.string())


def _misfit(asked: Asked, column: FoundColumn, reason: str) -> Exception:
    return asked.failure(
        f"Source {asked.name}: column {column.name} is declared as {column.type} and holds something else: "
        f"{reason.splitlines()[0][:200]}.",
        "Correct the rows, or the column's type, or read a view that casts it.",
    )
