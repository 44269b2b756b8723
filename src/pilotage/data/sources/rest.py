"""REST endpoints that answer with lists of JSON objects: all pages into a temporary file, then read as JSON lines.

So the types of the columns agree over all pages, and memory holds one page. An endpoint without ``since`` is fetched
whole when its columns are looked at; the read that follows takes what was fetched, so that a sync asks once. One with
``since`` is looked at by its first pages, and its numbers count as fractions unless they are its key.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from pilotage.data.records import Extent, FoundColumn, Span
from pilotage.data.sources.asked import Asked
from pilotage.data.sources.files.copying import disk_full
from pilotage.data.sources.files.json_lines import json_table
from pilotage.data.sources.files.unreadable import Unreadable
from pilotage.data.sources.paging import pages
from pilotage.data.sources.tables import Table, columns_of, engine, failing_as, rows_of
from pilotage.usecase.records import Rest

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_PAGES_LOOKED_AT = 20
_KEPT_SECONDS = 600
_BYTES_MAX = 8 * 1024**3


class _Spool(Struct):
    """Rows that were fetched, in a folder that goes with it."""

    folder: TemporaryDirectory[str]
    fetched_at: float
    rows: int

    @property
    def path(self) -> Path:
        return Path(self.folder.name) / "rows.jsonl"


_kept: dict[bytes, _Spool] = {}
_lock = threading.Lock()


def introspect(asked: Asked, address: str) -> tuple[FoundColumn, ...]:
    """The columns of all rows, or with ``since`` of those on the first pages."""
    rest = _rest(asked)
    spool = _fetch(asked, rest, address, Span(), _PAGES_LOOKED_AT if rest.since else None)
    with ExitStack() as unfinished:
        unfinished.callback(spool.folder.cleanup)
        with _opened(asked, address, spool) as (connection, table):
            found = columns_of(connection, asked, table)
        if rest.since:
            return tuple(_wide(column, asked) for column in found)
        unfinished.pop_all()
    _keep(_identity(asked, address), spool)
    return found


def extent(asked: Asked, address: str, columns: tuple[FoundColumn, ...], span: Span) -> Extent | None:
    """Unknown before all pages are read."""
    return None


def read(asked: Asked, address: str, columns: tuple[FoundColumn, ...], span: Span) -> Iterator[pa.RecordBatch]:
    """Rows in the span, as Arrow batches; with ``since``, only those are asked for."""
    spool = _taken(_identity(asked, address)) or _fetch(asked, _rest(asked), address, span, None)
    try:
        if spool.rows:
            with _opened(asked, address, spool) as (connection, table):
                yield from rows_of(connection, asked, table, columns, span)
    finally:
        spool.folder.cleanup()


@contextmanager
def _opened(asked: Asked, address: str, spool: _Spool) -> Iterator[tuple[duckdb.DuckDBPyConnection, Table]]:
    named = f"the answer of {_rest(asked).url}"
    if not spool.rows:
        raise asked.failure(
            f"Source {asked.name} gave no rows, so its columns cannot be told.", "Check `items`, or wait for the first."
        )
    with engine(asked) as connection:
        try:
            with failing_as(asked, {str(spool.path): named}):
                table = json_table(connection, {spool.path: named}, Path(spool.folder.name))
        except Unreadable as error:
            raise asked.failure(f"Source {asked.name}: {error.message}", error.repair) from None
        yield connection, table


def _fetch(asked: Asked, rest: Rest, address: str, span: Span, pages_max: int | None) -> _Spool:
    """All pages, one object per line.

    Raises:
        SourceUnavailable: the endpoint does not answer as it should, gives too much, or the disk is full.
    """
    with disk_full(asked), ExitStack() as unfinished:
        spool = _Spool(TemporaryDirectory(prefix="pilotage-"), time.monotonic(), 0)
        unfinished.callback(spool.folder.cleanup)
        written = 0
        with spool.path.open("wb") as file:
            for number, items in enumerate(pages(asked, rest, address, span), 1):
                for item in items:
                    written += file.write(item + b"\n")
                spool.rows += len(items)
                _refuse_too_much(asked, spool.rows, written)
                if number == pages_max:
                    break
        unfinished.pop_all()
    return spool


def _refuse_too_much(asked: Asked, rows: int, written: int) -> None:
    if rows > asked.source.rows_max:
        raise asked.failure(
            f"Source {asked.name} has more than {asked.source.rows_max:,} rows, which is its rows_max.",
            "Raise rows_max, or give `since`.",
        )
    if written > _BYTES_MAX:
        raise asked.failure(
            f"Source {asked.name} answers with more than {_BYTES_MAX:,} bytes.", "Ask for less, or give `since`."
        )


def _rest(asked: Asked) -> Rest:
    return asked.source.rest or Rest(url="")


def _wide(column: FoundColumn, asked: Asked) -> FoundColumn:
    whole = column.engine_type == "BIGINT" and column.name not in asked.source.key
    return FoundColumn(column.name, column.type, "DOUBLE") if whole else column


def _identity(asked: Asked, address: str) -> bytes:
    return msgspec.json.encode((asked.name, address, asked.source))


def _keep(identity: bytes, spool: _Spool) -> None:
    with _lock:
        old = [one for one, kept in _kept.items() if time.monotonic() - kept.fetched_at > _KEPT_SECONDS]
        for one in {*old, identity} & set(_kept):
            _kept.pop(one).folder.cleanup()
        _kept[identity] = spool


def _taken(identity: bytes) -> _Spool | None:
    """What was fetched for this source to look at it, if that is not long ago; it is given once."""
    with _lock:
        spool = _kept.pop(identity, None)
    if spool is not None and time.monotonic() - spool.fetched_at > _KEPT_SECONDS:
        spool.folder.cleanup()
        return None
    return spool
