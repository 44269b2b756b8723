"""Every candidate: its file answers as the library's own estimator, alone and in a table, and explains itself."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from pilotage.models.families import FAMILIES
from pilotage.models.families.candidate import Candidate, Lesson, RowModel, Trained
from pilotage.models.inputs import Encoder, Rows

Encoded = tuple[Encoder, Rows, np.ndarray]


def lesson(encoded: Encoded, rows: int) -> Lesson:
    """The first rows, as something to learn from."""
    encoder, matrix, labels = encoded
    taught = np.arange(rows)
    return Lesson(matrix.take(taught), labels[taught].astype(float), encoder.slots, "flag", 1, 7)


def some(encoded: Encoded, start: int, end: int) -> Rows:
    """Rows that were not learnt from."""
    return encoded[1].take(np.arange(start, end))


@pytest.fixture(scope="module")
def taught(encoded: Encoded) -> dict[str, tuple[Trained, RowModel]]:
    found = {}
    for one in FAMILIES:
        trained = one.train(lesson(encoded, 8_000))
        found[one.name] = (trained, one.read(trained.files, 1))
    return found


@pytest.fixture(params=FAMILIES, ids=lambda one: one.name)
def candidate(request: pytest.FixtureRequest) -> Candidate:
    found: Candidate = request.param
    return found


def test_the_file_answers_as_the_estimator_that_was_trained(
    candidate: Candidate, taught: dict[str, tuple[Trained, RowModel]], encoded: Encoded
) -> None:
    trained, model = taught[candidate.name]
    unseen = some(encoded, 8_000, 14_000)
    assert np.abs(model.margins(unseen) - trained.margins(unseen)).max() <= 1e-9


def test_one_row_has_the_very_bits_that_it_has_among_many(
    candidate: Candidate, taught: dict[str, tuple[Trained, RowModel]], encoded: Encoded
) -> None:
    model = taught[candidate.name][1]
    unseen = some(encoded, 8_000, 10_500)
    alone = [model.margin(unseen.row(at)) for at in range(len(unseen))]
    assert alone == model.margins(unseen)[:, 0].tolist()
    assert [model.row(unseen.row(at)) for at in range(50)] == model.margins(unseen)[:50].tolist()


def test_contributions_sum_to_the_difference_from_an_average_row(
    candidate: Candidate, taught: dict[str, tuple[Trained, RowModel]], encoded: Encoded
) -> None:
    model = taught[candidate.name][1]
    for at in range(8_000, 8_020):
        row = encoded[1].row(at)
        assert model.contributions(row).sum() == pytest.approx(model.margin(row) - model.base[0], abs=1e-9)


def test_the_same_seed_gives_the_same_file(candidate: Candidate, encoded: Encoded) -> None:
    one, other = (candidate.train(lesson(encoded, 2_000)).files for _ in range(2))
    assert one == other


def test_threads_do_not_disturb_each_other(
    candidate: Candidate, taught: dict[str, tuple[Trained, RowModel]], encoded: Encoded
) -> None:
    model = taught[candidate.name][1]
    rows = [encoded[1].row(at) for at in range(8_000, 9_000)]
    expected = [model.margin(row) for row in rows]
    answers: list[list[float]] = []
    threads = [threading.Thread(target=lambda: answers.append([model.margin(row) for row in rows])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [expected] * 4
