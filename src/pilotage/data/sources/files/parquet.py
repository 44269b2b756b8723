"""Parquet as a relation: local, or read by ranges where it lies. Folders such as ``day=2013-01-01`` are columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pilotage.data.sources.files.kinds import COLUMNS_MAX
from pilotage.data.sources.files.unreadable import Unreadable
from pilotage.data.sources.inferring import WRITTEN, Column
from pilotage.data.sources.tables import Table
from pilotage.platform.quoting import literal

if TYPE_CHECKING:
    import duckdb


def parquet_table(connection: duckdb.DuckDBPyConnection, places: Mapping[str, str]) -> Table:
    """The rows of all files; a column that a file lacks is null. ``places`` gives each the name that people know.

    Raises:
        Unreadable: there are too many columns.
        duckdb.Error: a file is no Parquet.
    """
    relation = scan(list(places))
    described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    if len(described) > COLUMNS_MAX:
        raise Unreadable(f"The files have {len(described):,} columns; {COLUMNS_MAX:,} are the most.", "Export fewer.")
    folders = set(_folders(list(places)))
    columns = tuple(
        Column(name, "VARCHAR", WRITTEN) if name in folders else Column(name, engine_type)
        for name, engine_type, *_ in described
    )
    return Table(relation, columns, dict(places))


def scan(places: Sequence[str]) -> str:
    """SQL: the rows of Parquet files, all columns of all of them, with those that their folders name as texts."""
    listed = ", ".join(literal(_escaped(place)) for place in places)
    hive = "hive_partitioning = true, hive_types_autocast = false" if _folders(places) else "hive_partitioning = false"
    return f"read_parquet([{listed}], union_by_name = true, {hive})"


def _folders(places: Sequence[str]) -> tuple[str, ...]:
    """The columns that the folders of all places name; none where they differ."""
    found = {
        tuple(unquote(part.partition("=")[0]) for part in PurePosixPath(place).parts[:-1] if "=" in part)
        for place in places
    }
    return found.pop() if len(found) == 1 else ()


def _escaped(place: str) -> str:
    """A place in which nothing is a pattern."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in place)
