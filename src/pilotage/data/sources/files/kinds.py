"""What kind of file a name says it is, and the names that its columns get."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Literal

from pilotage.data.sources.files.unreadable import Unreadable

Kind = Literal["delimited", "parquet", "json", "excel"]

COLUMNS_MAX = 5_000
COMPRESSIONS = (".gz", ".zst", ".bz2", ".xz", ".zip")

_KINDS: dict[str, Kind] = {
    ".csv": "delimited",
    ".tsv": "delimited",
    ".txt": "delimited",
    ".tab": "delimited",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".xlsx": "excel",
    ".xlsm": "excel",
    ".xlsb": "excel",
    ".xls": "excel",
    ".ods": "excel",
}


def kind_of(name: str) -> Kind | None:
    """The kind, by the name's ending; that of a compression does not count."""
    return _KINDS.get(ending(name))


def ending(name: str) -> str:
    """The last ending that is not a compression's, in lower case: ``.csv`` of ``Orders.CSV.gz``."""
    path = PurePosixPath(name.lower())
    return PurePosixPath(path.stem).suffix if path.suffix in COMPRESSIONS else path.suffix


def compression(name: str) -> str:
    """The ending of the compression; empty where there is none."""
    suffix = PurePosixPath(name.lower()).suffix
    return suffix if suffix in COMPRESSIONS else ""


def column_names(cells: Sequence[str], where: str) -> tuple[str, ...]:
    """Names of columns, from a header's cells: the third is ``column_3`` if it has none, a second ``a`` is ``a_2``.

    Names that differ only in case are the same to the engine, and so doubled. Blanks around a name are no part of it.

    Raises:
        Unreadable: there are more columns than 5,000.
    """
    if len(cells) > COLUMNS_MAX:
        raise Unreadable(f"{where} has {len(cells):,} columns; {COLUMNS_MAX:,} are the most.", "Export fewer columns.")
    names: list[str] = []
    taken = {cell.strip().casefold() for cell in cells}
    seen: set[str] = set()
    for place, cell in enumerate(cells, 1):
        name = cell.strip() or f"column_{place}"
        if name.casefold() in seen:
            number = 2
            while f"{name}_{number}".casefold() in taken | seen:
                number += 1
            name = f"{name}_{number}"
        seen.add(name.casefold())
        names.append(name)
    return tuple(names)
