"""Checks rows against a contract on the engine: one scan for all rules, a second one for those that are broken.

Whatever is wrong with one column, the rules of the others are looked at nevertheless.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from pilotage.data.contracts import wording
from pilotage.data.contracts.conditions import Condition, conditions
from pilotage.data.contracts.records import Contract, Violation, When
from pilotage.data.rules.marks import DELETED
from pilotage.platform.instants import as_utc
from pilotage.platform.quoting import quoted
from pilotage.usecase.records import seconds

if TYPE_CHECKING:
    import duckdb

KEYS_SHOWN = 5
_AT_ONCE = 120
"""How many aggregates one scan computes: the engine plans many of them slower than it scans again."""
_DETAILED_MAX = 200
"""Of how many broken rules rows are named; where more are broken, it is not the rows that need looking at."""
_LENGTH_MAX = 200

Masking = Callable[[str, str], str]
"""A column and a value of it → the value as it may be shown."""


class Rows(Struct, frozen=True):
    """What is checked: a relation as it stands after FROM, and what tells its rows apart.

    ``clock`` is the expression that says which row of a key is the newest, empty where each key has one row.
    """

    relation: str
    key: tuple[str, ...]
    when: When
    words: str = "rows"
    clock: str = ""


class _Broken(Struct, frozen=True):
    condition: Condition
    rows: int
    first: str
    last: str
    keys: tuple[str, ...]


def check(
    connection: duckdb.DuckDBPyConnection, contract: Contract, rows: Rows, shown: Masking, now: datetime
) -> tuple[Violation, ...]:
    """Every rule that rows break, except those that take all rows of the source together."""
    types = {row[0]: str(row[1]) for row in connection.execute(f"DESCRIBE SELECT * FROM {rows.relation}").fetchall()}
    living = _living(rows, types)
    rules = list(conditions(contract, types))
    of = connection.execute(f"SELECT count(*) FROM {living}").fetchall()[0][0]
    counts: list[int] = []
    for start in range(0, len(rules), _AT_ONCE):
        counted = ", ".join(f"count_if({rule.broken})" for rule in rules[start : start + _AT_ONCE])
        counts += connection.execute(f"SELECT {counted} FROM {living}").fetchall()[0]
    broken = [(rule, count) for rule, count in zip(rules, counts, strict=True) if count]
    looked = _looked_at(connection, rows, living, broken, shown)
    missing = [_missing(contract, rows, name, of, now) for name in contract.columns if name not in types and of]
    return (*missing, *_violations(contract, rows, of, looked, now))


def check_unique(
    connection: duckdb.DuckDBPyConnection, contract: Contract, rows: Rows, shown: Masking, now: datetime
) -> tuple[Violation, ...]:
    """Values that stand more than once among the newest rows of each key. A key of one column cannot have them."""
    types = {row[0]: str(row[1]) for row in connection.execute(f"DESCRIBE SELECT * FROM {rows.relation}").fetchall()}
    wanted = [name for name, column in contract.columns.items() if column.unique and rows.key != (name,)]
    newest = _newest(rows, types)
    found = (_twice(connection, contract, rows, newest, name, shown, now) for name in wanted if name in types)
    return tuple(violation for violation in found if violation)


def check_freshness(contract: Contract, newest: datetime | None, when: When, now: datetime) -> tuple[Violation, ...]:
    """Whether the newest ``known_at`` is older than the contract allows."""
    if contract.freshness is None:
        return ()
    if newest is not None and as_utc(now) - as_utc(newest) <= timedelta(seconds=seconds(contract.freshness)):
        return ()
    message = wording.stale(contract, newest, now)
    return (_violation(contract, "", "freshness", when, 0, 0, message, (), now),)


def _living(rows: Rows, types: dict[str, str]) -> str:
    """The rows that are there; those that say that their key is gone promise nothing."""
    if DELETED.strip('"') not in types:
        return rows.relation
    return f"(SELECT * FROM {rows.relation} WHERE NOT coalesce({DELETED}, false))"


def _newest(rows: Rows, types: dict[str, str]) -> str:
    if not rows.clock:
        return _living(rows, types)
    key = ", ".join(quoted(name) for name in rows.key)
    ties = f", {DELETED} DESC" if DELETED.strip('"') in types else ""
    ranked = f"row_number() OVER (PARTITION BY {key} ORDER BY {rows.clock} DESC{ties})"
    newest = Rows(f"(SELECT * FROM {rows.relation} QUALIFY {ranked} = 1)", rows.key, rows.when)
    return _living(newest, types)


def _key_list(rows: Rows) -> str:
    texts = (f"coalesce(left(CAST({quoted(name)} AS VARCHAR), {_LENGTH_MAX}), '')" for name in rows.key)
    return f"[{', '.join(texts)}]"


def _looked_at(
    connection: duckdb.DuckDBPyConnection,
    rows: Rows,
    living: str,
    broken: Sequence[tuple[Condition, int]],
    shown: Masking,
) -> list[_Broken]:
    """The first and last value and some keys of the rows that break each rule."""
    found: list[_Broken] = []
    for start in range(0, min(len(broken), _DETAILED_MAX), _AT_ONCE // 3):
        part = broken[start : start + _AT_ONCE // 3]
        wanted = []
        for rule, _ in part:
            values = f"CASE WHEN {rule.broken} THEN {rule.value} END"
            wanted += [f"CAST(min({values}) AS VARCHAR)", f"CAST(max({values}) AS VARCHAR)"]
            wanted.append(f"min(CASE WHEN {rule.broken} THEN {_key_list(rows)} END, {KEYS_SHOWN})")
        row = connection.execute(f"SELECT {', '.join(wanted)} FROM {living}").fetchall()[0]
        for number, (rule, count) in enumerate(part):
            first, last, keys = row[number * 3 : number * 3 + 3]
            found.append(_Broken(rule, count, first or "", last or "", _named(rows, keys, shown)))
    return found + [_Broken(rule, count, "", "", ()) for rule, count in broken[len(found) :]]


def _named(rows: Rows, keys: Sequence[Sequence[str]] | None, shown: Masking) -> tuple[str, ...]:
    """Keys in words, masked: the value alone, or each column's name before its value."""
    named = []
    for values in keys or ():
        parts = [shown(name, value) for name, value in zip(rows.key, values, strict=True)]
        named.append(parts[0] if len(parts) == 1 else ", ".join(map("=".join, zip(rows.key, parts, strict=True))))
    return tuple(dict.fromkeys(named))


