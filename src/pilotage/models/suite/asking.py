"""What the user's tests ask: a model and today's rule, about rows of their choice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from pilotage.models.suite.subject import Decisions, Outputs, Subject
from pilotage.usecase.records import Definition
from pilotage.usecase.rules.expressions import compile_row

if TYPE_CHECKING:
    import pyarrow as pa

Row = Mapping[str, Any]
Answer = str | float | None
"""``positive`` or ``negative``, a category (None: not sure enough), or a number."""


class TestedModel:
    """The model under test. Rows are dicts by column; columns that are left out are missing."""

    __test__ = False  # it is no test of pytest's

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.kind = subject.model.kind
        self.output_names = subject.model.output_names

    def outputs(self, rows: Sequence[Row]) -> Outputs:
        """Rows × outputs: a flag's probability, a number's value, a category's probabilities.

        Raises:
            Refused: the model raised.
        """
        return self.subject.ask(self._table(rows))

    def answers(self, rows: Sequence[Row]) -> list[Answer]:
        """What is decided of each row."""
        outputs = self.outputs(rows)
        return [self._answer(*pair) for pair in zip(self.subject.decide(outputs), outputs, strict=True)]

    def decisions(self, outputs: Outputs) -> Decisions:
        """One number per row: equal ones are the same decision."""
        return self.subject.decide(outputs)

    def told(self, row: Row) -> str:
        """A row as anybody may see it."""
        shown = self.subject.shown({name: row.get(name) for name in self._names})
        return ", ".join(f"{name} = {value}" for name, value in shown.items())

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return self.subject.definition.plan.names

    def _table(self, rows: Sequence[Row]) -> pa.Table:
        import pyarrow as pa

        kinds = {name: self.subject.held_out[name].type for name in self._names}
        columns = {}
        for name in self._names:
            values = [row.get(name) for row in rows]
            wide = pa.types.is_integer(kinds[name]) and any(isinstance(value, float) for value in values)
            columns[name] = pa.array(values, pa.float64() if wide else kinds[name])
        return pa.table(columns)

    def _answer(self, decided: float, outputs: Outputs) -> Answer:
        if self.kind == "flag":
            return "positive" if decided else "negative"
        if self.kind == "category":
            return None if decided < 0 else self.output_names[int(decided)]
        return float(outputs[0])


class TestedRule:
    """Today's rule, asked as the model is."""

    __test__ = False

    def __init__(self, definition: Definition) -> None:
        self._says = compile_row(definition.use_case.rule.expression)

    def answers(self, rows: Iterable[Row]) -> list[Answer]:
        """What the rule says of each row; None where it cannot say."""
        return [_said(self._says(row)) for row in rows]


def _said(value: Any) -> Answer:
    if value is None or isinstance(value, str):
        return value
    return ("positive" if value else "negative") if isinstance(value, bool) else float(value)


def label_of(value: Any) -> Answer:
    """An outcome as an answer."""
    return _said(value.item() if isinstance(value, np.generic) else value)
