"""What is tested: a model, rows that it has not learnt from, and when two of its answers are the same decision."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pilotage.govern.rules.masking import HIDDEN, masked_text
from pilotage.models.raw import FAILURES
from pilotage.models.records import Slice
from pilotage.models.rules.agreement import DIFFERENCE_MAX
from pilotage.models.suite.known import Known
from pilotage.models.suite.records import Example
from pilotage.usecase.records import Column, Definition, Derived
from pilotage.usecase.rules.expressions import columns_of

if TYPE_CHECKING:
    import pyarrow as pa

Outputs = NDArray[np.float64]
"""Rows × outputs."""
Decisions = NDArray[np.float64]
"""One number per row: equal numbers are the same decision."""

UNLIKE = 0.25
"""A predicted number counts as another when it moves by so many standard deviations of the outcome."""
COLUMNS_MAX = 60
"""So many columns are changed one by one; what more there are is changed with all others."""
_TEXT_MAX = 80
_MESSAGE_MAX = 300


class Model(Protocol):
    """What of a scorer is tested."""

    @property
    def kind(self) -> str: ...

    @property
    def output_names(self) -> tuple[str, ...]: ...

    def outputs(self, table: pa.Table) -> Outputs: ...


class Refused(Exception):
    """The model raised where it should have answered: its error, without what leads to a person."""

    def __init__(self, error: Exception) -> None:
        super().__init__(masked_text(f"{type(error).__name__}: {error}"[:_MESSAGE_MAX]))


@dataclass(frozen=True)
class Subject:
    """A model and what it is asked.

    ``held_out`` has the plan's columns, at most some thousand rows; ``learnt`` the rows that taught, with ``label``.
    ``decide`` turns outputs into decisions, ``single`` is the score of one row as the service asks. ``slices`` is how
    the comparison measured this model against the rule; None where it measured slices of another. ``tolerance`` is what
    one row alone may differ by from the same among many.
    """

    definition: Definition
    model: Model
    held_out: pa.Table
    learnt: pa.Table
    decide: Callable[[Outputs], Decisions]
    single: Callable[[Mapping[str, Any]], float]
    slices: tuple[Slice, ...] | None = None
    tolerance: float = DIFFERENCE_MAX

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that are changed one by one."""
        return self.definition.plan.columns[:COLUMNS_MAX]

    @cached_property
    def answers(self) -> Outputs:
        """To the held-out rows as they are."""
        return self.ask(self.held_out)

    @cached_property
    def decisions(self) -> Decisions:
        return self.decide(self.answers)

    @cached_property
    def personal(self) -> frozenset[str]:
        """Columns that say something of a person: declared so, or made of such."""
        return personal_columns(self.definition)

    @cached_property
    def groups(self) -> frozenset[str]:
        """Columns that are a declared group, by their name in the request or in the source."""
        return self._named(set(self.definition.use_case.groups)) | self.protected

    @cached_property
    def protected(self) -> frozenset[str]:
        """Columns that are a group for which the file sets a limit on how unlike it may be treated."""
        fairness = self.definition.use_case.fairness
        return self._named(set(fairness.by)) if fairness else frozenset()

    def _named(self, declared: set[str]) -> frozenset[str]:
        request = self.definition.plan.request
        named = {name for name, column in request.items() if column.column in declared}
        return frozenset(column.name for column in self.columns if column.name in declared | named)

    def ask(self, table: pa.Table) -> Outputs:
        """The model's outputs for other rows.

        Raises:
            Refused: it raised.
        """
        try:
            return np.asarray(self.model.outputs(table), dtype=np.float64)
        except FAILURES as error:
            raise Refused(error) from error

    def ask_alone(self, values: Mapping[str, Any]) -> float:
        """The score of one row, asked as the service asks.

        Raises:
            Refused: it raised.
        """
        try:
            return float(self.single(values))
        except FAILURES as error:
            raise Refused(error) from error

    def scores(self, outputs: Outputs) -> NDArray[np.float64]:
        """Of each row what a single answer says beside it: the probability of yes or of the category, the number."""
        return outputs.max(axis=1) if self.model.kind == "category" else outputs[:, 0]

    def changed(self, outputs: Outputs) -> NDArray[np.bool_]:
        """Which held-out rows are decided otherwise by these outputs."""
        return unlike(self.model.kind, self.decisions, self.decide(outputs), self.spread)

    @cached_property
    def spread(self) -> float:
        """The standard deviation of a number's outcome in training; 0 where decisions are not numbers."""
        if self.model.kind != "number" or _line(self.definition) is not None:
            return 0.0
        return float(np.nanstd(self.learnt["label"].to_numpy()))

    def example(self, row: int, table: pa.Table, outputs: Outputs) -> Example:
        """Held-out row ``row`` beside what it became in ``table``: what was changed most comes first."""
        before, after = (one.slice(row, 1).to_pylist()[0] for one in (self.held_out, table))
        put = {name: value for name, value in after.items() if value != before.get(name)}
        put = dict(sorted(put.items(), key=lambda one: -self._moved(one[0], before.get(one[0]), one[1])))
        return Example(self.shown(before), self.shown(put), self.told(self.answers[row]), self.told(outputs[row]))

    def _moved(self, column: str, before: Any, after: Any) -> float:
        """By how many standard deviations a number was changed; without end where it is no number."""
        if not all(isinstance(value, (int, float)) for value in (before, after)):
            return math.inf
        return abs(float(after) - float(before)) / max(Known.of(self.learnt, column).deviation, 1e-12)

    def shown(self, values: Mapping[str, Any]) -> dict[str, str]:
        """Values as anybody may see them."""
        return {name: HIDDEN if name in self.personal else _text(value) for name, value in values.items()}

    def told(self, output: Outputs) -> str:
        """One row's outputs in words."""
        if self.model.kind == "category":
            best = int(np.argmax(output))
            return f"{self.model.output_names[best]} ({output[best]:.3f})"
        return f"{output[0]:.4g}"


