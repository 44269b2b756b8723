"""Lookups and windows as step functions of the moment, in SQL.

What a lookup or window answers changes only when a row becomes visible, is replaced by its correction, or leaves the
window. So for each key there is a *timeline*: at each such instant, the values from then on. A training set joins its
moments to the timelines (``ASOF JOIN``), a live answer finds its moment in them by bisection: the same SQL makes both,
and they cannot disagree.

A row is visible at a moment m when ``event_time <= m`` and ``known_at <= m`` and no newer row of its key is known at m,
be it a correction or one that says that the key is deleted. ``known_at`` is the relation's ``_known_at``: the source's,
or when a sync saw the row where only the sync can say.
A window holds the visible rows with ``m - over < event_time``; *latest* takes the visible row with the newest
``event_time`` (then ``known_at``, key, values) and gives nothing when that is older than ``within``.

Sums run over deltas: a row enters with its value and leaves with its negative. Running sums of floats would keep the
rounding errors of values long gone; these are sums of 128-bit integers (the value times a power of two, 90 bits for the
largest), hence exact, and the same in whatever order the engine adds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from pilotage.data.rules.keys import as_text
from pilotage.data.rules.marks import DELETED, KNOWN_AT, oldest_first
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import ColumnKind, Latest, Plan, Source, Window

ENGINE_TYPES: dict[ColumnKind, str] = {
    "number": "DOUBLE",
    "category": "VARCHAR",
    "datetime": "TIMESTAMP",
    "flag": "BOOLEAN",
}
_SUMMED = frozenset({"count", "sum", "mean"})
_SCALE_BITS = 90


class SourceFacts(Struct, frozen=True):
    """What was measured of a source's rows and decides how its timelines are made."""

    corrected: bool
    largest: dict[str, float] = {}


class Timeline(Struct, frozen=True):
    """The columns that share source, key and span: ``key`` are the source's columns that equal the request's ``by``."""

    name: str
    source: str
    by: tuple[str, ...]
    key: tuple[str, ...]
    kinds: tuple[ColumnKind, ...]
    columns: tuple[Latest | Window, ...]
    summed: bool
    over_seconds: int

    @property
    def is_window(self) -> bool:
        return isinstance(self.columns[0], Window)


def timelines(plan: Plan) -> tuple[Timeline, ...]:
    """The timelines that a plan's columns need, in the order of the columns."""
    groups: dict[tuple[object, ...], list[Latest | Window]] = {}
    for column in plan.columns:
        if isinstance(column, Latest):
            groups.setdefault(("latest", column.source, column.by, column.found_by), []).append(column)
        elif isinstance(column, Window):
            summed = column.aggregate in _SUMMED
            place = ("window", column.source, column.by, column.found_by, column.over_seconds, summed)
            groups.setdefault(place, []).append(column)
    return tuple(_timeline(f"timeline_{n}", plan, columns) for n, columns in enumerate(groups.values(), 1))


def _timeline(name: str, plan: Plan, columns: Sequence[Latest | Window]) -> Timeline:
    first = columns[0]
    kinds = tuple(plan.request[by].kind if by in plan.request else "category" for by in first.by)
    spans = [column.over_seconds if isinstance(column, Window) else column.within_seconds for column in columns]
    summed = isinstance(first, Window) and first.aggregate in _SUMMED
    return Timeline(name, first.source, first.by, first.found_by, kinds, tuple(columns), summed, max(spans))


def cast(sql: str, kind: ColumnKind) -> str:
    """A value as the engine's type of this kind; a number that is not finite is unknown."""
    if kind == "category":
        return as_text(sql)
    typed = f"CAST({sql} AS {ENGINE_TYPES[kind]})"
    return f"CASE WHEN isfinite({typed}) THEN {typed} END" if kind == "number" else typed


def history_sql(name: str, source: Source, columns: Sequence[str], facts: SourceFacts) -> str:
    """All versions of a source's rows, with the span in which each is visible and their order."""
    event_time = quoted(source.event_time)
    key = ", ".join(quoted(column) for column in source.key)
    rest = ", ".join(quoted(column) for column in columns)
    replaced = (
        f"lead({KNOWN_AT}) OVER (PARTITION BY {key} ORDER BY {oldest_first([event_time, rest])})"
        if facts.corrected
        else "CAST(NULL AS TIMESTAMP)"
    )
    order = f"row_number() OVER (ORDER BY {event_time}, {KNOWN_AT}, {rest})"
    return f"""CREATE TABLE {quoted("history_" + name)} AS
WITH versions AS (SELECT {rest}, {KNOWN_AT}, {DELETED}, {replaced} AS _replaced_at FROM {quoted(name)})
SELECT {rest}, {event_time} AS _event_time, greatest({event_time}, {KNOWN_AT}) AS _visible_from, _replaced_at,
       {order} AS _order
FROM versions WHERE {event_time} IS NOT NULL AND NOT {DELETED}"""