def _violations(
    contract: Contract, rows: Rows, of: int, broken: Sequence[_Broken], now: datetime
) -> Iterator[Violation]:
    """One violation per column and rule; too small and too large are one."""
    together: dict[tuple[str, str], list[_Broken]] = {}
    for each in broken:
        rule = "range" if each.condition.rule in ("min", "max") else each.condition.rule
        together.setdefault((each.condition.column, rule), []).append(each)
    for (name, rule), parts in together.items():
        promised = contract.columns[name]
        count = sum(part.rows for part in parts)
        shows = promised.mask == "none"
        values = {p.condition.rule: (p.first, p.last) if shows else ("", "") for p in parts}
        message = wording.sentence(name, rule, promised, count, f"{count:,} of {of:,} {rows.words}", values)
        keys = tuple(dict.fromkeys(key for part in parts for key in part.keys))[:KEYS_SHOWN]
        yield _violation(contract, name, rule, rows.when, count, of, message, keys, now)


def _missing(contract: Contract, rows: Rows, name: str, of: int, now: datetime) -> Violation:
    return _violation(contract, name, "column", rows.when, of, of, wording.gone(contract, name), (), now)


def _twice(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    rows: Rows,
    newest: str,
    name: str,
    shown: Masking,
    now: datetime,
) -> Violation | None:
    here, keys = quoted(name), _key_list(rows)
    counted = (
        f"SELECT count(*) AS n, min({keys}, {KEYS_SHOWN}) AS k FROM {newest} WHERE {here} IS NOT NULL GROUP BY {here}"
    )
    statement = (
        f"SELECT count(*) FILTER (n > 1), coalesce(sum(n) FILTER (n > 1), 0), coalesce(sum(n), 0), "
        f"min(k) FILTER (n > 1) FROM ({counted})"
    )
    values, count, of, some = connection.execute(statement).fetchall()[0]
    if not values:
        return None
    message = wording.twice(name, values, f"{int(count):,} of {int(of):,} {rows.words}")
    found = _named(rows, some, shown)
    return _violation(contract, name, "unique", rows.when, int(count), int(of), message, found, now)


def _violation(
    contract: Contract,
    name: str,
    rule: str,
    when: When,
    count: int,
    of: int,
    message: str,
    keys: tuple[str, ...],
    now: datetime,
) -> Violation:
    column: Any = contract.columns.get(name)
    severity = (column.severity if column else None) or contract.severity
    owner = (column.owner if column else "") or contract.owner
    return Violation(contract.contract, name, rule, severity, when, count, of, message, owner, keys, now)
