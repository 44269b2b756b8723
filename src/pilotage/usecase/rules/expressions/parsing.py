"""Reads the text of an expression: sqlglot makes a tree of it, and only what is on our list becomes ours.

The list is one of what is allowed. What sqlglot knows and we do not list, today or in a later release, is refused.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import sqlglot
from sqlglot import exp

from pilotage.usecase.rules.expressions.tree import Call, ColumnReference, Constant, ExpressionError, Node, references

ALLOWED = (
    "Allowed: columns, numbers, 'texts', TRUE, FALSE, NULL, + - * / %, comparisons, AND, OR, NOT, IS NULL, IN, "
    "BETWEEN, LIKE, CASE, CAST, COALESCE, NULLIF, ABS, ROUND, FLOOR, CEIL, LEAST, GREATEST, LOWER, UPPER, LENGTH, "
    "TRIM, CONCAT, ||, EXTRACT(HOUR FROM …), and a timestamp + or - INTERVAL '60' MINUTE."
)
_CHARACTERS_MAX = 2000
_DEPTH_MAX = 50
_PREFIX = "SELECT "
_BINARY: dict[type[exp.Expr], str] = {
    exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%", exp.DPipe: "||",
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=", exp.Nullif: "NULLIF",
}  # fmt: skip
_UNARY: dict[type[exp.Expr], str] = {
    exp.Not: "NOT", exp.Neg: "minus", exp.Abs: "ABS", exp.Floor: "FLOOR", exp.Ceil: "CEIL", exp.Lower: "LOWER",
    exp.Upper: "UPPER", exp.Length: "LENGTH", exp.Trim: "TRIM",
}  # fmt: skip
_MANY: dict[type[exp.Expr], str] = {
    exp.Coalesce: "COALESCE", exp.Least: "LEAST", exp.Greatest: "GREATEST", exp.Concat: "CONCAT",
}  # fmt: skip
_PARTS = ("YEAR", "MONTH", "DAY", "DOW", "HOUR", "MINUTE")
_UNITS = {"SECOND": "SECOND", "MINUTE": "MINUTE", "HOUR": "HOUR", "DAY": "DAY"}
_HARMLESS = {"safe", "typed", "coalesce", "ignore_nulls", "is_string", "quoted", "_type"}  # notes that sqlglot makes


@lru_cache(maxsize=1024)
def parse(text: str) -> Node:
    """The expression as a tree of allowed nodes.

    Raises:
        ExpressionError: the text is none; the message says why and what is allowed.
    """
    if len(text) > _CHARACTERS_MAX:
        raise ExpressionError(f"The expression has {len(text)} characters; {_CHARACTERS_MAX} are the most.")
    if not text.strip() or "\0" in text:
        raise ExpressionError("The expression is empty." if not text.strip() else "The expression holds a NUL.")
    return _converted(_only_value(text), 0)


def columns_of(text: str) -> frozenset[str]:
    """Names of the columns that the expression reads.

    Raises:
        ExpressionError: the text is not an allowed expression.
    """
    return frozenset(references(parse(text)))


def _only_value(text: str) -> exp.Expr:
    """The one value in the text. It is read behind a SELECT, so that no word in it can begin a statement."""
    try:
        statements = sqlglot.parse(_PREFIX + text, dialect="duckdb")
    except sqlglot.errors.ParseError as error:
        raise ExpressionError(_not_readable(error)) from None
    except sqlglot.errors.TokenError:
        raise ExpressionError("Cannot be read: a quote or parenthesis is not closed.") from None
    except RecursionError:
        raise ExpressionError("The expression is nested too deeply.") from None
    if len(statements) != 1:
        raise ExpressionError("A ; would end the expression and begin a second statement. Write one expression.")
    select = statements[0]
    if not isinstance(select, exp.Select):
        raise ExpressionError(f"This is a query. One value per row is wanted. {ALLOWED}")
    clauses = [name for name, value in select.args.items() if value and name != "expressions"]
    if clauses:
        raise ExpressionError(f"{clauses[0].strip('_').upper()} belongs to a query, not to an expression. {ALLOWED}")
    if len(select.expressions) != 1:
        raise ExpressionError("One expression is wanted, not a list.")
    only: exp.Expr = select.expressions[0]
    return only


def _not_readable(error: sqlglot.errors.ParseError) -> str:
    details = error.errors[0] if error.errors else {}
    near = details.get("highlight")
    return f"Cannot be read as an expression{f', near {near!r}' if near else ''}. {ALLOWED}"


def _converted(node: exp.Expr, depth: int) -> Node:
    if depth > _DEPTH_MAX:
        raise ExpressionError("The expression is nested too deeply. A derived input can hold a part of it.")
    kind = type(node)
    if kind in _BINARY:
        return _binary(node, depth)
    if kind in _UNARY:
        _only_arguments(node, "this")
        return Call(_UNARY[kind], (_argument(node, "this", depth),))
    if kind in _MANY:
        _only_arguments(node, "this", "expressions")
        first = [node.this] if node.this else []
        return Call(_MANY[kind], tuple(_converted(part, depth + 1) for part in [*first, *node.expressions]))
    handler = _HANDLERS.get(kind)
    if handler is None:
        raise ExpressionError(_refusal(node))
    return handler(node, depth)


def _argument(node: exp.Expr, name: str, depth: int) -> Node:
    part = node.args.get(name)
    if not isinstance(part, exp.Expr):
        raise ExpressionError(f"{_word(node)} is missing an argument.")
    return _converted(part, depth + 1)


def _only_arguments(node: exp.Expr, *allowed: str) -> None:
    """Refuse what the node holds beside these: an option that we would silently drop would change the meaning."""
    for name, value in node.args.items():
        if name not in allowed and name not in _HARMLESS and value:
            raise ExpressionError(f"{_word(node)} is used with an option that is not supported. {ALLOWED}")


def _binary(node: exp.Expr, depth: int) -> Node:
    _only_arguments(node, "this", "expression")
    if isinstance(node.expression, exp.Interval) and isinstance(node, (exp.Add, exp.Sub)):
        count, unit = _span(node.expression)
        sign = -1 if isinstance(node, exp.Sub) else 1
        return Call("shift", (_argument(node, "this", depth),), (sign * count, unit))
    if isinstance(node.this, exp.Interval) and isinstance(node, exp.Add):
        return Call("shift", (_argument(node, "expression", depth),), _span(node.this))
    return Call(_BINARY[type(node)], (_argument(node, "this", depth), _argument(node, "expression", depth)))


def _span(interval: exp.Interval) -> tuple[int, str]:
    count = interval.this.name if isinstance(interval.this, exp.Literal) else ""
    unit = _UNITS.get(interval.text("unit").upper().removesuffix("S"))
    if unit is None or not count.isascii() or not count.isdigit() or len(count) > 7:
        raise ExpressionError("An interval is written INTERVAL '60' MINUTE; units are SECOND, MINUTE, HOUR, DAY.")
    return int(count), unit


def _logical(node: exp.Expr, depth: int) -> Node:
    """AND and OR of many are one call, so that a long list of alternatives is not a deep one."""
    parts = node.flatten() if isinstance(node, (exp.And, exp.Or)) else ()
    name = "AND" if isinstance(node, exp.And) else "OR"
    return Call(name, tuple(_converted(part, depth + 1) for part in parts))


def _column(node: exp.Expr, depth: int) -> Node:
    if [name for name, value in node.args.items() if value and name != "this"]:
        raise ExpressionError(f"{node.sql()} is a qualified name. Write the column's name alone.")
    if not isinstance(node.this, exp.Identifier):
        raise ExpressionError(_refusal(node.this))
    return ColumnReference(node.name)


def _literal(node: exp.Expr, depth: int) -> Node:
    if node.is_string:
        return Constant(node.name, "category")
    try:
        value = float(node.name)
    except ValueError:
        raise ExpressionError(f"{node.name} is not a number.") from None
    if not math.isfinite(value):
        raise ExpressionError(f"{node.name} is too large a number.")
    return Constant(value, "number")


def _is(node: exp.Expr, depth: int) -> Node:
    _only_arguments(node, "this", "expression")
    if not isinstance(node.expression, exp.Null):
        raise ExpressionError("IS goes with NULL or NOT NULL only. A flag is a condition by itself: late, or NOT late.")
    return Call("IS NULL", (_argument(node, "this", depth),))


def _in(node: exp.Expr, depth: int) -> Node:
    if node.args.get("query"):
        raise ExpressionError(f"IN holds a subquery. Write the values: carrier IN ('AA', 'DL'). {ALLOWED}")
    _only_arguments(node, "this", "expressions", "negate")
    if not node.expressions:
        raise ExpressionError("IN needs a list of values: carrier IN ('AA', 'DL').")
    values = tuple(_converted(part, depth + 1) for part in node.expressions)
    return _negated(node, Call("IN", (_argument(node, "this", depth), *values)))


def _between(node: exp.Expr, depth: int) -> Node:
    _only_arguments(node, "this", "low", "high", "negate")
    value = _argument(node, "this", depth)
    low = Call(">=", (value, _argument(node, "low", depth)))
    return _negated(node, Call("AND", (low, Call("<=", (value, _argument(node, "high", depth))))))


def _like(node: exp.Expr, depth: int) -> Node:
    """LIKE has no escape character of its own. The tree's pattern has: a backslash."""
    _only_arguments(node, "this", "expression", "negate")
    pattern = _pattern(node).replace("\\", "\\\\")
    return _negated(node, Call("LIKE", (_argument(node, "this", depth),), pattern))


