"""An expression after reading: constants, columns, and calls of the operations that we know."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from pilotage.usecase.records import ColumnKind


class ExpressionError(ValueError):
    """A text is not one of the scalar expressions that we allow; the message says what stands in the way."""


@dataclasses.dataclass(frozen=True)
class Constant:
    """A literal. ``kind`` is None for NULL, which goes with every kind."""

    value: float | str | bool | None
    kind: ColumnKind | None


@dataclasses.dataclass(frozen=True)
class ColumnReference:
    """A column of the row at hand, by its exact name."""

    name: str


@dataclasses.dataclass(frozen=True)
class Call:
    """An operation, named as in :data:`semantics.OPERATIONS`, on its arguments.

    ``parameter`` is what is fixed in the text and no column can change: a pattern, a number of digits, a span.
    """

    operation: str
    arguments: tuple[Node, ...]
    parameter: str | int | tuple[int, str] | None = None


Node = Constant | ColumnReference | Call


def references(node: Node) -> Iterator[str]:
    """Names of all columns in the expression, as often as they occur."""
    if isinstance(node, ColumnReference):
        yield node.name
    elif isinstance(node, Call):
        for argument in node.arguments:
            yield from references(argument)


def described(node: Node) -> str:
    """A node in a sentence."""
    if isinstance(node, ColumnReference):
        return f"column {node.name}"
    if isinstance(node, Constant):
        return "NULL" if node.value is None else f"'{node.value}'" if node.kind == "category" else _number(node.value)
    return f"the result of {node.operation}"


def _number(value: float | str | bool) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).upper()
