"""Infers the kind of an expression, and says every unknown column and every pair of kinds that do not go together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from pilotage.usecase.records import ColumnKind
from pilotage.usecase.rules.expressions.parsing import parse
from pilotage.usecase.rules.expressions.semantics import OPERATIONS, Takes
from pilotage.usecase.rules.expressions.tree import (
    Call,
    ColumnReference,
    Constant,
    ExpressionError,
    Node,
    described,
    references,
)
from pilotage.usecase.rules.expressions.values import timestamp_from

_A = {"number": "a number", "category": "a text", "datetime": "a timestamp", "flag": "true or false"}


def check(text: str, known: Mapping[str, ColumnKind]) -> list[str]:
    """Everything that is wrong with the expression over these columns, as sentences; empty when nothing is."""
    try:
        tree = parse(text)
    except ExpressionError as error:
        return [str(error)]
    return mistakes_in(tree, known)


def mistakes_in(tree: Node, known: Mapping[str, ColumnKind]) -> list[str]:
    """As :func:`check`, of an expression that was read."""
    unknown = [name for name in dict.fromkeys(references(tree)) if name not in known]
    if unknown:
        return [unknown_name(name, "column", known) for name in unknown]
    mistakes: list[str] = []
    _kind(tree, known, mistakes)
    return list(dict.fromkeys(mistakes))


def kind_of(text: str, known: Mapping[str, ColumnKind]) -> ColumnKind | None:
    """The kind of the expression's value; None when it is always null.

    Raises:
        ExpressionError: the text is not an allowed expression.
    """
    return kind_of_node(parse(text), known)


def kind_of_node(node: Node, known: Mapping[str, ColumnKind]) -> ColumnKind | None:
    """As :func:`kind_of`, of a part of an expression."""
    return _kind(node, known, [])


def unknown_name(name: str, noun: str, known: Mapping[str, object] | Sequence[str]) -> str:
    """That a name is not known, and the nearest one that is."""
    names = list(known)
    near = get_close_matches(name, names, 1, cutoff=0.5)
    if near:
        return f"There is no {noun} {name}. Did you mean {near[0]}?"
    listed = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return f"There is no {noun} {name}. " + (f"Known: {listed}." if names else "None is known here.")


def _kind(node: Node, known: Mapping[str, ColumnKind], mistakes: list[str]) -> ColumnKind | None:
    if isinstance(node, Constant):
        return node.kind
    if isinstance(node, ColumnReference):
        found = known.get(node.name)
        return "category" if found == "text" else found  # free text is a text as any other, to an expression
    kinds = [_kind(argument, known, mistakes) for argument in node.arguments]
    if node.operation in {"AND", "OR"}:
        _each(node, node.arguments, kinds, ("flag",), mistakes)
        return "flag"
    if node.operation == "CASE":
        _each(node, node.arguments[:-1:2], kinds[:-1:2], ("flag",), mistakes)
        values = (*node.arguments[1::2], node.arguments[-1])
        return _each(node, values, [*kinds[1::2], kinds[-1]], ("same",), mistakes)
    operation = OPERATIONS[node.operation]
    if node.operation == "CAST TO TIMESTAMP":
        _readable_timestamp(node.arguments[0], mistakes)
    common = _each(node, node.arguments, kinds, operation.takes, mistakes)
    return common if operation.gives == "same" else operation.gives


def _each(
    call: Call,
    arguments: Sequence[Node],
    kinds: Sequence[ColumnKind | None],
    takes: tuple[Takes, ...],
    mistakes: list[str],
) -> ColumnKind | None:
    """Check each argument; the kind common to those that must be alike."""
    common: ColumnKind | None = None
    first: Node | None = None
    for number, (argument, kind) in enumerate(zip(arguments, kinds, strict=True)):
        wanted = takes[min(number, len(takes) - 1)]
        if kind is None or wanted == "any":
            continue
        if wanted in ("same", "ordered"):
            if wanted == "ordered" and kind == "flag":
                mistakes.append(f"{call.operation} has no order for true and false ({described(argument)}).")
            elif common is None:
                common, first = kind, argument
            elif common != kind and first is not None:
                mistakes.append(_unlike(call, first, common, argument, kind))
        elif wanted == "text or number":
            if kind not in ("category", "number"):
                mistakes.append(f"{call.operation} takes a text or a number, and {described(argument)} is {_A[kind]}.")
        elif kind != wanted:
            mistakes.append(_unfit(call, argument, kind, wanted))
    return common


def _unfit(call: Call, argument: Node, kind: ColumnKind, wanted: Takes) -> str:
    message = f"{call.operation} takes {_A.get(wanted, wanted)}, and {described(argument)} is {_A[kind]}."
    if call.operation in {"+", "-"} and kind == "datetime":
        return message + " A timestamp is moved with INTERVAL '60' MINUTE."
    return message


def _unlike(call: Call, first: Node, common: ColumnKind, argument: Node, kind: ColumnKind) -> str:
    message = (
        f"{call.operation} needs two of a kind: {described(first)} is {_A[common]}, "
        f"{described(argument)} is {_A[kind]}."
    )
    if {common, kind} == {"datetime", "category"}:
        return message + " A timestamp is written TIMESTAMP '2013-12-01 05:00'."
    return message


def _readable_timestamp(argument: Node, mistakes: list[str]) -> None:
    if isinstance(argument, Constant) and isinstance(argument.value, str) and timestamp_from(argument.value) is None:
        mistakes.append(f"'{argument.value}' is not a timestamp such as '2013-12-01 05:00:00'.")
