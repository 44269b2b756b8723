"""An artefact brought to life: probabilities for one row and for many, and the reasons behind them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from pilotage.models import explaining
from pilotage.models.inputs import Encoder
from pilotage.models.records import Manifest, Signal
from pilotage.models.rules.calibration import Calibration
from pilotage.models.rules.reference import Reference
from pilotage.models.tasks import candidate
from pilotage.usecase.records import Plan, decode_plan

if TYPE_CHECKING:
    import pyarrow as pa


class Scorer:
    """Scores rows of a plan's columns. Safe for many threads at once.

    What is missing, None, NaN or infinite counts as missing; a level that training did not see counts as a rare one.
    A probability at or above ``manifest.threshold`` is positive.
    """

    def __init__(self, manifest: Manifest, files: Mapping[str, bytes]) -> None:
        kind = candidate(manifest.candidate)
        self.manifest = manifest
        self.plan: Plan = decode_plan(files["plan.json"])
        self.encoder = Encoder.decoded(files["encoder.json"])
        self.calibration = msgspec.json.decode(files["calibration.json"], type=Calibration)
        self.reference = msgspec.json.decode(files["reference.json"], type=Reference)
        self.model = kind.read(files[kind.file])
        self._row = self.encoder.row
        self._margin = self.model.margin
        self._probability = self.calibration.reader()

    def score(self, values: Mapping[str, Any]) -> float:
        """The calibrated probability of one row, in [0, 1].

        Raises:
            ValueError: a number is a text that is none, or a datetime cannot be read.
        """
        return self._probability(self._margin(self._row(values)))

    def score_table(self, table: pa.Table) -> NDArray[np.float64]:
        """The calibrated probabilities of many rows; columns that the plan does not name are ignored."""
        return self.calibration.many(self.model.margins(self.encoder.table(table)))

    def contributions(self, values: Mapping[str, Any]) -> dict[str, float]:
        """What each column adds to the log-odds before calibration, against an average row.

        They sum to the margin of this row minus ``model.base``.
        """
        return explaining.by_column(self.encoder.slots, self.model.contributions(self._row(values)))

    def signals(self, values: Mapping[str, Any], top: int = 5) -> tuple[Signal, ...]:
        """The strongest reasons in words, strongest first. Trees take about 2 ms: ask only when somebody will see."""
        return explaining.signals(self.plan.columns, self.contributions(values), values, self.reference, top)

    def unknown_categories(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        """Columns with a level that training never saw."""
        return self.encoder.unknown_categories(values)
