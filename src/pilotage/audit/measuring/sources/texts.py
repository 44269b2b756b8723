"""What the texts of a column look like: numbers among words, shapes of codes, stand-ins for nothing, spellings."""

from __future__ import annotations

import re
from typing import Any

from pilotage.audit.measured.columns import Shape, Spellings, TextFigures, Value
from pilotage.audit.measuring.sources.place import Place
from pilotage.audit.measuring.sources.spelling import folded
from pilotage.platform.quoting import literal, quoted

# Above this many distinct texts a part of them is looked at, chosen by their hash: shapes need no more.
VALUES_MAX = 60_000
# Columns that name people or things: their spellings are looked at even where nearly every row has another text.
NAME_LIKE = re.compile(
    r"(?i)(^|[_ .])(name|title|company|customer|supplier|vendor|street|city|description|label|brand)s?$|[a-z]Name$"
)
# What people and programs write for "nothing"; the list grew out of those of pandas, of FAHES (Qahtan et al., KDD 2018)
# and of what test data leaves behind.
PLACEHOLDERS = (
    "", "-", "--", "---", ".", "..", "?", "??", "???", "_", "*", "#", "#n/a", "#n/a n/a", "#na", "#null!", "#ref!",
    "#value!", "(null)", "(none)", "(blank)", "<na>", "<null>", "<none>", "[null]", "\\n", "n/a", "n.a.", "n.a", "na",
    "nan", "-nan", "nat", "nil", "null", "none", "not available", "not applicable", "not known", "not set",
    "not specified", "missing", "unknown", "unbekannt", "inconnu", "undefined", "unspecified", "unassigned",
    "tbd", "tba", "tbc", "todo", "empty", "blank", "dummy", "test", "test test", "testing", "foo", "bar", "asdf",
    "x", "xx", "xxx", "xxxx", "xxxxx", "zzz", "abc", "aaa", "123456789", "1234567890", "12345678", "0000000000",
    "000000000", "00000000", "999999999", "99999999", "9999999", "999999", "99999", "9999", "999", "-1", "-9", "-99",
    "-999", "-9999", "0000-00-00", "00/00/0000", "01/01/1900", "1900-01-01", "9999-12-31", "1970-01-01",
)  # fmt: skip
_NUMBER = r"^\s*[-+]?(\d+([.,]\d+)*|[.]\d+)([eE][-+]?\d+)?\s*%?\s*$"
_DATE = r"^\s*(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2}))([T ]+\d{1,2}:\d{2}.*)?\s*$"
_LONG = 40
_SHAPES = 40
_NAMED = 5


def measure_text(place: Place, name: str, distinct: int) -> TextFigures:
    """Figures of one text column; ``distinct`` is about how many values it has."""
    everything = distinct <= VALUES_MAX
    among = ", ".join(literal(text) for text in PLACEHOLDERS)
    chosen = f"hash({quoted(name)}) % {-(-distinct // VALUES_MAX)} = 0 OR lower(trim({quoted(name)})) IN ({among})"
    part = "" if everything else f" AND ({chosen})"
    place.engine.execute(
        f"CREATE OR REPLACE TEMP TABLE _texts AS SELECT CAST({quoted(name)} AS VARCHAR) AS value, count(*) AS n "
        f"FROM {place.looked} WHERE {quoted(name)} IS NOT NULL{part} GROUP BY 1"
    )
    nothing = f"lower(trim(value)) IN ({among})"
    pair = "{'value': left(value, 80), 'n': n}"
    # The first of an order without the order: sorting every text takes five times as long.
    first = "{'n': -n, 'value': value}"
    row = place.one(
        f"""WITH seen AS (
            SELECT value, n, {nothing} AS nothing, regexp_matches(value, '{_NUMBER}') AS is_number,
                regexp_matches(value, '{_DATE}') AS is_date FROM _texts)
        SELECT sum(n), count(*), max(length(value)), arg_min({pair}, {first}, {_NAMED}),
            sum(n) FILTER (is_number AND NOT nothing), sum(n) FILTER (is_date),
            arg_min({pair}, {first}, {_NAMED}) FILTER (NOT is_number AND NOT nothing),
            arg_min({pair}, {first}, {_NAMED}) FILTER (NOT is_date AND NOT nothing),
            arg_min({pair}, {first}, 12) FILTER (nothing) FROM seen"""
    )
    rows, values, longest, frequent, numbers, dates, not_numbers, not_dates, nothings = row
    shapes, shaped = _shapes(place, nothing)
    return TextFigures(
        looked_at=int(rows or 0),
        distinct=values,
        longest=longest or 0,
        frequent=_named(frequent),
        numbers=int(numbers or 0),
        dates=int(dates or 0),
        not_numbers=_named(not_numbers),
        not_dates=_named(not_dates),
        shapes=shapes,
        shaped=shaped,
        placeholders=_named(nothings),
        spellings=_spellings(place, name, everything),
    )


def _named(pairs: list[dict[str, Any]] | None) -> tuple[Value, ...]:
    return tuple(Value(pair["value"], int(pair["n"])) for pair in pairs or ())


def _shapes(place: Place, nothing: str) -> tuple[tuple[Shape, ...], int]:
    """The most frequent shapes of short texts, and how many rows have a shape at all."""
    shape = r"translate(regexp_replace(trim(value), '\p{L}+', 'A', 'g'), '0123456789', '9999999999')"
    rows = place.all(
        f"""SELECT CASE WHEN length(value) > {_LONG} THEN '…' ELSE {shape} END AS shape, sum(n) AS rows,
            arg_min({{'value': left(value, 80), 'n': n}}, {{'n': -n, 'value': value}}, 3), sum(rows) OVER ()
        FROM _texts WHERE NOT {nothing} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {_SHAPES}"""
    )
    shapes = tuple(Shape(text, int(n), _named(examples)) for text, n, examples, _ in rows)
    return shapes, int(rows[0][3]) if rows else 0


def _spellings(place: Place, name: str, everything: bool) -> Spellings | None:
    """Texts that are one thing in several spellings; None where that was not looked for."""
    if not everything:
        if not NAME_LIKE.search(name):
            return None
        place.engine.execute(
            f"CREATE OR REPLACE TEMP TABLE _texts AS SELECT {quoted(name)} AS value, count(*) AS n "
            f"FROM {place.looked} WHERE {quoted(name)} IS NOT NULL GROUP BY 1"
        )
    rows = place.all(
        f"""SELECT arg_min({{'value': left(value, 80), 'n': n}}, {{'n': -n, 'value': value}}, 4),
            sum(n) - max(n) AS others, count(*) OVER (), sum(others) OVER ()
        FROM _texts WHERE trim(value) <> '' GROUP BY {folded("value")} HAVING count(*) > 1
        ORDER BY others DESC, min(value) LIMIT {_NAMED}"""
    )
    if not rows:
        return None
    return Spellings(rows[0][2], int(rows[0][3]), tuple(_named(pairs) for pairs, *_ in rows))
