"""Every candidate: its file answers as the library's own estimator, alone and in a table, and explains itself."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from pilotage.models.inputs import Encoder
from pilotage.models.tasks.candidate import Candidate, RowModel, Trained
from pilotage.models.tasks.classify import CANDIDATES, rule

Encoded = tuple[Encoder, np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def taught(encoded: Encoded) -> dict[str, tuple[Trained, RowModel]]:
    encoder, matrix, labels = encoded
    found = {}
    for one in CANDIDATES:
        trained = one.train(matrix[:8_000], labels[:8_000], encoder.slots, 7)
        found[one.name] = (trained, one.read(trained.content))
    return found


@pytest.fixture(params=CANDIDATES, ids=lambda one: one.name)
def candidate(request: pytest.FixtureRequest) -> Candidate:
    found: Candidate = request.param
    return found


def test_the_file_answers_as_the_estimator_that_was_trained(
    candidate: Candidate, taught: dict[str, tuple[Trained, RowModel]], encoded: Encoded
) -> None:
    trained, model = taught[candidate.name]
    unseen = encoded[1][8_000:]
    assert np.abs(model.margins(unseen) - trained.margins(unseen)).max() <= 1e-9


def test_one_row_has_the_very_bits_that_it_has_among_many(
    candidate: Candidate, taught: dict[str, tuple[Trained, RowModel]], encoded: Encoded
) -> None:
    model = taught[candidate.name][1]
    unseen = encoded[1][8_000:10_500]
    assert [model.margin(row) for row in unseen.tolist()] == model.margins(unseen).tolist()


def test_contributions_sum_to_the_difference_from_an_average_row(
    candidate: Candidate, taught: dict[str, tuple[Trained, RowModel]], encoded: Encoded
) -> None:
    model = taught[candidate.name][1]
    for row in encoded[1][8_000:8_020].tolist():
        assert sum(model.contributions(row)) == pytest.approx(model.margin(row) - model.base, abs=1e-9)


def test_the_same_seed_gives_the_same_file(candidate: Candidate, encoded: Encoded) -> None:
    encoder, matrix, labels = encoded
    files = {candidate.train(matrix[:2_000], labels[:2_000], encoder.slots, 7).content for _ in range(2)}
    assert len(files) == 1


def test_threads_do_not_disturb_each_other(
    candidate: Candidate, taught: dict[str, tuple[Trained, RowModel]], encoded: Encoded
) -> None:
    model = taught[candidate.name][1]
    rows = encoded[1][8_000:9_000].tolist()
    expected = [model.margin(row) for row in rows]
    answers: list[list[float]] = []
    threads = [threading.Thread(target=lambda: answers.append([model.margin(row) for row in rows])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [expected] * 4


def test_a_rule_that_cannot_say_is_negative() -> None:
    assert rule.scores([True, None, False]).tolist() == [1.0, 0.0, 0.0]


def test_the_rules_answers_become_the_rates_found_behind_them() -> None:
    scored = np.array([1.0] * 8 + [0.0] * 8)
    labels = np.array([True] * 5 + [False] * 3 + [True] + [False] * 7)
    found = rule.rates(scored, labels)
    assert found == (2 / 10, 6 / 10)
    assert rule.probabilities(np.array([0.0, 1.0]), found).tolist() == [0.2, 0.6]