def unlike(kind: str, before: Decisions, after: Decisions, spread: float) -> NDArray[np.bool_]:
    """Where two decisions differ: a number without a threshold, where it moves by a good part of its spread."""
    moved: NDArray[np.float64] = np.abs(before - after)
    return moved > (UNLIKE * spread if kind == "number" else 0.0)


def deciding(definition: Definition, kind: str, threshold: float) -> Callable[[Outputs], Decisions]:
    """How outputs become decisions: at the threshold, by the likeliest category, or the number itself.

    ``threshold`` is a flag's; a number's stands in the file, if it has one.
    """
    policy, line = definition.use_case.policy, _line(definition)
    if kind == "flag":
        return lambda outputs: (outputs[:, 0] >= threshold).astype(np.float64)
    if kind == "category":
        least = policy.confidence or 0.0

        def likeliest(outputs: Outputs) -> Decisions:
            best = outputs.argmax(axis=1).astype(np.float64)
            return np.where(outputs.max(axis=1) >= least, best, -1.0)

        return likeliest
    if line is not None:
        return lambda outputs: (outputs[:, 0] >= line).astype(np.float64)
    return lambda outputs: outputs[:, 0]


def _line(definition: Definition) -> float | None:
    """From which predicted number on another action is taken."""
    threshold = definition.use_case.policy.threshold
    return float(threshold) if isinstance(threshold, (int, float)) else None


def personal_columns(definition: Definition) -> frozenset[str]:
    """Columns of the plan that say something of a person: declared so in the request, or derived from such."""
    request = definition.plan.request
    found = {name for name, column in request.items() if column.personal}
    for column in definition.plan.columns:
        if isinstance(column, Derived) and columns_of(column.expression) & found:
            found.add(column.name)
    return frozenset(found)


def _text(value: Any) -> str:
    if value is None:
        return "nothing"
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return masked_text(text if len(text) <= _TEXT_MAX else f"{text[: _TEXT_MAX - 1]}…")
