"""An artefact brought to life: calibrated answers for one row and for many, and the reasons behind them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from pilotage.govern.rules.masking import HIDDEN
from pilotage.models import countering, explaining
from pilotage.models.brought import Foreign, margins, taking
from pilotage.models.countering import CounterExample
from pilotage.models.families import family
from pilotage.models.inputs import Encoder
from pilotage.models.raw import Encoded, RawScorer
from pilotage.models.records import Manifest, Prediction, Signal
from pilotage.models.rules.agreement import DIFFERENCE_MAX, DIFFERENCE_OF_GRAPHS_MAX
from pilotage.models.rules.calibrating import Calibration
from pilotage.models.rules.reference import Reference
from pilotage.platform.errors import CorruptArtefact
from pilotage.usecase.records import Definition, OutcomeKind, Plan, decode_plan

if TYPE_CHECKING:
    import pyarrow as pa

SHARES_TOLD = 5
OWN, BROUGHT = "own", "brought"
"""Families of models that were not learnt here."""


class Scorer:
    """Scores rows of a plan's columns. Safe for many threads at once.

    What is missing, None, NaN or infinite counts as missing; a level that training did not see counts as a rare one.
    """

    def __init__(self, manifest: Manifest, files: Mapping[str, bytes], private_hosts: Iterable[str] = ()) -> None:
        self.manifest = manifest
        self.kind: OutcomeKind = manifest.kind
        self.plan: Plan = decode_plan(files["plan.json"])
        self.calibration: Calibration = msgspec.json.decode(files["calibration.json"], type=Calibration)
        self.reference = msgspec.json.decode(files["reference.json"], type=Reference)
        self.raw = opened(manifest, files, private_hosts)
        # A text that says something of a person is scored, and shown to nobody.
        request = self.plan.request.items()
        self._personal = frozenset(name for name, one in request if one.personal and one.kind == "text")
        self._outputs: Callable[[list[float]], list[float]] = self.calibration.row()

    @property
    def output_names(self) -> tuple[str, ...]:
        """What :meth:`outputs` has a column of: the probability, each class's, or the value."""
        return {"flag": ("probability",), "number": ("value",)}.get(self.kind, self.manifest.classes)

    def fits(self, definition: Definition) -> bool:
        """Whether it answers the questions of this file: it has the columns that it learnt, and the kind of outcome."""
        return (self.plan.fingerprint, self.kind) == definition.shape

    @property
    def is_bounded(self) -> bool:
        """Whether a row takes about the same time whatever it says: a model learnt here, over no texts."""
        return isinstance(self.raw, Encoded) and not any(column.kind == "text" for column in self.plan.columns)

    @property
    def tolerance(self) -> float:
        """What one row alone may differ by from the same among many: nothing to speak of, but for graphs of ONNX."""
        return DIFFERENCE_OF_GRAPHS_MAX if self.manifest.family in (OWN, BROUGHT) else DIFFERENCE_MAX

    def outputs(self, table: pa.Table) -> NDArray[np.float64]:
        """Rows × outputs of many rows, calibrated; columns that the plan does not name are ignored."""
        return self.calibrated(table)[:, : len(self.output_names)]

    def calibrated(self, table: pa.Table) -> NDArray[np.float64]:
        """The same, with the low and the high end of a number's interval behind it."""
        return self.calibration.outputs(self.raw.table(table))

    def row(self, values: Mapping[str, Any]) -> list[float]:
        """The same of one row."""
        return self._outputs(self.raw.row(values))

    def predict(self, values: Mapping[str, Any]) -> Prediction:
        """What the model says of one row.

        Raises:
            ValueError: a number is a text that is none, or a datetime cannot be read.
        """
        outputs = self.row(values)
        if self.kind == "flag":
            return self._flag(outputs[0])
        return self._category(outputs) if self.kind == "category" else self._number(outputs)

    def predictions(self, rows: Sequence[Mapping[str, Any]]) -> list[Prediction]:
        """The same of many rows at once, where the model was learnt here; what is decided of each is the same.

        Many rows at once and one alone may differ in their last digits. Where that could matter, as the row lies so
        near to another answer, it is asked alone.

        Raises:
            ValueError: as of one row; which one it was is not said.
        """
        if not isinstance(self.raw, Encoded) or self.kind == "number":
            return [self.predict(values) for values in rows]
        outputs = self.calibration.outputs(self.raw.rows(rows))[:, : len(self.output_names)]
        near = self._near_another(outputs)
        say = self._category if self.kind == "category" else lambda output: self._flag(output[0])
        return [
            self.predict(values) if near[at] else say(output)
            for at, (values, output) in enumerate(zip(rows, outputs.tolist(), strict=True))
        ]

    def _near_another(self, outputs: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which rows lie within the tolerance of being answered or reviewed otherwise."""
        manifest = self.manifest
        if self.kind == "category":
            best = np.sort(outputs, axis=1)
            sure, margin = best[:, -1], best[:, -1] - best[:, -2]
            edges = [] if manifest.confidence is None else [sure - manifest.confidence]
            distances = np.column_stack([margin, *edges])
        else:
            edges_of_flag = (manifest.threshold or 0.0, manifest.uncertain_low, manifest.uncertain_high)
            distances = np.column_stack([outputs[:, 0] - edge for edge in edges_of_flag])
        near: NDArray[np.bool_] = np.abs(distances).min(axis=1) <= self.tolerance
        return near

    def _flag(self, probability: float) -> Prediction:
        manifest = self.manifest
        unsure = manifest.uncertain_low <= probability <= manifest.uncertain_high
        return Prediction(probability >= (manifest.threshold or 0.0), probability, unsure)

    def _category(self, outputs: list[float]) -> Prediction:
        classes, least = self.manifest.classes, self.manifest.confidence
        order = sorted(range(len(outputs)), key=lambda at: (-outputs[at], at))
        sure = outputs[order[0]]
        shares = {classes[at]: outputs[at] for at in order[:SHARES_TOLD]}
        return Prediction(classes[order[0]], sure, least is not None and sure < least, shares=shares)

    def _number(self, outputs: list[float]) -> Prediction:
        value, low, high = outputs
        most = self.manifest.width
        return Prediction(value, value, most is not None and high - low > most, low, high)

    def score(self, values: Mapping[str, Any]) -> float:
        """The calibrated probability of one row of yes or no, in [0, 1]; of other kinds what the answer is scored by.

        Raises:
            ValueError: a number is a text that is none, or a datetime cannot be read.
        """
        outputs = self.row(values)
        return max(outputs) if self.kind == "category" else outputs[0]

    def score_table(self, table: pa.Table) -> NDArray[np.float64]:
        """The same of many rows."""
        outputs = self.calibrated(table)
        found: NDArray[np.float64] = outputs.max(axis=1) if self.kind == "category" else outputs[:, 0]
        return found

    def contributions(self, values: Mapping[str, Any]) -> dict[str, float]:
        """What each column adds to the margin of the answer, against an average row; empty where it cannot be told."""
        if not isinstance(self.raw, Encoded):
            return {}
        row = self.raw.encoder.row(values)
        return self.raw.contributions(row, self._answered(self.raw.model.row(row)))

    def signals(self, values: Mapping[str, Any], top: int = 5) -> tuple[Signal, ...]:
        """The strongest reasons in words, strongest first. Trees take about 0.3 ms: ask only when somebody will see.

        Their points are in the terms of the calibrated answer: of each column the same part of the way from the usual
        answer to this one as of the way before calibration.
        """
        raw = self.raw
        if not isinstance(raw, Encoded):
            return ()
        row = raw.encoder.row(values)
        margins = raw.model.row(row)
        at = self._answered(margins)
        weights = raw.contributions(row, at)
        way = raw.standing(margins, at) - raw.base(at)
        moved = self._outputs(margins)[at] - self._usual[at]
        about = explaining.About(
            self.manifest.classes[at] if self.manifest.classes else "",
            moved / way if abs(way) > explaining.WEIGHT_MIN else 0.0,
            {name: told for name, told in raw.words(row, at).items() if name not in self._personal},
        )
        hidden = {name: HIDDEN for name in self._personal if values.get(name) is not None}
        return self._reasons.strongest(weights, {**values, **hidden} if hidden else values, about, top)

    @functools.cached_property
    def _reasons(self) -> explaining.Reasons:
        return explaining.Reasons(self.plan.columns, self.reference, self.kind)

    @functools.cached_property
    def _usual(self) -> list[float]:
        """The outputs of an average row, calibrated."""
        return self._outputs(self.raw.model.base.tolist()) if isinstance(self.raw, Encoded) else []

    def counter_examples(self, values: Mapping[str, Any], top: int = 3) -> tuple[CounterExample, ...]:
        """What one column would have to be for another answer, all else equal; a few dozen scores."""
        weights = self.contributions(values)
        return countering.counter_examples(self.plan.columns, values, self.predict, weights, self.reference, top)

    def _answered(self, margins: list[float]) -> int:
        """The output that the answer is about."""
        return int(np.argmax(margins)) if self.kind == "category" else 0

    def unknown_categories(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        """Columns with a level that training never saw."""
        return self.raw.encoder.unknown_categories(values) if isinstance(self.raw, Encoded) else ()


def opened(manifest: Manifest, files: Mapping[str, bytes], private_hosts: Iterable[str] = ()) -> RawScorer:
    """What answers behind an artefact; ``private_hosts`` are addresses of this network that an endpoint may have.

    Raises:
        CorruptArtefact: it is of a family that this release does not know.
    """
    if manifest.family in (OWN, BROUGHT):
        return _foreign(manifest, files, private_hosts)
    learnt = family(manifest.family)
    if learnt is None:
        raise CorruptArtefact(
            f"The artefact is of the family {manifest.family}, which this release does not know.",
            "Use the release that made it, or train again.",
        )
    model = learnt.read(files, max(1, len(manifest.classes)))
    return Encoded(Encoder.decoded(files["encoder.json"]), model)


def _foreign(manifest: Manifest, files: Mapping[str, bytes], private_hosts: Iterable[str]) -> RawScorer:
    foreign: Foreign
    if manifest.family == OWN:
        foreign = margins.EncodedForeign(Encoder.decoded(files["encoder.json"]), taking.revive_own(files))
    else:
        foreign = taking.revive(files, f"Candidate {manifest.candidate}", private_hosts)
    return margins.Margins(foreign, manifest.kind, manifest.classes)
