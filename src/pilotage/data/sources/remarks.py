"""What the texts of a table would be if its source said how they are written: told, never done without being said.

A column of prices such as ``12,50``, or of numbers among ``NA``, is read as text and would be taken for categories.
Only a person knows that ``NA`` is no country there, so the source's ``decimal`` and ``missing`` decide.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from pilotage.data.records import FoundColumn
from pilotage.data.sources import clocks, numerals
from pilotage.platform.quoting import literal, quoted

if TYPE_CHECKING:
    import duckdb

MISSING = ("NA", "N/A", "n/a", "na", "NaN", "nan", "NULL", "null", "None", "-", "--", "?", ".", "#N/A", "#NV", "k.A.")
"""Texts that people and programs write where a value is missing."""

_TOLD_FROM = 0.9
_CELLS_MAX = 20_000
_ONLY_BLANKS = r"[\s\x{00A0}]+"
_BLANKS_MAX = 5
_AMBIGUOUS = r"-?[1-9]\d{0,2}[.,]\d{3}"


class Remark(Struct, frozen=True):
    """Something that a column's texts seem to be. ``says`` is a sentence with the share and the remedy.

    ``decimal`` and ``missing`` are what the source would have to declare; empty where nothing would help. With
    ``sure``, all values that were looked at would be read by it: good enough for a draft that a person confirms.
    """

    column: str
    seems: Literal["number", "datetime"]
    share: float
    says: str
    decimal: Literal["", ",", "."] = ""
    missing: tuple[str, ...] = ()
    sure: bool = False


def remarked(engine: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[FoundColumn]) -> tuple[Remark, ...]:
    """Remarks on the columns of text of a relation: a sample of a source's rows as it was read. One scan for each."""
    texts = [column.name for column in columns if column.type == "text"]
    return tuple(remark for name in texts for remark in _of(engine, relation, name))


def options(remarks: Sequence[Remark]) -> tuple[Literal["", ",", "."], tuple[str, ...]]:
    """The ``decimal`` and ``missing`` that a source would declare for what is sure; no decimal if columns disagree."""
    sure = [remark for remark in remarks if remark.sure]
    signs = {remark.decimal for remark in sure if remark.decimal}
    missing = {text for remark in sure if not remark.decimal or len(signs) == 1 for text in remark.missing}
    blanks = sorted(text for text in missing if not text.strip())
    return (signs.pop() if len(signs) == 1 else ""), (*(text for text in MISSING if text in missing), *blanks)


def _of(engine: duckdb.DuckDBPyConnection, relation: str, name: str) -> Iterator[Remark]:
    text = f"nullif({quoted(name)}, '')"
    marks = ", ".join(map(literal, MISSING))
    values = (
        f"(SELECT {text} AS v FROM {relation} WHERE {text} NOT IN ({marks}) AND NOT {_blank(text)} LIMIT {_CELLS_MAX})"
    )
    plain = f"regexp_full_match(v, {literal(numerals.PLAIN)})"
    comma, point = numerals.fits("v", ","), numerals.fits("v", ".")
    unclear = f"regexp_full_match(v, {literal(_AMBIGUOUS)})"
    n, padded, plains, commas, points, clear_commas, clear_points, iso, alike = _counts(
        engine,
        f"SELECT count(*), count_if(regexp_full_match(v, '-?0[0-9].*')), "
        f"count_if({plain}), count_if({comma}), count_if({point}), "
        f"count_if({comma} AND NOT {plain} AND NOT {unclear}), count_if({point} AND NOT {plain} AND NOT {unclear}), "
        f"count_if({clocks.is_iso('v')}), count_if({clocks.is_alike('v')}) FROM {values}",
    )
    if not n:
        return
    missing = _marks(engine, relation, text)
    if plains == n and missing:
        yield _remark(name, "number", 1.0, "plain numbers", "", missing)
    elif iso == n and missing:
        yield _remark(name, "datetime", 1.0, "dates", "", missing)
    elif padded and not alike:  # codes such as 00123, whatever the others look like
        return
    elif clear_commas and commas >= _TOLD_FROM * n and commas >= points:
        others = _others(engine, values, comma) if commas < n else ()
        yield _remark(name, "number", commas / n, "numbers written with a decimal comma", ",", missing, others)
    elif clear_points and points >= _TOLD_FROM * n:
        others = _others(engine, values, point) if points < n else ()
        yield _remark(name, "number", points / n, "numbers with commas between their thousands", ".", missing, others)
    elif _TOLD_FROM * n <= plains < n:
        yield _remark(name, "number", plains / n, "numbers", "", missing, _others(engine, values, plain))
    elif alike == n and iso < n:
        yield from _dates(engine, values, name, missing)