def _pattern(like: exp.Expr) -> str:
    if not isinstance(like.expression, exp.Literal) or not like.expression.is_string:
        raise ExpressionError("LIKE needs a pattern in quotes: tail_number LIKE 'N%'.")
    return like.expression.name


def _escaped_like(node: exp.Expr, depth: int) -> Node:
    _only_arguments(node, "this", "expression")
    like, escape = node.this, node.expression
    if not isinstance(like, exp.Like) or not isinstance(escape, exp.Literal) or len(escape.name) != 1:
        raise ExpressionError("ESCAPE belongs to LIKE and takes one character: code LIKE '10!%' ESCAPE '!'.")
    _only_arguments(like, "this", "expression", "negate")
    letters, pattern = iter(_pattern(like)), ""
    for letter in letters:
        if letter == escape.name:
            letter = next(letters, "")
            if letter not in ("%", "_", escape.name):
                raise ExpressionError(f"After {escape.name} in a LIKE pattern comes %, _ or {escape.name} itself.")
            pattern += f"\\{letter}" if letter in "%_\\" else letter
        else:
            pattern += "\\\\" if letter == "\\" else letter
    return _negated(like, Call("LIKE", (_argument(like, "this", depth),), pattern))


def _negated(node: exp.Expr, call: Call) -> Call:
    return Call("NOT", (call,)) if node.args.get("negate") else call


