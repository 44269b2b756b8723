"""Columns for one live answer: the request, lookups and windows as of a moment, derived values.

The timelines of :mod:`pilotage.data.rules.timelines` are made by the engine once, with the SQL that makes training
sets, and kept in memory as sorted arrays. An answer is one bisection per timeline: no database, no lock. Columns that
the file places elsewhere are read there, within a bounded time: see :mod:`pilotage.data.places`.
"""

from __future__ import annotations

import math
import operator
import time
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from pilotage.data import relations
from pilotage.data.places import Reader
from pilotage.data.records import Snapshot
from pilotage.data.rules.keys import key_text
from pilotage.data.rules.timelines import Timeline, counts_rows, key_columns, timelines
from pilotage.data.rules.training import column_script
from pilotage.platform.instants import as_utc
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import ColumnKind, Definition, Derived, Given, Latest, Window
from pilotage.usecase.rules.expressions import compile_row

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_Key = tuple[tuple[str, ColumnKind], ...]
"""The names of a key's parts, and what kinds of values they are."""


class _State:
    """One timeline in memory: per key a slice of sorted instants, and the values that hold from each."""

    def __init__(self, line: Timeline, rows: Mapping[str, Any], positions: dict[Any, tuple[int, int]]) -> None:
        self.key = tuple(zip(line.by, line.kinds, strict=True))
        self.positions = positions
        self.starts = array("q", rows["_from"])
        self.event_time = array("q", rows["_event_time"]) if "_event_time" in rows else None
        self.columns = tuple(
            (column.name, rows.get(column.name), _age_max_us(column), counts_rows(column)) for column in line.columns
        )

    def put(self, values: dict[str, Any], key: Any, moment_us: int) -> None:
        """Write this timeline's columns, of a key and as of the moment, into ``values``."""
        place = self.positions.get(key)
        row = -1
        if place is not None:
            row = bisect_right(self.starts, moment_us, *place) - 1
        if place is None or row < place[0]:
            for name, _, _, counts in self.columns:
                values[name] = 0.0 if counts and key is not None else None
            return
        age = 0 if self.event_time is None else moment_us - self.event_time[row]
        for name, column, age_max, _ in self.columns:
            if age > age_max:
                values[name] = None
            elif column is None:
                values[name] = age / 1_000_000.0
            else:
                value = column[row]
                values[name] = value if value == value else None  # an array of numbers has NaN for what is unknown


def _key(request: Mapping[str, Any], key: _Key) -> Any:
    """The value of a key in a request, None where a part of it is missing."""
    if len(key) == 1:
        ((name, kind),) = key
        return as_kind(request.get(name), kind)
    parts = tuple(as_kind(request.get(name), kind) for name, kind in key)
    return None if None in parts else parts


def _by_key(states: Iterable[_State]) -> tuple[tuple[_Key, tuple[_State, ...]], ...]:
    """Timelines of one key together: it is made once for all of them."""
    found: dict[_Key, list[_State]] = {}
    for state in states:
        found.setdefault(state.key, []).append(state)
    return tuple((key, tuple(of_key)) for key, of_key in found.items())


def _age_max_us(column: Latest | Window) -> int:
    """How long ago the newest row may have happened: a lookup's span is closed, a window is open at its far end."""
    if isinstance(column, Latest):
        return column.within_seconds * 1_000_000
    return column.over_seconds * 1_000_000 - 1


class Assembled(Struct, frozen=True):
    """The plan's columns for one request, and why those that should have been read elsewhere are missing."""

    values: dict[str, Any]
    missing: dict[str, str] = {}


