"""What the columns of a relation hold, judged by all its rows in one pass.

Values come as texts (CSV, JSON) or typed (Parquet). A text column becomes a number only if every value writes back the
same: ``00123``, ``+5``, ``1e5`` and numbers of more digits than fit stay texts. With a declared ``decimal``, numbers
are those that are written so, ``1.234,56``, and no others: a column never changes its scale with what comes later.
A text column becomes a datetime only if all values have the one form that fits them. Empty texts, and those that the
source declares as ``missing``, count as missing in a column of another type; a column without any value is text.

A key has the type that its column would have anyway, with one exception: fractions that are written in several ways.
As numbers, 1.1 and 1.10 would be one key, so they stay texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from pilotage.data.records import ColumnType, FoundColumn
from pilotage.data.sources import clocks, numerals
from pilotage.data.sources.asked import Asked
from pilotage.platform.quoting import literal, quoted
from pilotage.usecase.records import Source

if TYPE_CHECKING:
    import duckdb

Candidate = Literal["BIGINT", "DECIMAL", "DOUBLE", "NUMBER", "TIMESTAMP", "BOOLEAN"]

WRITTEN: tuple[Candidate, ...] = ("BIGINT", "DOUBLE", "TIMESTAMP", "BOOLEAN")
"""What a column of plain text, as in CSV, may turn out to be."""

_SAMPLE_ROWS = 20_000
_CLOCK_ROWS = 2_000
_COLUMNS_AT_ONCE = 500
_EXPONENT = r"-?((0|[1-9]\d{0,17})\.\d*|\.\d+)[eE][+-]?\d{1,3}|-?(0|[1-9]\d{0,17})[eE][+-]\d{1,3}"
_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
_WIDE = ("UBIGINT", "HUGEINT", "UHUGEINT", "DECIMAL")


class Column(Struct, frozen=True):
    """A column of a relation: the engine type it is stored as, and what its texts may turn out to be."""

    name: str
    stored: str = "VARCHAR"
    may_be: tuple[Candidate, ...] = ()


def found_columns(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[Column], asked: Asked
) -> tuple[FoundColumn, ...]:
    """The columns with their types. Two scans at most, the first of a sample that rules most candidates out.

    Raises:
        SourceUnavailable: a clock is written so that day and month could be exchanged.
        duckdb.Error: a row cannot be read.
    """
    types = {column.name: _stored(column.stored) for column in columns}
    texts = [_with_decimal(column, asked) for column in columns if column.stored == "VARCHAR"]
    types |= _judged(connection, relation, [column for column in texts if column.may_be], asked)
    types |= _keys(connection, relation, texts, types, asked)
    wide = [column for column in columns if column.stored.startswith(_WIDE)]
    types |= _whole(connection, relation, wide)
    undecided = [column for column in texts if types[column.name] == "VARCHAR"]
    forms = _dated(connection, relation, undecided, asked)
    empty = _empty(connection, relation, [column.name for column in undecided], asked.source)
    types |= dict.fromkeys(forms, "TIMESTAMP")
    return tuple(_found(column.name, types[column.name], forms, column.name in empty) for column in columns)


def _found(name: str, engine_type: str, forms: Mapping[str, clocks.Form], empty: bool) -> FoundColumn:
    form = forms.get(name, clocks.ISO)
    return FoundColumn(name, _KINDS[engine_type], engine_type, "" if form == clocks.ISO else form.says, empty)


def _empty(connection: duckdb.DuckDBPyConnection, relation: str, names: Sequence[str], source: Source) -> set[str]:
    """Those without any value: a sample rules most out."""
    found: set[str] = set()
    for scanned in (f"(SELECT * FROM {relation} LIMIT {_SAMPLE_ROWS})", relation):
        remaining, found = iter(names), set()
        while part := list(islice(remaining, _COLUMNS_AT_ONCE)):
            counts = ", ".join(f"count({numerals.text_of(name, source)})" for name in part)
            found |= {
                n for n, c in zip(part, _one(connection, f"SELECT {counts} FROM {scanned}"), strict=True) if not c
            }
        names = sorted(found)
    return found


def _dated(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[Column], asked: Asked
) -> dict[str, clocks.Form]:
    """The forms of texts that are instants. A declared clock may hold a few that are none: reading names them."""
    forms = {}
    for column in columns:
        if column.name in {asked.source.event_time, asked.source.known_at}:
            forms[column.name] = written_as(connection, relation, column.name, asked)
    others = [column.name for column in columns if column.name not in forms and "TIMESTAMP" in column.may_be]
    for name in _alike(connection, relation, others, asked):
        text = numerals.text_of(name, asked.source)
        form = _chosen(connection, relation, name, asked)
        if isinstance(form, clocks.Form) and form != clocks.ISO:
            filled, fitting = _one(connection, _counting(text, (form,), relation))
            forms[name] = form if fitting == filled else None
    return {name: form for name, form in forms.items() if form is not None}


def _alike(connection: duckdb.DuckDBPyConnection, relation: str, names: Sequence[str], asked: Asked) -> Iterable[str]:
    """Columns of which all values of a sample look like dates: few are, and each form has its price."""
    remaining = iter(names)
    while part := list(islice(remaining, _COLUMNS_AT_ONCE)):
        texts = [numerals.text_of(name, asked.source) for name in part]
        checks = ", ".join(f"count({text}), count_if({clocks.is_alike(text)})" for text in texts)
        wanted = ", ".join(quoted(name) for name in part)
        counts = _one(connection, f"SELECT {checks} FROM (SELECT {wanted} FROM {relation} LIMIT {_SAMPLE_ROWS})")
        yield from (name for name, n, m in zip(part, counts[::2], counts[1::2], strict=True) if n and n == m)


def written_as(connection: duckdb.DuckDBPyConnection, relation: str, name: str, asked: Asked) -> clocks.Form | None:
    """How the instants of a text column are written; None where they are none. A sample decides, if it can.

    Raises:
        SourceUnavailable: they are written so that day and month could be exchanged.
    """
    form = _chosen(connection, relation, name, asked)
    if isinstance(form, clocks.Ambiguous):
        raise asked.failure(
            f"Source {asked.name}: the dates in {name} could be {form.first.says} or {form.second.says}: all fit both.",
            "Export them as YYYY-MM-DD HH:MM:SS.",
        )
    return form


def _chosen(
    connection: duckdb.DuckDBPyConnection, relation: str, name: str, asked: Asked
) -> clocks.Form | clocks.Ambiguous | None:
    text = numerals.text_of(name, asked.source)
    sample = f"(SELECT {quoted(name)} FROM {relation} WHERE {text} IS NOT NULL LIMIT {_CLOCK_ROWS})"
    filled, iso, *fitting = _one(connection, _counting(text, (clocks.ISO, *clocks.FORMS), sample))
    possible = {form: count for form, count in zip(clocks.FORMS, fitting, strict=True) if count}
    if iso:
        possible = {clocks.ISO: iso} | possible
    if len(possible) > 1:
        filled, *fitting = _one(connection, _counting(text, tuple(possible), relation))
        possible = dict(zip(possible, fitting, strict=True))
    return clocks.chosen(filled, possible)


def _counting(text: str, forms: Sequence[clocks.Form], relation: str) -> str:
    fits = [clocks.is_iso(text) if form == clocks.ISO else form.fits(text) for form in forms]
    return f"SELECT count({text}), {', '.join(f'count_if({fit})' for fit in fits)} FROM {relation}"


def value(column: FoundColumn, stored: str, form: clocks.Form | None, source: Source, decimal: str = "") -> str:
    """SQL: a column's value, as its type has it. A text that does not fit raises an error.

    ``form`` is how its instants are written, ``decimal`` the sign of its fractions where it is not the engine's.
    """
    name = quoted(column.name)
    if column.empty and stored == "VARCHAR":  # what stands for nothing in it is nothing, whatever type it will have
        return numerals.text_of(column.name, source)
    if stored != "VARCHAR" or column.engine_type == "VARCHAR":
        return clocks.iso_instant(name) if column.type == "datetime" else f"CAST({name} AS {column.engine_type})"
    text = numerals.text_of(column.name, source)
    if column.type == "datetime":
        return clocks.iso_instant(text) if form in (None, clocks.ISO) else form.instant(text)
    if column.engine_type == "DOUBLE" and decimal:
        return numerals.number(text, decimal)
    return f"CAST({text} AS {column.engine_type})"


def with_decimal(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[Column], source: Source
) -> set[str]:
    """Those of the columns, all of them numbers in texts, whose numbers all have the declared decimal sign."""
    found: set[str] = set()
    remaining = iter([column.name for column in columns if "TIMESTAMP" in column.may_be] if source.decimal else [])
    while part := list(islice(remaining, _COLUMNS_AT_ONCE)):
        counts = _one(connection, f"SELECT {numerals.counted(part, source)} FROM {relation}")
        found |= {name for name, n, m in zip(part, counts[::2], counts[1::2], strict=True) if n == m}
    return found


def _judged(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[Column], asked: Asked
) -> dict[str, str]:
    sample = f"(SELECT * FROM {relation} LIMIT {_SAMPLE_ROWS})"
    remaining = dict(_survivors(connection, sample, columns, asked.source, for_good=False))
    undecided = [Column(name, may_be=may_be) for name, may_be in remaining.items() if may_be]
    survivors = dict(_survivors(connection, relation, undecided, asked.source, for_good=True))
    return {name: _ENGINE_TYPES[may_be[0]] for name, may_be in survivors.items() if may_be}


def _survivors(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: Iterable[Column], source: Source, for_good: bool
) -> Iterable[tuple[str, tuple[Candidate, ...]]]:
    """Which candidates all values fit. A column without values keeps its candidates, unless it is for good."""
    remaining = iter(columns)
    while part := list(islice(remaining, _COLUMNS_AT_ONCE)):
        counts = iter(_one(connection, f"SELECT {', '.join(_checks(part, source))} FROM {relation}"))
        for column in part:
            filled = next(counts)
            fitting = [candidate for candidate in column.may_be if next(counts) == filled]
            yield column.name, tuple(fitting) if filled or not for_good else ()


def _checks(columns: Sequence[Column], source: Source) -> Iterable[str]:
    for column in columns:
        text = numerals.text_of(column.name, source)
        yield f"count({text})"
        for candidate in column.may_be:
            yield f"count_if({_fits(candidate, text, source.decimal)})"


def _fits(candidate: Candidate, text: str, decimal: str) -> str:
    if candidate == "DECIMAL":
        return numerals.fits(text, decimal)
    if candidate == "BIGINT":
        return f"CAST(TRY_CAST({text} AS BIGINT) AS VARCHAR) = {text}"
    if candidate == "DOUBLE":
        return f"regexp_full_match({text}, {literal(f'{numerals.PLAIN}|{_EXPONENT}')})"
    if candidate == "NUMBER":  # JSON has said already that it is a number, written in its way
        return f"(TRY_CAST({text} AS DOUBLE) IS NOT NULL AND NOT regexp_full_match({text}, '-?\\d{{19,}}'))"
    if candidate == "TIMESTAMP":
        return clocks.is_iso(text)
    return f"lower({text}) IN ('true', 'false')"


def _with_decimal(column: Column, asked: Asked) -> Column:
    """Texts that nobody has typed may be numbers with the decimal sign that the source declares."""
    if not asked.source.decimal or "TIMESTAMP" not in column.may_be:
        return column
    # With a comma declared, 48.522 is 48522 or a text, and never sometimes one and sometimes the other.
    left_out = ("BIGINT", "DOUBLE") if asked.source.decimal == "," else ("BIGINT",)
    whole = tuple(candidate for candidate in column.may_be if candidate == "BIGINT")
    others = tuple(candidate for candidate in column.may_be if candidate not in left_out)
    return Column(column.name, may_be=(*whole, "DECIMAL", *others))


def _keys(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    columns: Sequence[Column],
    types: Mapping[str, str],
    asked: Asked,
) -> dict[str, str]:
    """Keys of fractions stay texts where two texts would be the same number, or have a decimal sign of their own."""
    found = {}
    for column in columns:
        if column.name in asked.source.key and types[column.name] == "DOUBLE":
            text = numerals.text_of(column.name, asked.source)
            statement = f"SELECT count(DISTINCT {text}), count(DISTINCT TRY_CAST({text} AS DOUBLE)) FROM {relation}"
            texts, numbers = _one(connection, statement)
            if texts != numbers:
                found[column.name] = "VARCHAR"
    return found


def _whole(connection: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[Column]) -> dict[str, str]:
    """Numbers wider than 64 bits: integers if all fit, else text if they are whole by type, else fractions."""
    whole = [column for column in columns if not column.stored.startswith("DECIMAL") or column.stored.endswith(",0)")]
    if not whole:
        return {}
    fits = [f"count_if(TRY_CAST({quoted(c.name)} AS BIGINT) IS NULL AND {quoted(c.name)} IS NOT NULL)" for c in whole]
    beyond = _one(connection, f"SELECT {', '.join(fits)} FROM {relation}")
    return {column.name: "VARCHAR" if count else "BIGINT" for column, count in zip(whole, beyond, strict=True)}


def _stored(engine_type: str) -> str:
    if engine_type in _INTEGERS:
        return "BIGINT"
    if engine_type in ("FLOAT", "DOUBLE") or engine_type.startswith(_WIDE):
        return "DOUBLE" if not engine_type.endswith("]") else "VARCHAR"
    if engine_type == "BOOLEAN":
        return "BOOLEAN"
    if engine_type == "DATE" or (engine_type.startswith("TIMESTAMP") and not engine_type.endswith("]")):
        return "TIMESTAMP"
    return "VARCHAR"


def _one(connection: duckdb.DuckDBPyConnection, statement: str) -> Sequence[int]:
    row = connection.execute(statement).fetchall()[0]
    return [int(count or 0) for count in row]


_ENGINE_TYPES = {candidate: candidate for candidate in WRITTEN} | {"NUMBER": "DOUBLE", "DECIMAL": "DOUBLE"}
_KINDS: dict[str, ColumnType] = {
    "BIGINT": "number",
    "DOUBLE": "number",
    "TIMESTAMP": "datetime",
    "BOOLEAN": "flag",
    "VARCHAR": "text",
}