def timeline_sql(timeline: Timeline, facts: SourceFacts) -> str:
    """One timeline: its key as ``_by_1`` …, the instant ``_from``, one value per column named as the column."""
    if not timeline.is_window:
        body = _latest_corrected(timeline) if facts.corrected else _latest(timeline)
    elif timeline.summed:
        body = _sums(timeline, facts)
    else:
        body = _ranged(timeline)
    return f"CREATE TABLE {timeline.name} AS\n{body}"


def key_columns(timeline: Timeline) -> str:
    """``_by_1, _by_2`` …"""
    return ", ".join(f"_by_{n}" for n in range(1, len(timeline.by) + 1))


def _keys(timeline: Timeline) -> str:
    pairs = zip(timeline.key, timeline.kinds, strict=True)
    return ", ".join(f"{cast(quoted(name), kind)} AS _by_{n}" for n, (name, kind) in enumerate(pairs, 1))


def _known_keys(timeline: Timeline) -> str:
    return " AND ".join(f"_by_{n} IS NOT NULL" for n in range(1, len(timeline.by) + 1))


def _rows(timeline: Timeline, more: str) -> str:
    history = quoted("history_" + timeline.source)
    return f"SELECT * FROM (SELECT {_keys(timeline)}, {more} FROM {history}) WHERE {_known_keys(timeline)}"


def _taken(timeline: Timeline) -> str:
    return ", ".join(f"{cast(quoted(c.take), c.kind)} AS {quoted(c.name)}" for c in timeline.columns)


def _latest(timeline: Timeline) -> str:
    """Where no row is ever replaced, the newest visible row is a running maximum."""
    keys = key_columns(timeline)
    return f"""WITH visible AS ({_rows(timeline, "_visible_from AS _from, _order")}),
steps AS (SELECT {keys}, _from, max(_order) AS _order FROM visible GROUP BY ALL),
best AS (SELECT {keys}, _from, max(_order) OVER (PARTITION BY {keys} ORDER BY _from) AS _order FROM steps)
SELECT {keys}, _from, _event_time, {_names(timeline)}
FROM best JOIN (SELECT _order, _event_time, {_taken(timeline)} FROM {quoted("history_" + timeline.source)})
     USING (_order)"""


def _latest_corrected(timeline: Timeline) -> str:
    """Where rows are replaced, each change looks for the newest among the rows visible then, span by span."""
    keys = key_columns(timeline)
    names = _names(timeline)
    more = f"_visible_from, _replaced_at, _order, _event_time, {_taken(timeline)}"
    return f"""WITH visible AS ({_rows(timeline, more)} AND (_replaced_at IS NULL OR _visible_from < _replaced_at)),
{_changes(keys, "_replaced_at", timeline.over_seconds, "_order")},
best AS (
  SELECT {_of("c", keys)}, c._from, max(r._order) AS _order
  FROM changes c LEFT JOIN spans r ON {_same(timeline, "c", "r")} AND c._span = r._span
       AND r._visible_from <= c._from AND (r._replaced_at IS NULL OR c._from < r._replaced_at)
  GROUP BY ALL
)
SELECT {_of("best", keys)}, best._from, r._event_time, {_of("r", names)}
FROM best LEFT JOIN visible r ON best._order = r._order"""


def _sums(timeline: Timeline, facts: SourceFacts) -> str:
    """Counts, sums and means as running sums of what enters and leaves."""
    keys = key_columns(timeline)
    takes = list(dict.fromkeys(column.take for column in timeline.columns))
    scales = {take: _scale(facts.largest.get(take, 0.0)) for take in takes if take}
    counted = "" in takes
    enters, leaves, totals = (["1 AS n"], ["-1 AS n"], ["n"]) if counted else ([], [], [])
    given = [_leaves_at(timeline)]
    for number, take in enumerate(takes, 1):
        if not take:
            continue
        if _is_added(timeline, take):
            given.append(
                f"CAST(coalesce({cast(quoted(take), 'number')}, 0) * {scales[take]!r} AS HUGEINT) AS s{number}"
            )
            given.append(f"CAST({cast(quoted(take), 'number')} IS NOT NULL AS INTEGER) AS n{number}")
        else:
            given.append(f"CAST(0 AS HUGEINT) AS s{number}, CAST({quoted(take)} IS NOT NULL AS INTEGER) AS n{number}")
        enters.append(f"s{number}, n{number}")
        leaves.append(f"-s{number}, -n{number}")
        totals += [f"s{number}", f"n{number}"]
    summed = ", ".join(f"sum({total}) AS {total}" for total in totals)
    running = ", ".join(f"sum({total}) OVER past AS {total}" for total in totals)
    values = ", ".join(f"{_aggregate(c, takes, scales)} AS {quoted(c.name)}" for c in timeline.columns)
    return f"""WITH visible AS ({_rows(timeline, "_visible_from, " + ", ".join(given))}),
changes AS (
  SELECT {keys}, _visible_from AS _from, {", ".join(enters)} FROM visible WHERE _visible_from < _leaves_at
  UNION ALL
  SELECT {keys}, _leaves_at AS _from, {", ".join(leaves)} FROM visible WHERE _visible_from < _leaves_at
),
steps AS (SELECT {keys}, _from, {summed} FROM changes GROUP BY ALL),
running AS (SELECT {keys}, _from, {running} FROM steps WINDOW past AS (PARTITION BY {keys} ORDER BY _from))
SELECT {keys}, _from, {values} FROM running"""