def _remark(
    name: str,
    seems: Literal["number", "datetime"],
    share: float,
    what: str,
    decimal: Literal["", ",", "."],
    missing: tuple[str, ...],
    others: tuple[str, ...] = (),
) -> Remark:
    wanted = [f'decimal: "{decimal}"'] if decimal else []
    if missing:
        wanted.append(f"missing: [{', '.join(map(_in_quotes, missing))}]")
    besides = (
        f", besides {' and '.join(mark if mark.strip() else _in_quotes(mark) for mark in missing)}" if missing else ""
    )
    part = "All" if share == 1 else f"{math.floor(share * 1000) / 10} % of the"
    says = f"{part} values of {name} are {what}{besides}"
    if wanted:
        says = f"{says}; say {' and '.join(f'`{w}`' for w in wanted)} to read them so"
    if others:
        says = f"{says}; correct the others, or list them under `missing`: {', '.join(map(_in_quotes, others))}"
    return Remark(name, seems, share, f"{says}.", decimal, missing, share == 1)


def _in_quotes(text: str) -> str:
    return f'"{text[:40]}"'


def _others(engine: duckdb.DuckDBPyConnection, values: str, fits: str) -> tuple[str, ...]:
    """The most frequent values that are none, at most three."""
    statement = f"SELECT v FROM {values} WHERE NOT {fits} GROUP BY v ORDER BY count(*) DESC, v LIMIT 3"
    return tuple(row[0] for row in engine.execute(statement).fetchall())


def _dates(engine: duckdb.DuckDBPyConnection, values: str, name: str, missing: tuple[str, ...]) -> Iterator[Remark]:
    """All have the look of dates: either two forms fit them all, or one does and something stands among them."""
    fits = ", ".join(f"count_if({form.fits('v')})" for form in clocks.FORMS)
    n, *counts = _counts(engine, f"SELECT count(*), {fits} FROM {values}")
    fitting = [form.says for form, count in zip(clocks.FORMS, counts, strict=True) if count == n]
    if len(fitting) == 1 and missing:
        yield _remark(name, "datetime", 1.0, f"dates written {fitting[0]}", "", missing)
    elif len(fitting) > 1:
        says = f"The dates in {name} could be {fitting[0]} or {fitting[1]}: all fit both. Export them as YYYY-MM-DD."
        yield Remark(name, "datetime", 1.0, says)


def _marks(engine: duckdb.DuckDBPyConnection, relation: str, text: str) -> tuple[str, ...]:
    marks = ", ".join(map(literal, MISSING))
    found = engine.execute(f"SELECT DISTINCT {text} FROM {relation} WHERE {text} IN ({marks})").fetchall()
    blank = (
        f"SELECT DISTINCT {text} AS v FROM {relation} WHERE {_blank(text)} ORDER BY length(v), v LIMIT {_BLANKS_MAX}"
    )
    blanks = tuple(row[0] for row in engine.execute(blank).fetchall())
    return (*(mark for mark in MISSING if (mark,) in found), *blanks)


def _blank(text: str) -> str:
    """SQL: whether a text is nothing but blanks."""
    return f"regexp_full_match({text}, {literal(_ONLY_BLANKS)})"


def _counts(engine: duckdb.DuckDBPyConnection, statement: str) -> list[int]:
    return [int(count or 0) for count in engine.execute(statement).fetchall()[0]]
