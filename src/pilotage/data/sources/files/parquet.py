"""Parquet as a relation: local, or read by ranges where it lies. Folders such as ``day=2013-01-01`` are columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pilotage.data.sources.files.kinds import COLUMNS_MAX
from pilotage.data.sources.files.unreadable import Unreadable
from pilotage.data.sources.inferring import WRITTEN, Candidate, Column
from pilotage.data.sources.tables import Table
from pilotage.platform.quoting import literal

if TYPE_CHECKING:
    import duckdb


_NUMBERED = re.compile(r"_\d+$")


def parquet_table(
    connection: duckdb.DuckDBPyConnection, places: Mapping[str, str], texts: tuple[Candidate, ...] = ()
) -> Table:
    """The rows of all files; a column that a file lacks is null. ``places`` gives each the name that people know.

    ``texts`` is what columns of text may turn out to be: nothing else, unless they come from a workbook.

    Raises:
        Unreadable: there are too many columns, or two of a file differ only in case.
        duckdb.Error: a file is no Parquet.
    """
    relation = scan(list(places))
    described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    if len(described) > COLUMNS_MAX:
        raise Unreadable(f"The files have {len(described):,} columns; {COLUMNS_MAX:,} are the most.", "Export fewer.")
    _refuse_same_names(connection, [row[0] for row in described], places)
    folders = set(_folders(list(places)))
    columns = tuple(
        Column(name, "VARCHAR", WRITTEN)
        if name in folders
        else Column(name, engine_type, texts if engine_type == "VARCHAR" else ())
        for name, engine_type, *_ in described
    )
    return Table(relation, columns, dict(places))


def _refuse_same_names(
    connection: duckdb.DuckDBPyConnection, described: Sequence[str], places: Mapping[str, str]
) -> None:
    """The engine takes ``id`` and ``ID`` for one name and calls the second ``ID_1``: nobody knew which is meant."""
    known = {name.casefold() for name in described}
    if not any(_NUMBERED.sub("", name).casefold() in known for name in described if _NUMBERED.search(name)):
        return
    listed = ", ".join(literal(_escaped(place)) for place in places)
    rows = connection.execute(f"SELECT file_name, name, num_children FROM parquet_schema([{listed}])").fetchall()
    for file, own in groupby(rows, key=lambda row: str(row[0])):
        seen: dict[str, str] = {}
        for name in _outermost([(name, children) for _, name, children in own]):
            if (other := seen.setdefault(name.casefold(), name)) != name:
                raise Unreadable(
                    f"{places.get(file, file)} has the columns {other} and {name}, which differ only in case.",
                    "Rename one of them where the file is written.",
                )


def _outermost(elements: Sequence[tuple[str, int | None]]) -> Iterator[str]:
    """The names of a file's columns, without what lies inside them; a schema lists each before what it holds."""
    inside = 0
    for name, children in elements[1:]:
        if inside == 0:
            yield name
        inside = max(0, inside - 1) + (children or 0)


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
