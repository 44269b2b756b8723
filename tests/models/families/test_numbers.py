"""Arrival delays in minutes: every family answers a number, and keeps to a direction that the file declares."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from pilotage.models.families import FAMILIES
from pilotage.models.families.candidate import Candidate, Lesson
from pilotage.models.inputs import Encoder
from pilotage.models.rules.teaching import directions
from tests.models.flights import columns

COLUMN = "aircraft_last_delay"


@pytest.fixture(params=FAMILIES, ids=lambda one: one.name)
def candidate(request: pytest.FixtureRequest) -> Candidate:
    found: Candidate = request.param
    return found


@pytest.fixture(scope="module")
def lesson(delays: pa.Table) -> tuple[Encoder, Lesson, pa.Table]:
    known = delays.filter(delays["label"].is_valid())
    first = known.slice(0, 8_000)
    encoder = Encoder.fitted(columns(), first)
    rows, labels = encoder.table(first), first["label"].to_numpy()
    return encoder, Lesson(rows, labels, encoder.slots, "number", 1, 7), known.slice(8_000, 3_000)


def test_a_number_is_answered_better_than_by_the_mean(
    candidate: Candidate, lesson: tuple[Encoder, Lesson, pa.Table]
) -> None:
    encoder, taught, unseen = lesson
    trained = candidate.train(taught)
    model = candidate.read(trained.files, 1)
    rows, truth = encoder.table(unseen), unseen["label"].to_numpy()
    answers = model.margins(rows)[:, 0]
    assert ((answers - truth) ** 2).mean() < ((taught.labels.mean() - truth) ** 2).mean()
    assert np.abs(answers - trained.margins(rows)[:, 0]).max() <= 1e-9
    assert [model.margin(rows.row(at)) for at in range(200)] == answers[:200].tolist()


@pytest.mark.parametrize("way", ["rises", "falls"])
def test_the_answer_only_rises_or_only_falls_where_the_file_says_so(
    candidate: Candidate, lesson: tuple[Encoder, Lesson, pa.Table], way: str
) -> None:
    encoder, taught, unseen = lesson
    directed = directions({COLUMN: way}, encoder.slots)  # type: ignore[dict-item]
    trained = candidate.train(Lesson(taught.rows, taught.labels, taught.slots, "number", 1, 7, monotone=directed))
    model = candidate.read(trained.files, 1)
    values = unseen.slice(0, 20).to_pylist()
    sign = 1 if way == "rises" else -1
    for one in values:
        answers = [model.margin(encoder.row(one | {COLUMN: float(delay)})) for delay in range(-60, 400, 20)]
        assert all(sign * (after - before) >= -1e-9 for before, after in pairwise(answers))


def test_without_a_direction_the_answer_rises_with_the_delay_before(
    candidate: Candidate, lesson: tuple[Encoder, Lesson, pa.Table]
) -> None:
    encoder, taught, unseen = lesson
    model = candidate.read(candidate.train(taught).files, 1)
    rows = unseen.slice(0, 200).to_pylist()
    late, early = (
        np.mean([model.margin(encoder.row(one | {COLUMN: delay})) for one in rows]) for delay in (120.0, -10.0)
    )
    assert late > early + 1


def test_heavier_rows_count_for_more(candidate: Candidate, lesson: tuple[Encoder, Lesson, pa.Table]) -> None:
    _, taught, _ = lesson
    late = np.where(taught.labels > 30, 20.0, 1.0)
    plain = candidate.train(taught)
    heavy = candidate.train(Lesson(taught.rows, taught.labels, taught.slots, "number", 1, 7, weights=late))
    assert heavy.margins(taught.rows).mean() > plain.margins(taught.rows).mean() + 5
