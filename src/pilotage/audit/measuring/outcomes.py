"""Everything that is measured of decisions together with their outcomes, on one sample: label, leakage, worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from pilotage.audit.measured.label import LabelFigures
from pilotage.audit.measured.leakage import LeakageFigures
from pilotage.audit.measured.reference import ReferenceFigures
from pilotage.audit.measuring.delays import measure_delay, measure_regimes
from pilotage.audit.measuring.equal_inputs import measure_equal_inputs
from pilotage.audit.measuring.leakage import measure_leakage
from pilotage.audit.measuring.noise import measure_noise
from pilotage.audit.measuring.reference import expected_outcomes, measure_reference
from pilotage.audit.measuring.sample import draw_sample
from pilotage.audit.measuring.separation import compare_columns
from pilotage.data.records import Snapshot
from pilotage.usecase.records import Definition

if TYPE_CHECKING:
    import duckdb


class OutcomeFigures(Struct, frozen=True):
    """Figures of three subjects that share a sample and a quick model."""

    label: LabelFigures
    leakage: LeakageFigures
    reference: ReferenceFigures


def measure_outcomes(
    connection: duckdb.DuckDBPyConnection, definition: Definition, found: dict[str, Snapshot]
) -> OutcomeFigures:
    """Figures of ``spine``, ``training_set`` and the sources that have the entity."""
    sample = draw_sample(connection, definition)
    expected = expected_outcomes(sample.labels, sample.inputs)
    compared = compare_columns(connection, definition, found, sample)
    twins, contradictions = measure_equal_inputs(connection, definition, sample)
    label = LabelFigures(
        delay=measure_delay(connection, definition),
        regimes=measure_regimes(connection),
        contradictions=contradictions,
        noise=measure_noise(connection, definition, sample, compared, expected),
        missing=tuple(compared.missing),
    )
    leakage = measure_leakage(connection, definition, found, sample, compared, expected, twins)
    return OutcomeFigures(label, leakage, measure_reference(sample))
