"""What a use case does with the columns of its sources: learns from them, decides by them."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from pilotage.govern.records import Purpose
from pilotage.usecase.records import Definition, Input, Latest, Window
from pilotage.usecase.rules.expansion import expanded, request_columns, source_columns
from pilotage.usecase.rules.expressions import columns_of

_BOTH: tuple[Purpose, ...] = ("training", "inference")


class Use(Struct, frozen=True):
    """A column of a source and what it is used for; ``path`` is the place in the use-case file that says so."""

    source: str
    column: str
    says: str
    path: str
    purposes: tuple[Purpose, ...]


def used_columns(definition: Definition) -> Iterator[Use]:
    """Every column that the app sends, that an input takes, or that the outcome is read from."""
    use_case = definition.use_case
    for name, column in source_columns(use_case).items():
        yield Use(use_case.decision.source, column, f"request column {name}", f"decision.request.{name}", _BOTH)
    request = request_columns(use_case)
    for key, entry in use_case.inputs.items():
        if isinstance(entry, Input) and not entry.derived:
            found = (c for c in expanded(key, entry, request, {}) if isinstance(c, (Latest, Window)) and c.take)
            for source, take in dict.fromkeys((column.source, column.take) for column in found):
                yield Use(source, take, f"taken by input {key}", f"inputs.{key}", _BOTH)
            for column in sorted(columns_of(entry.where) if entry.where else ()):
                yield Use(entry.latest or entry.windows, column, f"read by input {key}", f"inputs.{key}.where", _BOTH)
    outcome, human = use_case.outcome, use_case.human
    for column in sorted(columns_of(outcome.expression)):
        yield Use(outcome.source, column, "read by the outcome", f"outcome.{outcome.key}", ("training",))
    for column in sorted(columns_of(human.decided) if human else ()):
        yield Use(human.source if human else "", column, "read by the human decision", "human.decided", ("training",))
