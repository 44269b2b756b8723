"""DuckDB's query in Spark's dialect: sqlglot translates the syntax; what gives other values there is spelled here.

Every operation of our expressions is held against its closure on Spark (tests/data/engines). A number can be written as
text between 1e-4 and 1e15 only: beyond, Spark would write another text than the other engines, and says so instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pilotage.data.rules.direct.spelling import for_people
from pilotage.platform.quoting import literal
from pilotage.usecase.rules.expressions import templates, values

if TYPE_CHECKING:
    from sqlglot import exp

_EXACT = "9e15"
"""Below, a floor fits into Spark's BIGINT; above, every double is whole already."""

_TEXT_OF_NUMBER = """CASE WHEN {0} = 0 OR (ABS({0}) >= 1e-4 AND ABS({0}) < 1e15)
THEN RTRIM('.', RTRIM('0', CAST(CAST(CAST({0} AS STRING) AS DECIMAL(38, 22)) AS STRING)))
WHEN {0} IS NOT NULL THEN RAISE_ERROR(CONCAT('Spark cannot write ', {0}, ' as text as other engines do.')) END"""


def to_spark(sql: str) -> str:
    """A DuckDB query, with parameters in our own marks, as Spark reads it in a session in UTC."""
    import sqlglot

    tree = sqlglot.parse_one(for_people(sql), read="duckdb")
    for node in reversed(list(tree.walk())):  # parts before the whole
        spelled = _spelled(node)
        if spelled is not None:
            node.replace(sqlglot.parse_one(spelled, read="spark"))
    return tree.sql(dialect="spark", pretty=True)


def _spelled(node: exp.Expr) -> str | None:
    """Spark's SQL for a node that sqlglot would give other values, or cannot translate; else None."""
    from sqlglot import exp

    if isinstance(node, exp.Anonymous):
        function = _FUNCTIONS.get(node.name.lower())
        return function(node.expressions[0].sql(dialect="spark")) if function else None
    value = node.this.sql(dialect="spark") if isinstance(node.this, exp.Expr) else ""
    if isinstance(node, exp.Round):
        return _rounded(value, node.args.get("decimals"))
    if isinstance(node, exp.Cast):
        is_text = node.is_type("text", "varchar") and isinstance(node.this, exp.Cast) and node.this.is_type("double")
        return _TEXT_OF_NUMBER.replace("{0}", value) if is_text else None
    if isinstance(node, exp.Extract) and node.name.upper() in ("DOW", "DAYOFWEEK"):
        return f"(DAYOFWEEK({node.expression.sql(dialect='spark')}) - 1)"
    for kind, spelling in _nodes().items():
        if type(node) is kind:
            return spelling(value)
    return None


_FUNCTIONS: dict[str, Callable[[str], str]] = {
    "epoch_us": lambda value: f"UNIX_MICROS(CAST({value} AS TIMESTAMP_LTZ))",
    "isfinite": lambda value: f"(ABS({value}) < CAST('Infinity' AS DOUBLE))",  # NaN is greater than all in Spark
}


def _nodes() -> dict[type[exp.Expr], Callable[[str], str]]:
    from sqlglot import exp

    return {
        exp.Floor: lambda value: _whole("FLOOR", value),
        exp.Ceil: lambda value: _whole("CEIL", value),
        exp.Upper: lambda value: _letters(value, upper=True),
        exp.Lower: lambda value: _letters(value, upper=False),
        exp.Trim: lambda value: f"TRIM(BOTH {literal(values.SPACES)} FROM {value})",
    }


def _whole(function: str, value: str) -> str:
    return (
        f"CASE WHEN ABS({value}) < {_EXACT} THEN CAST({function}({value}) AS DOUBLE) ELSE CAST({value} AS DOUBLE) END"
    )


def _letters(value: str, upper: bool) -> str:
    """Letter by letter, as everywhere else; Java would write SS for ß."""
    before, after = templates.letters(upper)
    return f"TRANSLATE({value}, {literal(before)}, {literal(after)})"


def _rounded(value: str, decimals: exp.Expr | None) -> str:
    """As DuckDB rounds: of the double times a power of ten, not of its decimal digits."""
    digits = int(decimals.sql()) if decimals is not None else 0
    power = f"1e{abs(digits)}D"
    there, back = ("/", "*") if digits < 0 else ("*", "/")
    if not digits:
        return f"ROUND({value})"
    scaled = f"({value} {there} {power})"
    return f"CASE WHEN ABS({scaled}) < CAST('Infinity' AS DOUBLE) THEN ROUND({scaled}) {back} {power} ELSE {value} END"
