"""The grammar of scalar expressions as hypothesis strategies: well-typed texts over the columns of KNOWN."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from pilotage.usecase.records import ColumnKind

KNOWN: dict[str, ColumnKind] = {
    "delay": "number",
    "stops": "number",
    "carrier": "category",
    "note": "category",
    "late": "flag",
    "departure": "datetime",
    "arrival": "datetime",
}
NUMBERS = st.one_of(st.integers(-50, 50).map(float), st.sampled_from([0.5, -2.5, 1e-5, 12345.675, 0.0]))
TEXTS = st.sampled_from(["", "AA", "dl", "N1%", "7", "-2.5", "1e3", "true", "no", "Straße", " x ", "2013-12-01 05:30"])
INSTANTS = st.integers(0, 94_000_000).map(
    lambda second: (datetime(2012, 1, 1, tzinfo=UTC) + timedelta(seconds=second)).replace(tzinfo=None)
)


def literal(value: object) -> str:
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else f"{value:g}"


# Shapes of expressions by the kind they give. A letter in braces is a part of that kind: n number, t text, c text that
# is no literal, f flag, d datetime; what stands between bars is chosen from.
SHAPES = {
    "n": [
        "({n} |+,-,*,/,%| {n})",
        "|ABS,FLOOR,CEIL,ROUND,-|({n})",
        "ROUND({n}, |-2,-1,0,1,3|)",
        "|LEAST,GREATEST,COALESCE,NULLIF|({n}, {n})",
        "EXTRACT(|YEAR,MONTH,DAY,DOW,HOUR,MINUTE| FROM {d})",
        "LENGTH({t})",
        "CAST({t} AS DOUBLE)",
        "CASE WHEN {f} THEN {n} ELSE {n} END",
        "CASE {t} WHEN {t} THEN {n} END",
        "CAST({n} AS DOUBLE)",
    ],
    "t": [
        "|UPPER,LOWER,TRIM|({t})",
        "({t} || {t})",
        "|CONCAT,NULLIF,COALESCE,LEAST,GREATEST|({t}, {t})",
        "CAST({n} AS VARCHAR)",
        "CASE WHEN {f} THEN {t} WHEN {f} THEN {t} ELSE {t} END",
    ],
    "f": [
        "({n} |=,<>,<,<=,>,>=| {n})",
        "({t} |=,<>,<,<=,>,>=| {t})",
        "({d} |=,<>,<,<=,>,>=| {d})",
        "({f} |AND,OR,=,<>| {f})",
        "(NOT {f})",
        "({n} |IS NULL,IS NOT NULL|)",
        "({f} |IS NULL,IS NOT NULL|)",
        "({d} |IS NULL,IS NOT NULL|)",
        "({n} |IN,NOT IN| ({n}, {n}, {n}))",
        "({t} |BETWEEN,NOT BETWEEN| {t} AND {t})",
        "({t} |LIKE,NOT LIKE| |'%','A_','%a%','.*','N1\\%'|)",
        "CAST({t} AS BOOLEAN)",
        "CAST({n} AS BOOLEAN)",
        "({t} LIKE |'%!%%','!_%','N_!%','\\%'| ESCAPE '!')",
        "({t} |IN,NOT IN| ({t}, 'AA', NULL))",
        "({d} |BETWEEN,NOT BETWEEN| {d} AND {d})",
        "({n} |BETWEEN,NOT BETWEEN| {n} AND {n})",
        "({d} IN ({d}, {d}))",
        "COALESCE({f}, {f})",
    ],
    "d": [
        "({d} |+,-| INTERVAL '|0,1,99|' |SECOND,MINUTE,HOUR,DAY|)",
        "CAST({c} AS TIMESTAMP)",
        "|COALESCE,LEAST,GREATEST,NULLIF|({d}, {d})",
        "CASE WHEN {f} THEN {d} ELSE {d} END",
    ],
}
LEAVES = {
    "n": st.sampled_from(["delay", "stops", "NULL"]) | NUMBERS.map(literal),
    "t": st.sampled_from(["carrier", "note"]) | TEXTS.map(literal),
    "c": st.sampled_from(["carrier", "note", "(carrier || note)"]),
    "f": st.sampled_from(["late", "TRUE", "FALSE"]),
    "d": st.sampled_from(["departure", "arrival", "TIMESTAMP '2013-12-01 05:00:00'"]),
}


@st.composite
def expression_texts(draw: st.DrawFn, kind: str | None = None, depth: int = 0) -> str:
    kind = kind or draw(st.sampled_from("ntfd"))
    if depth == 4 or kind == "c" or (depth and draw(st.integers(0, 2)) == 0):
        return draw(LEAVES[kind])
    shape = draw(st.sampled_from(SHAPES[kind]))
    shape = re.sub(r"\|([^|]+,[^|]+)\|", lambda found: draw(st.sampled_from(found[1].split(","))), shape)
    return re.sub(r"\{(.)\}", lambda found: draw(expression_texts(found[1], depth + 1)), shape)


COLUMNS = {
    "n": ["delay", "stops", "-7"],
    "t": ["carrier", "note"],
    "c": ["note"],
    "f": ["late"],
    "d": ["departure", "arrival"],
}


def every_shape() -> Iterator[str]:
    """Each operation once with every choice, over all columns."""
    for shape in (shape for shapes in SHAPES.values() for shape in shapes):
        parts = re.split(r"(\|[^|]+,[^|]+\||\{.\})", shape)
        ways = [COLUMNS[p[1]] if p[:1] == "{" else p[1:-1].split(",") if p[:1] == "|" and p[1:] else [p] for p in parts]
        yield from ("".join(way) for way in itertools.product(*ways))