def _case(node: exp.Expr, depth: int) -> Node:
    _only_arguments(node, "this", "ifs", "default")
    subject = _argument(node, "this", depth) if node.this else None
    parts: list[Node] = []
    for branch in node.args["ifs"]:
        when = _argument(branch, "this", depth + 1)
        parts.append(when if subject is None else Call("=", (subject, when)))
        parts.append(_argument(branch, "true", depth + 1))
    parts.append(_argument(node, "default", depth) if node.args.get("default") else Constant(None, None))
    return Call("CASE", tuple(parts))


def _round(node: exp.Expr, depth: int) -> Node:
    _only_arguments(node, "this", "decimals")
    decimals = node.args.get("decimals")
    sign = -1 if isinstance(decimals, exp.Neg) else 1
    digits = decimals.this if isinstance(decimals, exp.Neg) else decimals
    text = digits.name if isinstance(digits, exp.Literal) and not digits.is_string else "0" if digits is None else ""
    if not text.isdigit() or len(text) > 2:
        raise ExpressionError("ROUND takes a fixed number of digits: ROUND(delay, 1).")
    return Call("ROUND", (_argument(node, "this", depth),), sign * int(text))


def _extract(node: exp.Expr, depth: int) -> Node:
    part = node.this.name.upper()
    if part not in _PARTS:
        raise ExpressionError(f"EXTRACT knows {', '.join(_PARTS)}; {part} is not among them.")
    return Call(f"EXTRACT {part}", (_argument(node, "expression", depth),))


def _cast(node: exp.Expr, depth: int) -> Node:
    _only_arguments(node, "this", "to")
    written = node.args["to"].this.name if isinstance(node.args["to"], exp.DataType) else ""
    value = _argument(node, "this", depth)
    if written == "DOUBLE":
        return Call("CAST TO NUMBER", (value,))
    target = {"TEXT": "TEXT", "VARCHAR": "TEXT", "BOOLEAN": "BOOLEAN"}.get(written)
    target = "TIMESTAMP" if written.startswith("TIMESTAMP") and written != "TIMESTAMPTZ" else target
    if target is None:
        raise ExpressionError(
            "CAST goes to DOUBLE, VARCHAR, BOOLEAN or TIMESTAMP; whole numbers come from ROUND or FLOOR."
        )
    return Call(f"CAST TO {target}", (value,))


def _paren(node: exp.Expr, depth: int) -> Node:
    return _argument(node, "this", depth)


_HANDLERS: dict[type[exp.Expr], Callable[[exp.Expr, int], Node]] = {
    exp.Paren: _paren,
    exp.And: _logical,
    exp.Or: _logical,
    exp.Column: _column,
    exp.Literal: _literal,
    exp.Boolean: lambda node, depth: Constant(bool(node.this), "flag"),
    exp.Null: lambda node, depth: Constant(None, None),
    exp.Is: _is,
    exp.In: _in,
    exp.Between: _between,
    exp.Like: _like,
    exp.Escape: _escaped_like,
    exp.Case: _case,
    exp.Round: _round,
    exp.Extract: _extract,
    exp.Cast: _cast,
    exp.TryCast: _cast,
}


def _word(node: exp.Expr) -> str:
    return node.sql_name() if isinstance(node, exp.Func) else type(node).__name__.upper()


def _refusal(node: exp.Expr) -> str:
    """Why this node is not allowed, in words for somebody who does not know the tree."""
    if isinstance(node, (exp.Subquery, exp.Query, exp.Exists)):
        what = "A subquery"
    elif isinstance(node, exp.Window):
        what = "A window function (OVER)"
    elif isinstance(node, exp.Star):
        what = "*"
    elif isinstance(node, (exp.Placeholder, exp.Parameter)):
        what = "A parameter"
    elif isinstance(node, exp.Alias):
        what = f"A second word after the expression ({node.alias})"
    elif isinstance(node, exp.Anonymous):
        what = f"The function {node.name}"
    elif isinstance(node, exp.AggFunc):
        what = f"The aggregate function {_word(node)}"
    elif isinstance(node, exp.Func):
        what = f"The function {_word(node)}"
    else:
        what = f"{node.sql()!r}"
    return f"{what} is not allowed here. {ALLOWED}"
