"""What the three engines spell differently around the expressions: instants, keys as texts, parameters.

Values and conditions are written by :mod:`pilotage.usecase.rules.expressions`, whose dialects are tested to give equal
values. An instant is TIMESTAMP in UTC in DuckDB and PostgreSQL, and 26 characters of text in SQLite, whose order is
that of time.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable

from pilotage.data.records import ColumnType
from pilotage.usecase.records import ColumnKind
from pilotage.usecase.rules.expressions.dialects import ENGINES, Dialect, Engine

_MARK = "\x01"
_MARKED = re.compile(f"{_MARK}(\\w+){_MARK}")


@dataclasses.dataclass(frozen=True)
class Spelling:
    """How an engine writes what the query needs. ``same`` holds for two unknown values, and lets an index be used.

    ``micros`` are an instant's microseconds since 1970, as a whole number.
    """

    dialect: Dialect
    earlier: Callable[[str, int], str]
    age_seconds: Callable[[str, str], str]
    same: Callable[[str, str], str]
    text_of: Callable[[str, ColumnType, str], str]
    instant: Callable[[str], str]
    micros: Callable[[str], str]

    @property
    def engine(self) -> Engine:
        return ENGINES[self.dialect]

    @property
    def double(self) -> str:
        return self.engine.types["number"]

    def type_of(self, kind: ColumnKind) -> str:
        return self.engine.types["category" if kind == "text" else kind]

    def parameter(self, name: str, kind: ColumnKind) -> str:
        """A parameter of this kind, still in our own marks: :func:`for_driver` and :func:`for_people` write it."""
        marked = f"{_MARK}{name}{_MARK}"
        return marked if self.dialect == "sqlite" else f"CAST({marked} AS {self.type_of(kind)})"

    def as_kind(self, value: str, found: ColumnType, engine_type: str, kind: ColumnKind) -> str:
        """A value that a source delivers as ``found``, as the training set has it: finite numbers, keys as texts."""
        if kind in ("category", "text"):
            return self.text_of(value, found, engine_type)
        if kind == "number":
            if found == "flag":
                return f"CASE WHEN {self.engine.column(value, 'flag')} THEN 1e0 ELSE 0e0 END"
            return self.engine.finite(f"CAST({value} AS {self.double})")
        if kind == "flag":
            return self.engine.column(value, "flag") if found == "flag" else f"({value} <> 0)"
        return self.engine.column(value, "datetime") if self.dialect == "sqlite" else value

    def ordered(self, value: str, found: ColumnType) -> str:
        """A value as rows are ordered by it: texts by their bytes."""
        if found == "number" or (found == "datetime" and self.dialect != "sqlite"):
            return value
        kinds: dict[ColumnType, ColumnKind] = {"text": "category", "datetime": "datetime", "flag": "flag"}
        return self.engine.column(value, kinds[found])

    def whole_part(self, value: str, divisor: int) -> str:
        """A whole number divided, without its fraction."""
        return f"({value} {'//' if self.dialect == 'duckdb' else '/'} {divisor})"

    def flag_number(self, value: str) -> str:
        """A flag as 1 or 0, which every engine can aggregate; a false one is the value with number 0."""
        return f"CASE WHEN {value} THEN 1 WHEN NOT {value} THEN 0 END"


def for_driver(sql: str, dialect: Dialect) -> str:
    """The query with parameters as the engine's driver takes them, by name."""
    if dialect == "postgresql":
        return _MARKED.sub(r"%(\1)s", sql.replace("%", "%%"))
    return _MARKED.sub({"duckdb": r"$\1", "sqlite": r":\1"}[dialect], sql)


def for_people(sql: str) -> str:
    """The query with its parameters as ``:name``."""
    return _MARKED.sub(r":\1", sql)


def _duckdb_text(value: str, found: ColumnType, engine_type: str) -> str:
    if engine_type == "DOUBLE":
        return f"regexp_replace(CAST(CAST({value} AS DOUBLE) AS VARCHAR), '\\.0$', '')"
    return f"CAST({value} AS VARCHAR)"


def _postgresql_text(value: str, found: ColumnType, engine_type: str) -> str:
    return f'(CAST({value} AS text) COLLATE "C")'


def _sqlite_text(value: str, found: ColumnType, engine_type: str) -> str:
    if found == "flag":
        return f"CASE WHEN {value} <> 0 THEN 'true' WHEN {value} = 0 THEN 'false' END"
    if found == "datetime":
        return _sqlite_plain_instant(value)
    text = f"CAST({value} AS TEXT)"
    if engine_type == "DOUBLE":
        text = f"CASE WHEN {text} LIKE '%.0' THEN substr({text}, 1, length({text}) - 2) ELSE {text} END"
    return f"({text} COLLATE BINARY)"


def _sqlite_plain_instant(value: str) -> str:
    """As the other engines write it: without zeros at the end of the fraction."""
    instant = ENGINES["sqlite"].column(value, "datetime")
    return f"CASE WHEN substr({instant}, 20) = '.000000' THEN substr({instant}, 1, 19) ELSE rtrim({instant}, '0') END"


def _sqlite_micros(value: str) -> str:
    return f"(CAST(strftime('%s', substr({value}, 1, 19)) AS INTEGER) * 1000000 + CAST(substr({value}, 21) AS INTEGER))"


def _equal_or_both_unknown(one: str, other: str) -> str:
    return f"({one} = {other} OR ({one} IS NULL AND {other} IS NULL))"


SPELLINGS: dict[Dialect, Spelling] = {
    "duckdb": Spelling(
        dialect="duckdb",
        earlier=lambda moment, seconds: f"({moment} - INTERVAL '{seconds} seconds')",
        age_seconds=lambda moment, then: f"((epoch_us({moment}) - epoch_us({then})) / CAST(1000000 AS DOUBLE))",
        same=lambda one, other: f"{one} IS NOT DISTINCT FROM {other}",
        text_of=_duckdb_text,
        instant=lambda text: f"TIMESTAMP '{text}'",
        micros=lambda instant: f"epoch_us({instant})",
    ),
    "sqlite": Spelling(
        dialect="sqlite",
        earlier=lambda moment, seconds: (
            f"(strftime('%Y-%m-%d %H:%M:%S', substr({moment}, 1, 19), '-{seconds} seconds') || substr({moment}, 20))"
        ),
        age_seconds=lambda moment, then: f"(({_sqlite_micros(moment)} - {_sqlite_micros(then)}) / 1000000.0)",
        same=lambda one, other: f"{one} IS {other}",
        text_of=_sqlite_text,
        instant=lambda text: f"'{text}'",
        micros=_sqlite_micros,
    ),
    "postgresql": Spelling(
        dialect="postgresql",
        earlier=lambda moment, seconds: f"({moment} - INTERVAL '{seconds} seconds')",
        age_seconds=lambda moment, then: f"CAST(EXTRACT(EPOCH FROM {moment} - {then}) AS double precision)",
        same=_equal_or_both_unknown,
        text_of=_postgresql_text,
        instant=lambda text: f"TIMESTAMP '{text}'",
        micros=lambda instant: f"CAST(EXTRACT(EPOCH FROM {instant}) * 1000000 AS bigint)",
    ),
}