class LiveColumns:
    """All columns of a use case for one request. Immutable, hence safe to use from many threads.

    ``waits``: some are read from a database, so that an answer takes up to the readers' time and should not be awaited
    in an event loop's own thread.
    """

    def __init__(
        self,
        definition: Definition,
        states: Sequence[_State],
        found: Mapping[str, Snapshot],
        since: datetime | None,
        readers: Sequence[Reader] = (),
    ) -> None:
        plan = definition.plan
        self.versions = {name: snapshot.version for name, snapshot in found.items()}
        self.known_to = {name: snapshot.known_to for name, snapshot in found.items()}
        self.since = since
        self.waits = bool(readers)
        self._states = _by_key(states)
        self._readers = tuple(readers)
        self._names = plan.names
        self._pick: Callable[[Mapping[str, Any]], Sequence[Any]] = (
            operator.itemgetter(*plan.names) if len(plan.names) > 1 else lambda values: [values[n] for n in plan.names]
        )
        self._instants = tuple(name for name, column in plan.request.items() if column.kind == "datetime")
        self._request = tuple((name, column.kind) for name, column in plan.request.items())
        self._entity = plan.entity
        self._derived = tuple(
            (column.name, compile_row(column.expression), column.kind)
            for column in plan.columns
            if isinstance(column, Derived)
        )
        self._kinds = {column.name: column.kind for column in plan.columns}
        self._given = tuple(column.name for column in plan.columns if isinstance(column, Given))

    def assemble(self, request: Mapping[str, Any], moment: datetime) -> dict[str, Any]:
        """Values of the plan's columns in its order; None where unknown.

        Numbers are floats, flags booleans, instants datetimes in UTC without zone, as in a training set.

        Raises:
            ValueError: the moment lies before ``since``, from which on these columns were opened.
        """
        row = self.assemble_all(request, moment)
        return {name: row[name] for name in self._names}

    def assemble_told(self, request: Mapping[str, Any], moment: datetime, within: float = math.inf) -> Assembled:
        """As :meth:`assemble`, with the reasons of what could not be read: ``{"temp": "too_slow"}``.

        The request is whole, and of its columns' kinds already, as its contract decodes it; only instants have zones.
        ``within`` bounds, in seconds, how long databases are waited for, all of them together.
        """
        values = dict(request)
        for name in self._instants:
            values[name] = as_kind(values[name], "datetime")
        missing = self._known(values, moment, within)
        return Assembled(dict(zip(self._names, self._pick(values), strict=True)), missing)

    def assemble_all(self, request: Mapping[str, Any], moment: datetime) -> dict[str, Any]:
        """As :meth:`assemble`, with request columns that only keys and the rule need."""
        values = {name: as_kind(request.get(name), kind) for name, kind in self._request}
        if self._entity not in values:
            values[self._entity] = as_kind(request.get(self._entity), "category")
        self._known(values, moment)
        return values

    def _known(self, values: dict[str, Any], moment: datetime, within: float = math.inf) -> dict[str, str]:
        """Add to a request what is known as of the moment; why columns are missing."""
        if self.since is not None and moment < self.since:
            raise ValueError(f"These columns are known from {self.since} on; asked for {moment}.")
        moment_us = (as_utc(moment) - _EPOCH) // _MICROSECOND
        for key, states in self._states:
            value = _key(values, key)
            for state in states:
                state.put(values, value, moment_us)
        missing = self._read(values, moment, within) if self._readers else {}
        for name, compute, kind in self._derived:
            values[name] = as_kind(compute(values), kind)
        return missing

    def _read(self, values: dict[str, Any], moment: datetime, within: float) -> dict[str, str]:
        """Write what databases answer into ``values``; why columns are missing. All are asked at once."""
        missing: dict[str, str] = {}
        until = time.monotonic() + within
        for ended in [reader.begin(values, moment) for reader in self._readers]:
            read = ended(until - time.monotonic())
            values.update((name, as_kind(value, self._kinds[name])) for name, value in read.values.items())
            missing.update(read.missing)
        return missing


def as_kind(value: Any, kind: ColumnKind) -> Any:
    """A value as the training set has it: float, text, boolean, or an instant in UTC without zone."""
    if value is None:
        return None
    if kind == "number":
        number = float(value)
        return number if number - number == 0.0 else None
    if kind in ("category", "text"):
        return key_text(value)
    if kind == "flag":
        return bool(value)
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value


def live_columns(
    connection: duckdb.DuckDBPyConnection,
    definition: Definition,
    found: Mapping[str, Snapshot],
    since: datetime | None = None,
    readers: Sequence[Reader] = (),
) -> LiveColumns:
    """The columns made from the sources' relations in an engine, which is not needed afterwards.

    With ``since``, rows that no moment from then on can see are left out. What ``readers`` read is not kept in memory.
    """
    elsewhere = {name for reader in readers for name in reader.columns}
    lines = timelines(definition.plan)
    unused = [line for line in lines if all(column.name in elsewhere for column in line.columns)]
    for statement in column_script(definition, relations.measure(connection, definition)):
        if any(statement.startswith(f"CREATE TABLE {line.name} AS") for line in unused):
            continue
        connection.execute(statement)
        if since is not None and statement.startswith('CREATE TABLE "history_'):
            _forget(connection, lines, statement, since)
    states = [_read(connection, line) for line in lines if line not in unused]
    return LiveColumns(definition, states, found, since, readers)


def _forget(connection: duckdb.DuckDBPyConnection, lines: Sequence[Timeline], statement: str, since: datetime) -> None:
    """Drop the rows that no moment from ``since`` on can see."""
    for source in dict.fromkeys(line.source for line in lines):
        if statement.startswith(f"CREATE TABLE {quoted('history_' + source)}"):
            span = max(line.over_seconds for line in lines if line.source == source)
            oldest = as_utc(since).replace(tzinfo=None) - timedelta(seconds=span)
            connection.execute(
                f"DELETE FROM {quoted('history_' + source)} WHERE _event_time < $oldest", {"oldest": oldest}
            )


def _read(connection: duckdb.DuckDBPyConnection, line: Timeline) -> _State:
    keys = key_columns(line)
    stored = [column for column in line.columns if line.form != "since"]
    names = "".join(f", {quoted(column.name)}" for column in stored)
    clock = ", coalesce(epoch_us(_event_time), -9000000000000000000) AS _event_time" if line.has_event_time else ""
    table = connection.sql(
        f"SELECT {keys}, epoch_us(_from) AS _from{clock}{names} FROM {line.name} ORDER BY {keys}, _from"
    ).to_arrow_table()
    ends = connection.execute(f"SELECT {keys}, count(*) FROM {line.name} GROUP BY ALL ORDER BY {keys}").fetchall()
    positions: dict[Any, tuple[int, int]] = {}
    start = 0
    for *key, count in ends:
        positions[key[0] if len(key) == 1 else tuple(key)] = (start, start + count)
        start += count
    rows: dict[str, Any] = {"_from": table["_from"].to_numpy().tobytes()}
    if line.has_event_time:
        rows["_event_time"] = table["_event_time"].to_numpy().tobytes()
    for column in stored:
        rows[column.name] = _numbers(table[column.name]) if column.kind == "number" else table[column.name].to_pylist()
    return _State(line, rows, positions)


def _numbers(values: pa.ChunkedArray) -> array[float]:
    """Floats in eight bytes each, with NaN for unknown."""
    return array("d", values.fill_null(float("nan")).to_numpy().tobytes())
