"""The scorer: what it answers for odd rows, its reasons in words, and how fast it is."""

from __future__ import annotations

import time

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from pilotage.models import flow
from pilotage.models.raw import Encoded
from pilotage.models.scoring import Scorer
from tests.models.conftest import Trained

NAMES = ("linear", "additive", "boosted")


@pytest.fixture(params=NAMES)
def scorer(request: pytest.FixtureRequest, trained: Trained) -> Scorer:
    digest = trained.comparison.artefacts[request.param]
    return flow.load_artefact(trained.work, digest, flow.sign_artefact(trained.work, digest))


def test_single_rows_have_the_very_bits_of_the_table(scorer: Scorer, trained: Trained) -> None:
    sample = trained.rows.slice(12_000, 3_000)
    assert [scorer.score(values) for values in sample.to_pylist()] == scorer.score_table(sample).tolist()


def test_rows_with_gaps_and_unknown_levels_have_the_very_bits_of_the_table(scorer: Scorer, trained: Trained) -> None:
    rows = trained.rows.slice(12_000, 1_000).to_pylist()
    for number, row in enumerate(rows):
        for at, name in enumerate(scorer.plan.names):
            if (number + at) % 7 == 0:
                row[name] = None
        if number % 5 == 0:
            row["carrier"] = "unheard of"
    sample = pa.Table.from_pylist(rows, trained.rows.schema)
    assert [scorer.score(values) for values in rows] == scorer.score_table(sample).tolist()


def test_many_rows_at_once_are_told_what_each_alone_is(scorer: Scorer, trained: Trained) -> None:
    rows = [*trained.rows.slice(12_000, 1_000).to_pylist(), {}, {"carrier": "unheard of"}]
    assert scorer.predictions(rows) == [scorer.predict(row) for row in rows]


def test_rows_that_lie_on_an_edge_are_asked_alone(scorer: Scorer, trained: Trained) -> None:
    rows = trained.rows.slice(12_000, 50).to_pylist()
    scorer.manifest = msgspec.structs.replace(scorer.manifest, threshold=scorer.score(rows[7]))
    alone: list[int] = []
    real = scorer.predict
    scorer.predict = lambda values: alone.append(rows.index(values)) or real(values)  # type: ignore[method-assign]
    assert [said.answer for said in scorer.predictions(rows)] == [real(row).answer for row in rows]
    assert 7 in alone


def test_a_row_of_which_nothing_is_known_still_has_a_probability(scorer: Scorer) -> None:
    assert 0 < scorer.score({}) < 1
    assert scorer.score({}) == scorer.score(dict.fromkeys(scorer.plan.names))


def test_not_a_number_counts_as_missing(scorer: Scorer, trained: Trained) -> None:
    values = trained.rows.slice(500, 1).to_pylist()[0]
    missing = scorer.score(dict(values, weather_temp_f=None))
    assert scorer.score(dict(values, weather_temp_f=float("nan"))) == missing
    assert scorer.score(dict(values, weather_temp_f=float("inf"))) == missing


def test_contributions_of_columns_sum_to_the_difference_from_an_average_row(scorer: Scorer, trained: Trained) -> None:
    values = trained.rows.slice(700, 1).to_pylist()[0]
    assert isinstance(scorer.raw, Encoded)
    margin = scorer.raw.margin(values)
    assert sum(scorer.contributions(values).values()) == pytest.approx(margin - scorer.raw.base(), abs=1e-9)


def test_points_of_all_columns_sum_to_the_distance_from_the_usual_answer(scorer: Scorer, trained: Trained) -> None:
    assert isinstance(scorer.raw, Encoded)
    usual = scorer.calibration.row()([scorer.raw.base()])[0]
    for values in trained.rows.slice(700, 20).to_pylist():
        points = sum(one.points for one in scorer.signals(values, top=len(scorer.plan.names)))
        assert points == pytest.approx(scorer.score(values) - usual, abs=1e-6)


def test_signals_are_the_strongest_contributions_strongest_first(scorer: Scorer, trained: Trained) -> None:
    values = trained.rows.slice(700, 1).to_pylist()[0]
    found = scorer.signals(values, top=5)
    weights = [abs(one.weight) for one in found]
    assert len(found) == 5
    assert weights == sorted(weights, reverse=True)
    strongest = max(abs(weight) for weight in scorer.contributions(values).values())
    assert weights[0] == pytest.approx(strongest, abs=1e-9)
    assert all(one.sentence.endswith("raises the chance" if one.weight > 0 else "lowers the chance") for one in found)


def test_reference_shares_sum_to_one(scorer: Scorer) -> None:
    assert sum(scorer.reference.scores) == pytest.approx(1)
    carrier = scorer.reference.slots["carrier"]
    assert sum(carrier.shares.values()) + carrier.other + carrier.missing == pytest.approx(1)
    assert sum(scorer.reference.slots["distance_miles"].shares) == pytest.approx(1)


def test_one_row_takes_far_less_than_a_millisecond(scorer: Scorer, trained: Trained) -> None:
    rows = trained.rows.slice(1_000, 500).to_pylist()
    taken = []
    for values in rows:
        began = time.perf_counter_ns()
        scorer.score(values)
        taken.append(time.perf_counter_ns() - began)
    assert np.median(taken) < 300_000
