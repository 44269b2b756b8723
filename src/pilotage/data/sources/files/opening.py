"""Files as one relation in the engine, whatever their kind, and wherever they lie."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pilotage.data.sources.asked import Asked
from pilotage.data.sources.files import excel
from pilotage.data.sources.files.copying import decompressed, temporary_folder, watched
from pilotage.data.sources.files.delimited import delimited_table
from pilotage.data.sources.files.encodings import copy_of
from pilotage.data.sources.files.json_lines import json_table
from pilotage.data.sources.files.kinds import Kind, compression, ending, kind_of
from pilotage.data.sources.files.locating import File, Files, located, reaching
from pilotage.data.sources.files.parquet import parquet_table
from pilotage.data.sources.files.unreadable import Unreadable
from pilotage.data.sources.files.waiting import in_time
from pilotage.data.sources.tables import Table, engine, failing_as
from pilotage.data.sources.time_limit import TimeLimit

if TYPE_CHECKING:
    import duckdb


@contextmanager
def opened(asked: Asked, address: str) -> Iterator[tuple[duckdb.DuckDBPyConnection, Table]]:
    """An engine, and in it the rows of all files of an address. Temporary copies last as long as this does.

    Raises:
        SourceUnavailable: the files cannot be found, reached or read; one of them is named.
    """
    limit = TimeLimit(asked)
    with reaching(asked, address), temporary_folder(asked) as folder, engine(asked, limit) as connection:
        found = located(asked, address)
        kind = _kind(asked, found)
        names: dict[str, str] = {}
        try:
            with failing_as(asked, names):
                table = _table(limit, connection, kind, found, folder, names)
            limit.demand()
        except Unreadable as error:
            raise asked.failure(f"Source {asked.name}: {error.message}", error.repair) from None
        yield connection, table


def is_near(asked: Asked, address: str) -> bool:
    """Whether reading twice is cheap: local files, or Parquet, of which only what is needed is read."""
    found = located(asked, address)
    return found.storage is None or _kind(asked, found) == "parquet"


def _kind(asked: Asked, found: Files) -> Kind:
    kinds = {kind_of(file.name) for file in found.files}
    if len(kinds) == 1 and None not in kinds:
        return next(kind for kind in kinds if kind is not None)
    odd = next((file for file in found.files if kind_of(file.name) is None), None)
    if odd is not None:
        raise asked.failure(
            f"Source {asked.name}: {odd.name} is of no kind that can be read ({ending(odd.name) or 'no ending'}).",
            "Use .parquet, .csv, .tsv, .txt, .jsonl, .json, .xlsx, .xls or .ods files.",
        )
    names = [next(file.name for file in found.files if kind_of(file.name) == kind) for kind in sorted(map(str, kinds))]
    raise asked.failure(
        f"Source {asked.name}: its files are of several kinds: {' and '.join(names)}.", "Narrow the pattern to one."
    )


def _table(
    limit: TimeLimit,
    connection: duckdb.DuckDBPyConnection,
    kind: Kind,
    found: Files,
    folder: Path,
    names: dict[str, str],
) -> Table:
    """``names`` takes in what people call the files that are opened here, also their copies."""
    asked = limit.asked
    if found.storage is not None and kind == "parquet" and not any(compression(file.name) for file in found.files):
        connection.register_filesystem(found.storage)
        names |= {found.storage.unstrip_protocol(file.place): file.name for file in found.files}
        return parquet_table(connection, names)
    files = {_at_hand(limit, file, found, folder, number, kind): file.name for number, file in enumerate(found.files)}
    names |= {str(place): name for place, name in files.items()}
    names |= {str(copy_of(place, folder)): name for place, name in files.items()}
    if kind == "delimited":
        return delimited_table(files, folder, asked.source.encoding, asked.source.delimiter)
    if kind == "json":
        return json_table(connection, files, folder, asked.source.encoding)
    if kind == "excel":
        files = excel.as_parquet(files, folder, asked.source.sheet, asked.source.missing)
        return parquet_table(connection, {str(place): name for place, name in files.items()}, ("TIMESTAMP",))
    return parquet_table(connection, {str(place): name for place, name in files.items()})


def _at_hand(limit: TimeLimit, file: File, found: Files, folder: Path, number: int, kind: Kind) -> Path:
    """The file on the local disk, without compression."""
    place = Path(file.place)
    if kind == "excel" and file.bytes > excel.BYTES_MAX:
        raise Unreadable(
            f"{file.name} has {file.bytes:,} bytes; {excel.BYTES_MAX:,} are the most for a workbook.",
            "Export it as CSV.",
        )
    if found.storage is not None:
        place = folder / f"{number}{''.join(Path(file.name).suffixes[-2:])}"
        fetch = partial(found.storage.get_file, file.place, str(place), callback=watched(limit.demand))
        in_time(limit.asked, file.name, limit.remaining, fetch)
    limit.demand()
    return decompressed(place, file.name, folder, limit.demand)
