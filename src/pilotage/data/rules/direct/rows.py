"""The rows of a source as a query finds them: a table or relation, and its columns as they are delivered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from pilotage.data.records import ColumnType, FoundColumn
from pilotage.data.rules.direct.spelling import Spelling
from pilotage.data.rules.marks import DELETED, KNOWN_AT
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import SEEN_AT, ColumnKind, Source
from pilotage.usecase.rules.expressions import columns_of, to_sql

KINDS: dict[ColumnType, ColumnKind] = {
    "number": "number",
    "text": "category",
    "datetime": "datetime",
    "flag": "flag",
}
_ALWAYS = "1970-01-01 00:00:00.000000"


class RowColumn(Struct, frozen=True):
    """A column: its name, its type, and the SQL of its value as our sources deliver it.

    One that only the condition of deletions reads breaks no ties: snapshots do not keep it.
    """

    name: str
    type: ColumnType
    engine_type: str
    value: str
    breaks_ties: bool = True


class Rows(Struct, frozen=True):
    """All versions of a source's rows.

    ``table`` stands after FROM. ``columns`` are those that are needed, in the order in which ties are broken. ``key``
    are the columns that tell rows apart; ``event_time`` and ``known_at`` name columns, or are empty for a list that has
    no clocks; ``deleted`` is a condition over the columns.
    """

    table: str
    columns: tuple[RowColumn, ...]
    key: tuple[str, ...]
    event_time: str
    known_at: str
    deleted: str = ""

    def column(self, name: str) -> RowColumn:
        return next(column for column in self.columns if column.name == name)

    @property
    def kinds(self) -> dict[str, ColumnKind]:
        return {column.name: KINDS[column.type] for column in self.columns}

    def select(self, spelling: Spelling, narrowing: Sequence[str] = ()) -> str:
        """The columns by their names, with ``_native_…`` of the key for indices, ``_at``, ``_known`` and ``_gone``."""
        values = [f"{column.value} AS {quoted(column.name)}" for column in self.columns]
        keys = [f"{quoted(name)} AS {native(n)}" for n, name in enumerate(self.key, 1)]
        where = f" WHERE {' AND '.join(narrowing)}" if narrowing else ""
        inner = f"SELECT {', '.join([*values, *keys, *self._extra()])} FROM {self.table}{where}"
        return f"(SELECT d.*, {self._clocks(spelling)} FROM ({inner}) d)"

    def _extra(self) -> list[str]:
        known = [KNOWN_AT] if self.known_at == "_known_at" else []
        return [*known, *([DELETED] if self.deleted == DELETED else [])]

    def _clocks(self, spelling: Spelling) -> str:
        always = spelling.instant(_ALWAYS)
        at = self._clock(spelling, self.event_time) if self.event_time else always
        known = self._clock(spelling, self.known_at) if self.known_at else always
        gone = self.deleted
        if gone and gone != DELETED:
            gone = f"coalesce(({to_sql(gone, dialect=spelling.dialect, kinds=self.kinds)}), FALSE)"
        return f"{at} AS _at, {known} AS _known, {gone or 'FALSE'} AS _gone"

    def _clock(self, spelling: Spelling, name: str) -> str:
        return spelling.as_kind(quoted(name), "datetime", "TIMESTAMP", "datetime")


def native(number: int) -> str:
    """A key's column as the source keeps it."""
    return f"_native_{number}"


def relation_rows(name: str, source: Source, needed: Sequence[str], types: Mapping[str, FoundColumn]) -> Rows:
    """The rows of a snapshot's relation, which has our columns ``_known_at`` and ``_deleted``."""
    columns = tuple(_relation_column(column, types) for column in needed)
    return Rows(quoted(name), columns, tuple(source.key), source.event_time, "_known_at", DELETED)


def table_rows(
    table: str, source: Source, needed: Sequence[str], types: Mapping[str, FoundColumn], values: Mapping[str, str]
) -> Rows:
    """The rows of a source's own table. ``values`` are the SQL of columns whose name alone is not their value."""
    marks = columns_of(source.deleted) if source.deleted else frozenset()
    named = [name for name in needed if name != SEEN_AT]
    wanted = [*named, *sorted(marks - set(named))]
    columns = tuple(
        RowColumn(name, types[name].type, types[name].engine_type, values.get(name, quoted(name)), name in named)
        for name in wanted
    )
    clocks = ("", "") if source.is_static else (source.event_time, source.known_at)
    return Rows(table, columns, tuple(source.key), *clocks, source.deleted)


def _relation_column(name: str, types: Mapping[str, FoundColumn]) -> RowColumn:
    if name == SEEN_AT:
        return RowColumn(name, "datetime", "TIMESTAMP", quoted(name))
    return RowColumn(name, types[name].type, types[name].engine_type, quoted(name))
