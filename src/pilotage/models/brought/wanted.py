"""What a model has to answer, and what it may be given: the use case, as far as a model from elsewhere needs it."""

from __future__ import annotations

from msgspec import Struct

from pilotage.usecase.records import ColumnKind, Definition, OutcomeKind


class Wanted(Struct, frozen=True):
    """The outcome's kind, its categories where it has some, and the kinds of the columns in the file's order."""

    kind: OutcomeKind
    columns: dict[str, ColumnKind]
    classes: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """How many outputs a row has."""
        return len(self.classes) if self.kind == "category" else 1


def wanted_by(definition: Definition, classes: tuple[str, ...] = ()) -> Wanted:
    """What this use case wants; ``classes`` are the categories that training found, for an outcome of categories."""
    columns = {column.name: column.kind for column in definition.plan.columns}
    return Wanted(definition.use_case.kind, columns, classes)
