"""Checks of one expression or name, as every part of the file needs them."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.usecase.records import ColumnKind, UseCase
from pilotage.usecase.rules import expressions
from pilotage.usecase.rules.expressions.kinds import unknown_name
from pilotage.usecase.rules.places import Mistake, Path

A = {"number": "a number", "category": "a text", "datetime": "a timestamp", "flag": "true or false"}
"""Kinds of values in words."""


def known_source(use_case: UseCase, path: Path, name: str) -> Iterator[Mistake]:
    """That there is a source of this name."""
    if name not in use_case.sources:
        yield Mistake(path, unknown_name(name, "source", use_case.sources))


def syntax(path: Path, text: str) -> Iterator[Mistake]:
    """Only that the text is an expression: which columns it may use is known once the source was read."""
    try:
        expressions.parse(text)
    except expressions.ExpressionError as error:
        yield Mistake(path, str(error))


def expression(path: Path, text: str, known: dict[str, ColumnKind], wanted: ColumnKind, noun: str) -> Iterator[Mistake]:
    """That the text is an expression over these columns which gives the kind that is wanted."""
    messages = expressions.check(text, known)
    for message in messages:
        yield Mistake(path, message, f"It may use {noun}." if message.startswith("There is no column") else "")
    if not messages:
        yield from gives(path, expressions.kind_of(text, known), wanted)


def gives(path: Path, found: ColumnKind | None, wanted: ColumnKind) -> Iterator[Mistake]:
    """That what an expression was found to give is what is wanted; None gives nothing that could be wrong."""
    if found not in (wanted, None):
        yield Mistake(path, f"It gives {A[str(found)]}; {A[wanted]} is wanted.", _REPAIRS[wanted])


_REPAIRS: dict[ColumnKind, str] = {
    "flag": "Write a condition: delay_minutes > 30",
    "category": "Cast a number that is a code: CAST(code AS VARCHAR)",
    "number": "Write a number: delay_minutes, or CAST(amount AS DOUBLE) of a text",
    "datetime": "Write a timestamp: departure - INTERVAL '60' MINUTE",
}
