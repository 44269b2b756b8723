"""Writes an expression for DuckDB, from our own tree alone: nothing of the author's text passes unread."""

from __future__ import annotations

from collections.abc import Mapping

from pilotage.platform.quoting import literal, quoted
from pilotage.usecase.rules.expressions.parsing import parse
from pilotage.usecase.rules.expressions.semantics import NUMBER_PATTERN, OPERATIONS, TIMESTAMP_PATTERN, timestamp_from
from pilotage.usecase.rules.expressions.tree import Call, ColumnReference, Constant, Node


def to_sql(text: str, qualify: Mapping[str, str] | None = None) -> str:
    """The expression in DuckDB's dialect, every identifier quoted.

    ``qualify`` maps a column to the alias of the relation it is taken from: ``{"arr_delay": "arrivals"}`` gives
    ``"arrivals"."arr_delay"``.

    Raises:
        ExpressionError: the text is not an allowed expression.
    """
    return _written(parse(text), qualify or {})


def _written(node: Node, qualify: Mapping[str, str]) -> str:
    if isinstance(node, Constant):
        return _constant(node)
    if isinstance(node, ColumnReference):
        alias = qualify.get(node.name)
        return f"{quoted(alias)}.{quoted(node.name)}" if alias else quoted(node.name)
    if node.operation in {"AND", "OR"}:
        return "(" + f" {node.operation} ".join(_written(part, qualify) for part in node.arguments) + ")"
    if node.operation == "CASE":
        return _case(node, qualify)
    if node.operation == "CAST TO TIMESTAMP" and isinstance(node.arguments[0], Constant):
        return _timestamp(node.arguments[0])
    operation = OPERATIONS[node.operation]
    parts = [_written(argument, qualify) for argument in node.arguments]
    if operation.arithmetic:
        parts = [_as_double(part, arg) for part, arg in zip(parts, node.arguments, strict=True)]
    return operation.sql.format(
        *parts,
        all=", ".join(parts),
        rest=", ".join(parts[1:]),
        parameter=_parameter(node),
        number_pattern=NUMBER_PATTERN,
        timestamp_pattern=TIMESTAMP_PATTERN,
    )


def _as_double(written: str, node: Node) -> str:
    """Columns take part in arithmetic as 64-bit floats, whatever integer or decimal type their source has."""
    return f"CAST({written} AS DOUBLE)" if isinstance(node, ColumnReference) else written


def _constant(constant: Constant) -> str:
    if isinstance(constant.value, bool):
        return "TRUE" if constant.value else "FALSE"
    if isinstance(constant.value, str):
        return literal(constant.value)
    if constant.value is None:
        return "NULL"
    return _double(constant.value)


def _timestamp(constant: Constant) -> str:
    instant = timestamp_from(str(constant.value))
    return "NULL" if instant is None else f"TIMESTAMP '{instant:%Y-%m-%d %H:%M:%S.%f}'"


def _double(value: float) -> str:
    """A literal that DuckDB reads as DOUBLE; without an exponent it would be INTEGER or DECIMAL."""
    text = repr(float(value))
    return text if "e" in text else text.removesuffix(".0") + "e0"


def _parameter(call: Call) -> str:
    if isinstance(call.parameter, tuple):
        count, unit = call.parameter
        return f"{'-' if count < 0 else '+'} INTERVAL '{abs(count)}' {unit}"
    return literal(call.parameter) if isinstance(call.parameter, str) else str(call.parameter or 0)


def _case(node: Call, qualify: Mapping[str, str]) -> str:
    parts = [_written(argument, qualify) for argument in node.arguments]
    branches = [f"WHEN {when} THEN {then}" for when, then in zip(parts[:-1:2], parts[1::2], strict=True)]
    return f"CASE {' '.join(branches)} ELSE {parts[-1]} END"
