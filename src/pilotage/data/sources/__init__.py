"""The door to customers' data: what columns a source has, and its rows that became known in a span.

A source is a table or view of a database, files, a Delta table or a REST endpoint: one module or package for each.
Every failure is a :class:`~pilotage.platform.errors.SourceUnavailable` that names the source, its owner and the repair,
and no secret. Nothing is ever written to a source.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pilotage.data.records import Extent, FoundColumn, Reference, Span
from pilotage.data.sources.asked import Asked, NoSuchTable
from pilotage.platform.errors import SettingsError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["NoSuchTable", "extent", "introspect", "is_near", "read", "reference", "unclocked"]

_KINDS = ("database", "files", "delta", "rest")
_MODULES = {"database": "databases"}


def introspect(asked: Asked) -> tuple[FoundColumn, ...]:
    """The columns of a source, in its own order."""
    found: tuple[FoundColumn, ...] = _module(asked).introspect(asked, _address(asked))
    return found


def extent(asked: Asked, columns: tuple[FoundColumn, ...], span: Span) -> Extent | None:
    """How much a span has, so that it can be read in pieces; None where the source cannot say before it is read."""
    found: Extent | None = _module(asked).extent(asked, _address(asked), columns, span)
    return found


def read(asked: Asked, columns: tuple[FoundColumn, ...], span: Span) -> Iterator[pa.RecordBatch]:
    """Rows of a span as Arrow batches, in any order and possibly a few too many at the lower end.

    The caller filters exactly, once all timestamps are of one type. Of a span with a bound, rows without ``known_at``
    are left out: nobody can say when they could have been known. Columns keep their names; ``columns`` may be a part of
    those that were found.
    """
    batches: Iterator[pa.RecordBatch] = _module(asked).read(asked, _address(asked), columns, span)
    return batches


def is_near(asked: Asked) -> bool:
    """Whether files lie so that reading them twice is cheap."""
    from pilotage.data.sources.files.opening import is_near as near

    return near(asked, _address(asked))


def unclocked(asked: Asked, columns: tuple[FoundColumn, ...]) -> int:
    """How many rows of files have no ``known_at``; the files are opened once for it."""
    from pilotage.data.sources import files

    return files.unclocked(asked, _address(asked), columns)


def reference(asked: Asked) -> Reference | None:
    """The present version of a source that keeps its versions itself; None for all others."""
    if not asked.source.delta:
        return None
    found: Reference = _module(asked).reference(asked, _address(asked))
    return found


def _module(asked: Asked) -> Any:
    kind = next(kind for kind in _KINDS if getattr(asked.source, kind))
    return import_module(f"pilotage.data.sources.{_MODULES.get(kind, kind)}")


def _address(asked: Asked) -> str:
    from pilotage.platform.settings import from_environment

    source = asked.source
    given = source.database or source.files or source.delta or (source.rest.url if source.rest else "")
    try:
        return from_environment(given, f"Source {asked.name}")
    except SettingsError as error:
        raise asked.failure(error.message, error.repair) from None
