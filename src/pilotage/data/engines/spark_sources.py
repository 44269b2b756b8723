"""A snapshot as a view in Spark: all versions of its rows, as :func:`pilotage.data.snapshots.versions_sql` has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pilotage.data.records import Snapshot
from pilotage.data.rules.marks import DELETED, KNOWN_AT, SEEN
from pilotage.data.snapshots import SEGMENT
from pilotage.platform.errors import SourceUnavailable
from pilotage.platform.lake import Lake
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import SEEN_AT

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_TYPES = {
    "BIGINT": "BIGINT",
    "DOUBLE": "DOUBLE",
    "BOOLEAN": "BOOLEAN",
    "TIMESTAMP": "TIMESTAMP_NTZ",
    "VARCHAR": "STRING",
}


def see(spark: SparkSession, lake: Lake, found: Snapshot, columns: Sequence[str]) -> None:
    """Make the view of a source: the columns that are needed, and ours.

    Raises:
        SourceUnavailable: the source is a Delta table, whose versions are not read on Spark.
    """
    if found.reference is not None:
        raise SourceUnavailable(
            f"{found.source} is a Delta table, which is not read on Spark yet.", "Build without --engine spark."
        )
    types = {column.name: _TYPES[column.engine_type] for column in found.columns}
    types |= {SEEN_AT: "TIMESTAMP_NTZ"}
    wanted = [name for name in dict.fromkeys(columns) if name != SEEN_AT]
    parts = [
        _part(spark, f"_{found.source}_{number}", paths, there, found, wanted, types)
        for number, (there, paths) in enumerate(_alike(lake, found).items())
    ]
    rows = " UNION ALL ".join(parts) or f"SELECT {_nothing(found, wanted, types)} WHERE false"
    spark.sql(_spark(rows)).createOrReplaceTempView(_spark(quoted(found.source)))


def _alike(lake: Lake, found: Snapshot) -> dict[tuple[str, ...], list[str]]:
    """The segments' files by the columns that they have, in order: types may change from one to another, too."""
    import pyarrow.parquet as pq

    alike: dict[tuple[str, ...], list[str]] = {}
    for segment in found.segments:
        path = lake.path(segment.digest, SEGMENT).resolve()
        fields = tuple(f"{field.name}\t{field.type}" for field in pq.read_schema(path))
        alike.setdefault(fields, []).append(f"file:{path}")
    return alike


def _part(
    spark: SparkSession,
    view: str,
    paths: Sequence[str],
    fields: Sequence[str],
    found: Snapshot,
    wanted: Sequence[str],
    types: dict[str, str],
) -> str:
    """The rows of files with the same columns."""
    spark.read.parquet(*paths).createOrReplaceTempView(f"`{view}`")
    there = {field.partition("\t")[0] for field in fields}
    names = {name: quoted(name) if name in there else "NULL" for name in [*wanted, SEEN_AT, "_deleted"]}
    return f'SELECT {_values(names, found, wanted, types)} FROM "{view}"'


def _nothing(found: Snapshot, wanted: Sequence[str], types: dict[str, str]) -> str:
    return _values(dict.fromkeys([*wanted, SEEN_AT, "_deleted"], "NULL"), found, wanted, types)


def _values(names: dict[str, str], found: Snapshot, wanted: Sequence[str], types: dict[str, str]) -> str:
    values = [f"CAST({names[name]} AS {types[name]}) AS {quoted(name)}" for name in wanted]
    seen = f"CAST({names[SEEN_AT]} AS TIMESTAMP_NTZ)"
    known = seen if found.is_static else f"coalesce({seen}, CAST({names[found.known_at]} AS TIMESTAMP_NTZ))"
    ours = [f"{known} AS {KNOWN_AT}", f"coalesce(CAST({names['_deleted']} AS BOOLEAN), false) AS {DELETED}"]
    return ", ".join([*values, *ours, *([f"{seen} AS {SEEN}"] if found.is_static else [])])


def _spark(sql: str) -> str:
    """Names in Spark's quotes; no text or value stands in such a statement."""
    return sql.replace("`", "``").replace('"', "`")
