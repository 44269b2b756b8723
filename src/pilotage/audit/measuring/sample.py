"""A sample of the labelled decisions with their inputs, in memory: what all measurements of skill stand on.

At most 50,000, drawn by a digest of the entity: always the same ones, spread over time as the decisions are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pilotage.audit.measuring.face import happened
from pilotage.audit.measuring.skill import Codes, Flags, Floats
from pilotage.data.records import ColumnType, FoundColumn
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import ColumnKind, Definition

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

SAMPLE_ROWS = 50_000
COLUMNS_AT_ONCE = 100
TYPES: dict[ColumnKind, ColumnType] = {"number": "number", "category": "text", "datetime": "datetime", "flag": "flag"}


@dataclass(frozen=True)
class Vector:
    """A column of the sample: ``numbers`` (unknown is NaN), or ``codes`` of its ``levels`` (unknown is -1)."""

    name: str
    type: ColumnType
    numbers: Floats | None
    codes: Codes | None = None
    levels: tuple[str, ...] = ()

    @property
    def known(self) -> Flags:
        if self.codes is not None:
            found: Flags = self.codes >= 0
            return found
        return ~np.isnan(self.numbers) if self.numbers is not None else np.zeros(0, np.bool_)


@dataclass(frozen=True)
class Sample:
    """Labelled decisions in order of time. ``sampled`` is their number where they are not all, else 0.

    The engine has them as ``_sample``: ``_nth`` (0 …), ``_entity``, ``_moment``, ``_label``, ``_outcome`` (what
    happened, as a text) and the inputs.
    """

    labels: Flags
    moments: Floats
    inputs: tuple[Vector, ...]
    sampled: int

    @property
    def rows(self) -> int:
        return len(self.labels)

    @property
    def has_both(self) -> bool:
        return 0 < int(self.labels.sum()) < self.rows

    def times(self, rows: int) -> Codes:
        """Stretches of time of about so many decisions each."""
        numbers: Codes = np.arange(self.rows, dtype=np.int64) // max(rows, 1)
        return numbers


def draw_sample(connection: duckdb.DuckDBPyConnection, definition: Definition) -> Sample:
    """Make ``_sample`` from ``training_set`` and read it."""
    plan = definition.plan
    labelled = connection.execute("SELECT count(label) FROM training_set").fetchall()[0][0]
    every = -(-labelled // SAMPLE_ROWS)
    drawn = f" AND hash(entity) % {every} = 0" if every > 1 else ""
    inputs = "".join(f", {quoted(name)}" for name in plan.names)
    connection.execute(f"""CREATE TEMP TABLE _sample AS
    SELECT CAST(row_number() OVER (ORDER BY moment, entity) - 1 AS BIGINT) AS _nth,
           entity AS _entity, moment AS _moment, label AS _label,
           CAST({happened(definition)} AS VARCHAR) AS _outcome{inputs}
    FROM training_set WHERE label IS NOT NULL{drawn}""")
    head = connection.sql("SELECT _label, epoch(_moment) AS _moment FROM _sample ORDER BY _nth").to_arrow_table()
    labels = head["_label"].to_numpy().astype(np.bool_)
    moments = head["_moment"].to_numpy().astype(np.float64)
    # Free text is no category: nearly each has its own, which a quick model would learn by heart.
    columns = [FoundColumn(c.name, TYPES[c.kind], "") for c in plan.columns if c.kind != "text"]
    vectors = tuple(v for part in read_vectors(connection, "_sample", columns, moments) for v in part)
    return Sample(labels, moments, vectors, len(labels) if every > 1 else 0)


def read_vectors(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[FoundColumn], moments: Floats
) -> Iterator[list[Vector]]:
    """Columns of a relation with ``_nth``, a hundred at a time: a source may have thousands.

    ``moments`` are those of the relation's rows, in order of ``_nth``; datetimes are read relative to them.
    """
    for start in range(0, len(columns), COLUMNS_AT_ONCE):
        part = columns[start : start + COLUMNS_AT_ONCE]
        names = ", ".join(f"{_read(column)} AS c{number}" for number, column in enumerate(part))
        table = connection.sql(f"SELECT {names} FROM {relation} ORDER BY _nth").to_arrow_table()
        yield [_vector(column, table.column(number), moments) for number, column in enumerate(part)]


def _read(column: FoundColumn) -> str:
    name = quoted(column.name)
    if column.type == "text":
        return f"CAST({name} AS VARCHAR)"
    if column.type == "datetime":
        return f"epoch(CAST({name} AS TIMESTAMP))"
    return f"CAST({name} AS DOUBLE)"


def _vector(column: FoundColumn, values: pa.ChunkedArray, moments: Floats) -> Vector:
    if column.type == "text":
        encoded = values.combine_chunks().dictionary_encode()
        codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        return Vector(column.name, column.type, None, codes, tuple(encoded.dictionary.to_pylist()))
    numbers = values.to_numpy().astype(np.float64)
    numbers = np.where(np.isfinite(numbers), numbers, np.nan)
    return Vector(column.name, column.type, numbers - moments if column.type == "datetime" else numbers)
