"""How SQLite and PostgreSQL are told what they have no function for, in pieces of SQL that compute each value once."""

from __future__ import annotations

import math
import sys
from functools import lru_cache

from pilotage.usecase.rules.expressions.dialects import Engine, bound
from pilotage.usecase.rules.expressions.values import (
    FALSE_WORDS,
    FLOAT_WHOLE_MIN,
    TRUE_WORDS,
    like_letters,
    lower_letter,
    upper_letter,
)

_DIGITS = "[0-9]"

FLAG_FROM_TEXT = (
    "CASE LOWER({0}) "
    + " ".join(f"WHEN '{word}' THEN TRUE" for word in TRUE_WORDS)
    + " "
    + " ".join(f"WHEN '{word}' THEN FALSE" for word in FALSE_WORDS)
    + " END"
)

POSTGRESQL_TEXT_FROM_NUMBER = bound(
    "CASE WHEN v = 0 THEN '0' WHEN abs(v) >= 1e15 AND abs(v) < 1e16 THEN v::text::numeric::text ELSE v::text END"
    ' COLLATE "C"',
    "{0}",
)

POSTGRESQL_NUMBER_FROM_TEXT = bound("CASE WHEN v ~ '{number_pattern}' THEN v::double precision END", "{0}")

_MONTH = "make_date(substr(v, 1, 4)::int, substr(v, 6, 2)::int, 1)"
_DAY = f"({_MONTH} + (substr(v, 9, 2)::int - 1))"
POSTGRESQL_TIMESTAMP_FROM_TEXT = bound(
    "CASE WHEN v ~ '{timestamp_pattern}' AND substr(v, 6, 2) BETWEEN '01' AND '12'"
    " AND substr(v, 9, 2) BETWEEN '01' AND '31'"
    f" THEN CASE WHEN EXTRACT(MONTH FROM {_DAY}) = substr(v, 6, 2)::int"
    f" THEN {_DAY} + COALESCE(NULLIF(rtrim(substr(v, 12), 'Z'), ''), '00:00')::time END END",
    "{0}",
)

SQLITE_SHIFTED = bound(
    "strftime('%Y-%m-%d %H:%M:%S', substr(v, 1, 19), '{parameter}') || substr(v, 20)",
    "{0}",
)

SQLITE_NUMBER_FROM_TEXT = (
    "(WITH t(v, a) AS MATERIALIZED (SELECT v, CASE WHEN substr(v, 1, 1) IN ('+', '-') THEN substr(v, 2) ELSE v END"
    " FROM (SELECT {0} AS v LIMIT 1)),"
    " u(v, m, x) AS MATERIALIZED (SELECT v, substr(a, 1, instr(lower(a) || 'e', 'e') - 1),"
    " CASE WHEN instr(lower(a), 'e') THEN substr(a, instr(lower(a), 'e') + 1) ELSE '0' END FROM t),"
    " w(v, i, f, x) AS MATERIALIZED (SELECT v, substr(m, 1, instr(m || '.', '.') - 1),"
    " CASE WHEN instr(m, '.') THEN substr(m, instr(m, '.') + 1) ELSE '0' END,"
    " CASE WHEN substr(x, 1, 1) IN ('+', '-') THEN substr(x, 2) ELSE x END FROM u)"
    " SELECT CASE WHEN i || f || x NOT GLOB '*[^0-9]*' AND length(i) BETWEEN 1 AND 40"
    " AND length(f) BETWEEN 1 AND 40 AND length(x) BETWEEN 1 AND 2"
    " THEN CASE WHEN length(ltrim(i || f, '0')) <= 18 OR trim(substr(ltrim(i || f, '0'), 19), '0') = ''"
    " THEN CAST(v AS REAL) ELSE json('more than 18 digits') END END FROM w)"
)

_CLOCK = f"[ T][0-2]{_DIGITS}:[0-5]{_DIGITS}"
SQLITE_TIMESTAMP_FROM_TEXT = (
    "(WITH t(d, r) AS MATERIALIZED (SELECT substr(v, 1, 10), substr(v, 11) FROM (SELECT {0} AS v LIMIT 1)),"
    " u(d, r, c) AS MATERIALIZED"
    " (SELECT d, r, CASE WHEN r GLOB '*Z' THEN substr(r, 1, length(r) - 1) ELSE r END FROM t)"
    f" SELECT CASE WHEN d GLOB '[1-9]{_DIGITS * 3}-{_DIGITS * 2}-{_DIGITS * 2}' AND date(d) = d"
    f" AND (r = '' OR (substr(c, 2, 2) <= '23' AND (c GLOB '{_CLOCK}' OR c GLOB '{_CLOCK}:[0-5]{_DIGITS}'"
    f" OR (c GLOB '{_CLOCK}:[0-5]{_DIGITS}.{_DIGITS}*' AND substr(c, 11) NOT GLOB '*[^0-9]*' AND length(c) <= 16))))"
    " THEN d || ' ' || substr(c, 2) || substr('00:00:00.000000', length(substr(c, 2)) + 1) END FROM u)"
)


