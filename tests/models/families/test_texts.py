"""Posts to newsgroups: what the families make of words, and of several classes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from pilotage.models.families import FAMILIES
from pilotage.models.families.candidate import Candidate, Lesson, RowModel, Trained
from pilotage.models.inputs import Encoder
from pilotage.usecase.records import Given
from tests.real_data import real_data

CLASSES = ("comp.graphics", "rec.autos", "sci.space")
COLUMNS = (Given("text", "text", True), Given("length", "number", True))


@pytest.fixture(scope="module")
def posts() -> pa.Table:
    """Posts to three groups, without those that quote the group's name."""
    table = pq.read_table(real_data("newsgroups"))
    table = table.filter(pc.is_in(table["category"], pa.array(CLASSES, table["category"].type)))
    table = table.append_column("length", pc.cast(pc.utf8_length(table["text"]), pa.float64()))
    return table.take(pa.array(np.random.default_rng(3).permutation(table.num_rows)[:1_400]))


Taught = tuple[Encoder, Trained, RowModel]


@pytest.fixture(scope="module")
def taught(posts: pa.Table) -> dict[str, Taught]:
    first, codes = posts.slice(0, 1_000), labels(posts)
    found = {}
    for one in FAMILIES:
        encoder = Encoder.fitted(COLUMNS, first, one.texts, 7)
        trained = one.train(Lesson(encoder.table(first), codes[:1_000], encoder.slots, "category", 3, 7))
        found[one.name] = (Encoder.decoded(encoder.encoded()), trained, one.read(trained.files, 3))
    return found


@pytest.fixture(params=FAMILIES, ids=lambda one: one.name)
def candidate(request: pytest.FixtureRequest) -> Candidate:
    found: Candidate = request.param
    return found


def labels(posts: pa.Table) -> np.ndarray:
    return np.array([CLASSES.index(one) for one in posts["category"].to_pylist()], dtype=np.float64)


def test_most_posts_that_were_not_learnt_from_are_sorted_rightly(
    candidate: Candidate, taught: dict[str, Taught], posts: pa.Table
) -> None:
    encoder, _, model = taught[candidate.name]
    unseen = posts.slice(1_000)
    answers = model.margins(encoder.table(unseen)).argmax(axis=1)
    assert (answers == labels(unseen)).mean() > 0.85


def test_the_files_answer_as_the_estimator_alone_and_among_many(
    candidate: Candidate, taught: dict[str, Taught], posts: pa.Table
) -> None:
    encoder, trained, model = taught[candidate.name]
    unseen = posts.slice(1_000, 200)
    rows = encoder.table(unseen)
    margins = model.margins(rows)
    assert margins.shape == (200, 3)
    assert np.abs(margins - trained.margins(rows)).max() <= 1e-9
    alone = [model.row(encoder.row(values)) for values in unseen.to_pylist()]
    assert alone == margins.tolist()


def test_contributions_sum_to_each_margin_minus_its_base(
    candidate: Candidate, taught: dict[str, Taught], posts: pa.Table
) -> None:
    encoder, _, model = taught[candidate.name]
    for values in posts.slice(1_000, 5).to_pylist():
        row = encoder.row(values)
        found = model.contributions(row)
        assert found.shape == (3, len(encoder.slots) + len(encoder.texts))
        assert found.sum(axis=1) == pytest.approx(np.array(model.row(row)) - model.base, abs=1e-9)


def test_a_text_that_is_missing_or_of_unknown_words_still_has_an_answer(
    candidate: Candidate, taught: dict[str, Taught]
) -> None:
    encoder, _, model = taught[candidate.name]
    for text in (None, "", "zzzyx qqqv", "🚀" * 1_000, "a " * 300_000):
        assert np.isfinite(model.row(encoder.row({"text": text, "length": 3.0}))).all()


def test_words_in_capitals_weigh_the_same(taught: dict[str, Taught]) -> None:
    encoder, _, model = taught["linear"]
    margins = [model.row(encoder.row({"text": text, "length": 9.0})) for text in ("NASA Orbit!", "nasa, orbit")]
    assert margins[0] == margins[1]


def test_the_loudest_words_of_a_post_are_told(taught: dict[str, Taught]) -> None:
    from pilotage.models.families.linear.form import LinearModel

    encoder, _, model = taught["linear"]
    assert isinstance(model, LinearModel)
    row = encoder.row({"text": "The dealer sold the car with a new engine", "length": 40.0})
    words = [encoder.texts[0].vocabulary[place] for place, weight in model.loudest(row, 0, 1) if weight > 0]
    assert "car" in words[:3]


def test_two_classes_are_sorted_like_several(posts: pa.Table, candidate: Candidate) -> None:
    two = posts.filter(pc.not_equal(posts["category"], "comp.graphics"))
    codes = np.array([one == "sci.space" for one in two["category"].to_pylist()], dtype=np.float64)
    encoder = Encoder.fitted(COLUMNS, two, candidate.texts, 7)
    rows = encoder.table(two)
    trained = candidate.train(Lesson(rows.take(np.arange(600)), codes[:600], encoder.slots, "category", 2, 7))
    model = candidate.read(trained.files, 2)
    unseen = rows.take(np.arange(600, len(rows)))
    assert (model.margins(unseen).argmax(axis=1) == codes[600:]).mean() > 0.9
    assert np.abs(model.margins(unseen) - trained.margins(unseen)).max() <= 1e-9


def test_a_text_that_says_nothing_adds_nothing_to_any_margin(posts: pa.Table, candidate: Candidate) -> None:
    silent = posts.set_column(posts.schema.get_field_index("text"), "text", pa.nulls(posts.num_rows, pa.string()))
    encoder = Encoder.fitted(COLUMNS, silent, candidate.texts, 7)
    rows = encoder.table(silent).take(np.arange(600))
    model = candidate.read(candidate.train(Lesson(rows, labels(posts)[:600], encoder.slots, "category", 3, 7)).files, 3)
    row = encoder.row({"text": "nobody knows me", "length": 12.0})
    assert model.contributions(row).shape == (3, 2)
    assert model.contributions(row).sum(axis=1) == pytest.approx(np.array(model.row(row)) - model.base, abs=1e-9)
    alone = Encoder.fitted(COLUMNS[:1], silent, candidate.texts, 7)
    assert not alone.tells
    assert encoder.tells
