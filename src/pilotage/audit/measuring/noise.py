"""How many outcomes look wrong to a model that may use hindsight.

A wrong outcome can only be told from an unlikely one where a model is sure. What became known after the decision may
be used for that: it judges the outcome, it does not predict it. Among the surest decisions of both kinds a certain
share has the other outcome. Labels that are wrong at random are wrong there as anywhere, so no more than that share is
wrong; and of it, a problem of equal difficulty with right labels explains a part: the tails of two normal distributions
(one for positives, one for negatives) with the same area under the curve and the same rate. Only what goes beyond is
an estimate of wrong labels. Counts of "label issues" do not make this difference: simulated labels that are right by
construction give as many (measured: within 10 % on eleven data sets with 0 to 5 % of labels turned over).
"""

from __future__ import annotations

import math
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from pilotage.audit.measured.label import Noise
from pilotage.audit.measuring.reference import expected_outcomes
from pilotage.audit.measuring.sample import Sample
from pilotage.audit.measuring.separation import Compared
from pilotage.audit.measuring.skill import Flags, Floats, auc
from pilotage.usecase.records import Definition

if TYPE_CHECKING:
    import duckdb

AUC_MIN = 0.8
TAIL = 0.1
ROWS_MIN = 2_000
DECIDED_SHARE = 0.98
SAMPLES = 5


def measure_noise(
    connection: duckdb.DuckDBPyConnection,
    definition: Definition,
    sample: Sample,
    compared: Compared,
    expected: Floats | None,
) -> Noise:
    """The share of outcomes that look wrong, and some of them."""
    if definition.use_case.kind == "number":
        return Noise(reason="a number is not right or wrong, it is more or less so")
    if find_spec("cleanlab") is None:
        return Noise(reason="cleanlab is not installed: pip install 'pilotage[audit]'")
    if not sample.inputs:
        return Noise(rows=sample.rows, reason="all inputs are free text, which a quick model does not read")
    if expected is None or sample.rows < ROWS_MIN:
        return Noise(rows=sample.rows, reason="there are too few outcomes")
    hindsight = bool(compared.witnesses)
    if hindsight:
        columns = [*sample.inputs, *(vector for _, vector in compared.witnesses)]
        again = expected_outcomes(sample.labels, columns)
        expected = expected if again is None else again
    area = auc(expected, sample.labels)
    if area < AUC_MIN:
        reason = f"nothing that is known tells outcomes well enough (AUC {area:.2f}) to call one wrong"
        return Noise(sample.rows, area, hindsight, sampled=sample.sampled, reason=reason)
    rate = float(sample.labels.mean())
    low, high, rows = _tails(expected, sample.labels)
    normal_low, normal_high = _normal_tails(area, rate)
    tails = ((low, normal_low), (high, normal_high))
    beyond = [seen - usual if _least(seen, rows) > usual else 0.0 for seen, usual in tails]
    decided = float(((expected < 0.2) | (expected > 0.8)).mean())
    both = min(beyond) > 0 or (hindsight and decided >= DECIDED_SHARE)
    estimate = beyond[0] * (1 - rate) + beyond[1] * rate if both else 0.0
    flagged, samples = _named(connection, sample, expected) if estimate else (0, ())
    return Noise(
        rows=sample.rows,
        auc=area,
        hindsight=hindsight,
        at_most=low * (1 - rate) + high * rate,
        expected=normal_low * (1 - rate) + normal_high * rate,
        estimate=estimate,
        flagged=flagged,
        samples=samples,
        sampled=sample.sampled,
    )


def _tails(expected: Floats, labels: Flags) -> tuple[float, float, int]:
    """The share of positives among the surest negatives, of negatives among the surest positives, and their rows."""
    positives = int(labels.sum())
    rows = max(1, int(min(TAIL * len(labels), positives / 2, (len(labels) - positives) / 2)))
    order = np.argsort(expected, kind="stable")
    return float(labels[order[:rows]].mean()), float(1 - labels[order[-rows:]].mean()), rows


def _least(share: float, rows: int) -> float:
    """The lower end of the 95 % interval of a share (Wilson)."""
    z = 1.96
    middle = share + z * z / (2 * rows)
    return (middle - z * math.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))) / (1 + z * z / rows)


def _normal_tails(area: float, rate: float) -> tuple[float, float]:
    """The same shares if scores of negatives and positives are normal with the same spread and the given area."""
    from scipy.special import ndtr, ndtri

    distance = math.sqrt(2) * float(ndtri(min(area, 0.999999)))
    part = min(TAIL, rate / 2, (1 - rate) / 2)
    grid = np.linspace(-8, 8 + distance, 4001)
    below_positive, below_negative = rate * ndtr(grid - distance), (1 - rate) * ndtr(grid)
    below = below_positive + below_negative
    low, high = np.searchsorted(below, part), min(np.searchsorted(below, 1 - part), len(grid) - 1)
    return float(below_positive[low] / below[low]), float(((1 - rate) - below_negative[high]) / (1 - below[high]))


def _named(
    connection: duckdb.DuckDBPyConnection, sample: Sample, expected: Floats
) -> tuple[int, tuple[dict[str, str], ...]]:
    """The decisions whose outcome cleanlab would question, the worst of them by name."""
    from cleanlab.filter import find_label_issues

    # Northcutt, Jiang and Chuang, "Confident learning", JAIR 2021. One process: it gains nothing from several.
    ranked = find_label_issues(
        sample.labels.astype(np.int64),
        np.column_stack([1 - expected, expected]),
        return_indices_ranked_by="self_confidence",
        n_jobs=1,
    )
    worst = [int(row) for row in ranked[:SAMPLES]]
    if not worst:
        return 0, ()
    rows = connection.execute(
        "SELECT _nth, _entity, strftime(_moment, '%Y-%m-%d %H:%M'), left(_outcome, 80) FROM _sample "
        f"WHERE _nth IN ({', '.join(map(str, worst))})"
    ).fetchall()
    found = {
        row: {"entity": str(entity)[:80], "moment": moment, "outcome": label, "expected": f"{expected[row]:.2f}"}
        for row, entity, moment, label in rows
    }
    return len(ranked), tuple(found[row] for row in worst if row in found)
