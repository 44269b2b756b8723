"""Columns read from materialised tables: all keys' values as of the instant at which the tables were made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pilotage.data.places.drivers import Connection, dialect_of, driver_errors
from pilotage.data.places.reading import Read, Reader, Reason
from pilotage.data.places.writing import MADE, table_name
from pilotage.data.rules.direct import SPELLINGS, Group, for_driver
from pilotage.data.rules.timelines import counts_rows
from pilotage.platform.instants import as_utc
from pilotage.platform.quoting import quoted

_LOOK_SECONDS = 5.0


def table_reader(
    use_case: str, address: str, groups: Sequence[Group], age_max_seconds: Mapping[str, int], wait_seconds: float
) -> Reader:
    """The groups' columns from the tables of a use case; each column has its greatest age.

    Raises:
        SourceUnavailable: the address is of no database that can be asked live.
    """
    dialect = dialect_of(address)
    columns = [column.name for group in groups for column in group.columns]

    def opened() -> _Session:
        return _Session(use_case, address, groups, age_max_seconds, wait_seconds)

    return Reader(f"{use_case} tables", columns, opened, driver_errors(dialect), wait_seconds)


def made_at(address: str, use_case: str) -> datetime | None:
    """When a use case's tables were made; None where there are none, or they cannot be read."""
    try:
        connection = Connection(address, _LOOK_SECONDS)
    except driver_errors(dialect_of(address)):
        return None
    try:
        rows = connection.ask(f"SELECT made_at FROM {quoted(MADE.format(name=use_case))}", {})
    except driver_errors(dialect_of(address)):
        return None
    finally:
        connection.close()
    return _instant(rows[0][0]) if rows else None


class _Session:
    """One connection with a statement for each group."""

    def __init__(
        self, use_case: str, address: str, groups: Sequence[Group], ages: Mapping[str, int], wait_seconds: float
    ) -> None:
        dialect = dialect_of(address)
        self._ages = ages
        self._parts = [(group, for_driver(_query(use_case, group, address), dialect)) for group in groups]
        self._connection = Connection(address, wait_seconds)

    def ask(self, request: Mapping[str, Any], moment: datetime) -> Read:
        values: dict[str, Any] = {}
        missing: dict[str, Reason] = {}
        for group, statement in self._parts:
            key = {by: request.get(by) for by in group.by}
            rows = self._connection.ask(statement, key)
            made_at, found = (_instant(rows[0][0]), rows[0][1:]) if rows else (None, ())
            for column, value in zip(group.columns, found or [None] * len(group.columns), strict=True):
                if made_at is None or not 0 <= (as_utc(moment) - made_at).total_seconds() <= self._ages[column.name]:
                    values[column.name], missing[column.name] = None, "too_old"
                elif value is None and counts_rows(column) and None not in key.values():
                    values[column.name] = 0.0
                else:
                    values[column.name] = value
        return Read(values, missing)

    def close(self) -> None:
        self._connection.close()


def _query(use_case: str, group: Group, address: str) -> str:
    spelling = SPELLINGS[dialect_of(address)]
    named = "".join(f", t.{quoted(column.name)}" for column in group.columns)
    same = " AND ".join(
        f"t.{quoted(by)} = {spelling.parameter(by, kind)}" for by, kind in zip(group.by, group.kinds, strict=True)
    )
    table, made = quoted(table_name(use_case, group)), quoted(MADE.format(name=use_case))
    return f"SELECT m.made_at{named} FROM {made} m LEFT JOIN {table} t ON {same}"


def _instant(value: Any) -> datetime:
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    instant: datetime = found.replace(tzinfo=UTC) if found.tzinfo is None else found
    return instant