def _shortest(form: str, digits: tuple[int, ...]) -> str:
    """The first of so many digits that reads back as the same number."""
    written = f"format('%!.*{form}', value, v)"
    return f"(SELECT {written} FROM json_each('{list(digits)}') WHERE CAST({written} AS REAL) = v LIMIT 1)"


_AS_WRITTEN = (
    f"CASE WHEN abs(v) >= 1e16 OR abs(v) < 1e-4 THEN {_shortest('e', tuple(range(17)))}"
    f" WHEN abs(v) >= 1e15 THEN {_shortest('g', (16, 17))} ELSE {_shortest('g', (15, 16, 17))} END"
)
SQLITE_TEXT_FROM_NUMBER = (
    f"(WITH t(v) AS MATERIALIZED (SELECT {{0}}), u(v, s) AS MATERIALIZED (SELECT v, {_AS_WRITTEN} FROM t)"
    " SELECT CASE WHEN v IS NULL THEN NULL WHEN v = 0 THEN '0'"
    " WHEN instr(s, 'e') = 0 THEN CASE WHEN instr(s, '.') THEN rtrim(rtrim(s, '0'), '.') ELSE s END"
    " ELSE rtrim(rtrim(substr(s, 1, instr(s, 'e') - 1), '0'), '.') || substr(s, instr(s, 'e')) END FROM u)"
)


def rounded(engine: Engine, value: str, digits: int) -> str:
    """ROUND as :func:`values.rounded` does it, where the engine's own goes another way."""
    power = 10.0 ** abs(digits)
    factor = engine.number(power)
    fits = f"<= {engine.number(_largest_times(power))}"
    scaled = (
        "v"
        if not digits
        else f"CASE WHEN abs(v) {fits} THEN v * {factor} END"
        if digits > 0
        else _scaled_down(engine, factor)
    )
    back = "r" if not digits else f"r / {factor}" if digits > 0 else f"CASE WHEN abs(r) {fits} THEN r * {factor} END"
    half, one, whole = engine.number(0.5), engine.number(1.0), engine.number(FLOAT_WHOLE_MIN)
    up = f"floor(abs(s)) + CASE WHEN abs(s) - floor(abs(s)) >= {half} THEN {one} ELSE {engine.number(0.0)} END"
    nearest = f"CASE WHEN abs(s) >= {whole} THEN s WHEN s < 0 THEN - ({up}) ELSE {up} END"
    return (
        f"(WITH t(v) AS MATERIALIZED (SELECT {value}), n(v, s) AS MATERIALIZED (SELECT v, {scaled} FROM t),"
        f" o(v, r) AS MATERIALIZED (SELECT v, {nearest} FROM n) SELECT COALESCE({back}, v) FROM o)"
    )


def _scaled_down(engine: Engine, factor: str) -> str:
    """What is below one half in any case is none, so that nothing can become too small for the engine."""
    return f"CASE WHEN abs(v) < {engine.number(1.0)} THEN {engine.number(0.0)} ELSE v / {factor} END"


def _largest_times(power: float) -> float:
    """The largest number that can still be multiplied by a power of ten."""
    found = sys.float_info.max / power
    while math.isinf(found * power):
        found = math.nextafter(found, 0.0)
    while not math.isinf(math.nextafter(found, math.inf) * power) and found < sys.float_info.max:
        found = math.nextafter(found, math.inf)
    return found


@lru_cache(maxsize=2)
def letters(upper: bool) -> tuple[str, str]:
    """All letters that change, and what each becomes."""
    change = upper_letter if upper else lower_letter
    changed = [(letter, change(letter)) for letter in map(chr, range(1, 0x20000)) if change(letter) != letter]
    return "".join(a for a, _ in changed), "".join(b for _, b in changed)


def glob(pattern: str) -> str:
    """A LIKE pattern as one of GLOB, which minds case."""
    wildcards = {"%": "*", "_": "?"}
    return "".join(
        wildcards[letter] if is_wildcard else f"[{letter}]" if letter in "*?[" else letter
        for letter, is_wildcard in like_letters(pattern)
    )
