"""What must agree in a contract: with itself, with the use case, with the columns that its source has."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pilotage.data.contracts.patterns import faults
from pilotage.data.contracts.records import ColumnContract, Contract
from pilotage.data.contracts.uses import used_columns
from pilotage.data.records import ColumnType, FoundColumn
from pilotage.usecase.records import Definition
from pilotage.usecase.rules.expressions.kinds import unknown_name
from pilotage.usecase.rules.places import Mistake

_NUMBERS = ("min", "max")
_TEXTS = ("categories", "pattern")
_HELD_AS: Mapping[ColumnType, tuple[ColumnType, ...]] = {
    "number": ("number", "text"),
    "datetime": ("datetime", "text"),
    "flag": ("flag", "number", "text"),
    "text": ("text",),
}
"""How a source may hold what a contract promises: as a text whose values are then checked one by one."""


def own_mistakes(contract: Contract) -> Iterator[Mistake]:
    """What does not fit together in the contract alone."""
    wrong = faults(column.pattern for column in contract.columns.values())
    if not contract.owner.strip():
        yield Mistake(("owner",), "Nobody is named.", "Write who answers for this source.")
    if not contract.columns:
        yield Mistake(("columns",), "No column is promised.", "Write at least one, or remove the file.")
    for name, column in contract.columns.items():
        yield from _of_column(name, column, wrong)


def _of_column(name: str, column: ColumnContract, wrong: Mapping[str, str]) -> Iterator[Mistake]:
    path = ("columns", name)
    for key in _NUMBERS:
        if getattr(column, key) is not None and column.type != "number":
            yield Mistake((*path, key), f"{key} is for numbers; {name} is a {column.type}.", f"Remove {key}.")
    for key in _TEXTS:
        if getattr(column, key) and column.type != "text":
            yield Mistake((*path, key), f"{key} is for texts; {name} is a {column.type}.", f"Remove {key}.")
    for key in _NUMBERS:
        if not math.isfinite(getattr(column, key) or 0.0):
            yield Mistake((*path, key), f"{key} is beyond all numbers.", f"Remove {key}: without it there is no limit.")
    if column.min is not None and column.max is not None and column.min > column.max:
        yield Mistake((*path, "min"), f"min is {column.min:g} and max is {column.max:g}.", "Exchange them.")
    if column.pattern in wrong:
        repair = "Write a regular expression as RE2 knows it: without look-ahead and back references."
        yield Mistake((*path, "pattern"), f"This is no regular expression: {wrong[column.pattern]}.", repair)
    for key in ("categories", "purposes"):
        values: Sequence[str] = getattr(column, key)
        twice = [value for value in dict.fromkeys(values) if values.count(value) > 1]
        if twice:
            yield Mistake((*path, key), f"{twice[0]} stands there twice.", "Keep one.")


def against_use_case(contract: Contract, definition: Definition) -> Iterator[Mistake]:
    """That the contract is one of the use case's sources, and allows what the use case does with its columns."""
    sources = definition.use_case.sources
    if contract.contract not in sources:
        yield Mistake(("contract",), unknown_name(contract.contract, "source", sources), "Name a source of the file.")
        return
    yield from against_use(contract, definition)


def against_use(contract: Contract, definition: Definition) -> Iterator[Mistake]:
    """That a column is used only for what its contract allows."""
    for use in used_columns(definition):
        column = contract.columns.get(use.column) if use.source == contract.contract else None
        missing = [purpose for purpose in use.purposes if column and purpose not in column.purposes]
        if missing:
            message = f"{use.column} is {use.says}, and may not be used for {' or '.join(missing)}."
            repair = f"Have its owner allow that, or take it out of {definition.name} ({use.path})."
            yield Mistake(("columns", use.column, "purposes"), message, repair)


def against_source(contract: Contract, found: Iterable[FoundColumn]) -> Iterator[Mistake]:
    """That the source has what is promised, in a form of which it can be checked."""
    types = {column.name: column.type for column in found}
    for name, column in contract.columns.items():
        path = ("columns", name)
        if name not in types:
            yield Mistake(path, f"In source {contract.contract}: {unknown_name(name, 'column', types)}")
        elif types[name] not in _HELD_AS[column.type]:
            message = f"{contract.contract}.{name} is a {types[name]}; its contract says {column.type}."
            yield Mistake((*path, "type"), message, f"Write type: {types[name]}, or have the source corrected.")


def warnings(contract: Contract, found: Iterable[FoundColumn] = ()) -> Iterator[tuple[str, Mistake]]:
    """What is allowed and mostly wrong nevertheless, each with its identifier."""
    types = {column.name: column.type for column in found}
    for name, column in contract.columns.items():
        path = ("columns", name)
        if column.sensitivity in ("personal", "special") and column.mask == "none":
            message = f"{name} is {column.sensitivity} and shown as it is."
            yield "unmasked-personal-data", Mistake((*path, "sensitivity"), message, "Write mask: partial or hide.")
        if column.mask != "none" and column.sensitivity == "public":
            repair = "Write another sensitivity, or no mask."
            yield "masked-public-data", Mistake((*path, "mask"), f"{name} is public and masked.", repair)
        if types.get(name, column.type) != column.type and types[name] in _HELD_AS[column.type]:
            message = f"The source holds {name} as {types[name]}; each of its values is checked to be a {column.type}."
            yield "held-otherwise", Mistake((*path, "type"), message, "Have the source give it the right type.")
