"""What a model card is about."""

from __future__ import annotations

from msgspec import Struct

from pilotage.data.records import TrainingSet
from pilotage.models.records import Comparison, Manifest, Measured
from pilotage.usecase.records import Definition


class Subject(Struct, frozen=True):
    """One learnt candidate of a comparison, with what it stands on. ``artefact`` is the digest of its manifest."""

    definition: Definition
    comparison: Comparison
    measured: Measured
    artefact: str
    manifest: Manifest
    training_set: TrainingSet

    @property
    def name(self) -> str:
        """``late_arrival-boosted``."""
        return f"{self.definition.name}-{self.measured.candidate}"