def _is_added(timeline: Timeline, take: str) -> bool:
    return any(isinstance(c, Window) and c.take == take and c.aggregate != "count" for c in timeline.columns)


def _aggregate(column: Latest | Window, takes: Sequence[str], scales: Mapping[str, float]) -> str:
    assert isinstance(column, Window)  # noqa: S101 (only windows are summed)
    if not column.take:
        return "CAST(n AS DOUBLE)"
    number = takes.index(column.take) + 1
    if column.aggregate == "count":
        return f"CAST(n{number} AS DOUBLE)"
    total = f"CAST(s{number} AS DOUBLE) / {scales[column.take]!r}"
    return f"CASE WHEN n{number} > 0 THEN {total}{f' / n{number}' if column.aggregate == 'mean' else ''} END"


def _scale(largest: float) -> float:
    """The power of two that makes the largest value a 90-bit integer: 37 bits are left for adding up rows."""
    import math

    exponent = math.frexp(largest)[1] if largest else 0
    return float(math.ldexp(1.0, min(_SCALE_BITS - exponent, 1000)))


def _ranged(timeline: Timeline) -> str:
    """Minimum, maximum and distinct cannot be run backwards: each change looks _from the rows visible then."""
    keys = key_columns(timeline)
    more = ["_visible_from", "_event_time", _leaves_at(timeline)]
    values = []
    for column in timeline.columns:
        assert isinstance(column, Window)  # noqa: S101 (only windows are ranged)
        kind: ColumnKind = "category" if column.aggregate == "distinct" else column.kind
        more.append(f"{cast(quoted(column.take), kind)} AS {quoted(column.name)}")
        name = f"r.{quoted(column.name)}"
        shown = f"CAST(count(DISTINCT {name}) AS DOUBLE)" if column.aggregate == "distinct" else ""
        values.append(f"{shown or f'{column.aggregate}({name})'} AS {quoted(column.name)}")
    return f"""WITH visible AS ({_rows(timeline, ", ".join(more))} AND _visible_from < _leaves_at),
{_changes(keys, "_leaves_at", timeline.over_seconds, "* EXCLUDE (" + keys + ")")}
SELECT {_of("c", keys)}, c._from, {", ".join(values)}
FROM changes c LEFT JOIN spans r ON {_same(timeline, "c", "r")} AND c._span = r._span
     AND r._visible_from <= c._from AND c._from < r._leaves_at
GROUP BY ALL"""


def _leaves_at(timeline: Timeline) -> str:
    return f"least(_replaced_at, _event_time + to_seconds({timeline.over_seconds})) AS _leaves_at"


def _changes(keys: str, leaves: str, span_seconds: int, rest: str) -> str:
    """The instants of change, and the rows in two spans of time each, so that both join by equality."""
    span = span_seconds * 1_000_000
    columns = f"_visible_from, {leaves}, _order" if rest == "_order" else rest
    return f"""changes AS (
  SELECT *, epoch_us(_from) // {span} AS _span FROM (
    SELECT {keys}, _visible_from AS _from FROM visible UNION SELECT {keys}, {leaves} FROM visible
    WHERE {leaves} IS NOT NULL)
),
spans AS (
  SELECT {keys}, {columns}, unnest([epoch_us(_event_time) // {span}, epoch_us(_event_time) // {span} + 1]) AS _span
  FROM visible
)"""


def _names(timeline: Timeline) -> str:
    return ", ".join(quoted(column.name) for column in timeline.columns)


def _of(table: str, names: str) -> str:
    return ", ".join(f"{table}.{name}" for name in names.split(", "))


def _same(timeline: Timeline, left: str, right: str) -> str:
    return " AND ".join(f"{left}._by_{n} = {right}._by_{n}" for n in range(1, len(timeline.by) + 1))
