"""From a model's margins to outputs that mean what they say: one file per kind of outcome, kept beside the model."""

from __future__ import annotations

from pilotage.models.rules.calibrating.curve import ProbabilityCurve
from pilotage.models.rules.calibrating.spans import Spans
from pilotage.models.rules.calibrating.temperature import Temperature

Calibration = ProbabilityCurve | Temperature | Spans

__all__ = ["Calibration", "ProbabilityCurve", "Spans", "Temperature"]
