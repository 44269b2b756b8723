"""The three forms of the query: over a spine of history, over one live row, over all keys now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pilotage.data.rules.direct.groups import Group
from pilotage.data.rules.direct.rows import Rows
from pilotage.data.rules.direct.spelling import Spelling
from pilotage.data.rules.direct.stages import history_stages, keys_of, stages
from pilotage.data.rules.timelines import counts_rows
from pilotage.platform.quoting import quoted

MOMENT = "moment"
_JOINED = ",\n"


def history_query(
    spine: str, groups: Sequence[Group], rows: Mapping[str, Rows], spelling: Spelling, row: str = ""
) -> str:
    """Every row of ``spine`` with the columns as of its own moment.

    ``spine`` is a relation with ``_moment`` (an instant as the engine keeps it) and the request's columns by name.
    ``row`` is one that tells its rows apart; without it they are numbered, in one place of a distributed engine. Rows
    of one moment and key may swap numbers where an engine reads the spine twice: their values are equal.
    """
    keys = dict.fromkeys(quoted(by) for group in groups for by in group.by)
    number = quoted(row) if row else f"row_number() OVER (ORDER BY {', '.join(['_moment', *keys])})"
    tables = [f"numbered AS (SELECT s.*, {number} AS _n FROM {spine} s)"]
    for prefix, group in _prefixed(groups):
        asked = ", ".join(f"{quoted(by)} AS _by_{n}" for n, by in enumerate(group.by, 1))
        tables.append(f"{prefix}asked AS (SELECT _n, _moment, {asked} FROM numbered)")
        tables += history_stages(prefix, group, rows[group.source], spelling)
    return f"WITH {_JOINED.join(tables)}\nSELECT s.*{_shown(groups, spelling)} FROM numbered s{_joins(groups)}"


def live_query(
    groups: Sequence[Group],
    rows: Mapping[str, Rows],
    spelling: Spelling,
    narrowing: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """One row: parameters are ``moment`` and each request column that is a key, under its own name.

    ``narrowing`` gives, for a group's name, conditions over the table's own columns that let indices find its rows.
    """
    by = {name: kind for group in groups for name, kind in zip(group.by, group.kinds, strict=True)}
    keys = "".join(f", {spelling.parameter(name, kind)} AS {quoted(name)}" for name, kind in by.items())
    tables = [f"asked AS (SELECT 1 AS _n, {spelling.parameter(MOMENT, 'datetime')} AS _moment{keys})"]
    for prefix, group in _prefixed(groups):
        named = ", ".join(f"{quoted(name)} AS _by_{n}" for n, name in enumerate(group.by, 1))
        tables.append(f"{prefix}asked AS (SELECT _n, _moment, {named} FROM asked)")
        tables += stages(prefix, group, rows[group.source], spelling, (narrowing or {}).get(group.name, ()))
    shown = _shown(groups, spelling).removeprefix(", ")
    return f"WITH {_JOINED.join(tables)}\nSELECT {shown} FROM asked s{_joins(groups)}"


def now_query(group: Group, rows: Rows, spelling: Spelling) -> str:
    """Every key that the group's rows ever had, with the columns as of the parameter ``moment``."""
    moment = spelling.parameter(MOMENT, "datetime")
    numbered = ", ".join(f"_by_{n}" for n in range(1, len(group.by) + 1))
    asked = f"SELECT row_number() OVER (ORDER BY {numbered}) AS _n, {moment} AS _moment, k.*"
    named = ", ".join(f"s._by_{n} AS {quoted(by)}" for n, by in enumerate(group.by, 1))
    tables = [
        f"g1_asked AS ({asked} FROM ({keys_of(group, rows, spelling)}) k)",
        *stages("g1_", group, rows, spelling),
    ]
    values = "".join(f", {_value('g1_', group, number, spelling, known=True)}" for number in range(len(group.columns)))
    joined = "g1_asked s LEFT JOIN g1_values ON g1_values._n = s._n"
    return f"WITH {_JOINED.join(tables)}\nSELECT {named}{values} FROM {joined}"


def _prefixed(groups: Sequence[Group]) -> list[tuple[str, Group]]:
    return [(f"g{number}_", group) for number, group in enumerate(groups, 1)]


def _shown(groups: Sequence[Group], spelling: Spelling) -> str:
    return "".join(
        f", {_value(prefix, group, number, spelling)}"
        for prefix, group in _prefixed(groups)
        for number in range(len(group.columns))
    )


def _value(prefix: str, group: Group, number: int, spelling: Spelling, known: bool = False) -> str:
    """A column's value; where no row was found, what counts rows is zero for a known key."""
    column = group.columns[number]
    value = f"{prefix}values.{quoted(column.name)}"
    if counts_rows(column):
        zero = f"coalesce({value}, 0e0)" if spelling.dialect != "postgresql" else f"coalesce({value}, 0)"
        keys = " AND ".join(f"s.{quoted(by)} IS NOT NULL" for by in group.by)
        value = zero if known else f"CASE WHEN {keys} THEN {zero} END"
    return f"{value} AS {quoted(column.name)}"


def _joins(groups: Sequence[Group]) -> str:
    return "".join(f"\n  LEFT JOIN {prefix}values ON {prefix}values._n = s._n" for prefix, _ in _prefixed(groups))
