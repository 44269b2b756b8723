"""Encoders: one row and many give the same bits, and the JSON gives the encoder back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
import pytest

from pilotage.models.inputs import Encoder
from pilotage.models.inputs.category import CategoryInput
from pilotage.usecase.records import Given
from tests.models.conftest import Trained
from tests.models.flights import columns

MIXED = (Given("size", "number", True), Given("colour", "category", True), Given("at", "datetime", True))
FLAGGED = (Given("open", "flag", True),)


@pytest.fixture
def mixed() -> pa.Table:
    return pa.table(
        {
            "size": [1.5, None, float("nan"), float("inf"), -3.0, 4.0],
            "colour": ["red", "red", "red", "blue", None, "red"],
            "at": [datetime(2013, 1, 7, 5, 30, tzinfo=UTC), None, *[datetime(2013, 1, 6, 23, 59, 59, tzinfo=UTC)] * 4],
        }
    )


def test_one_real_row_is_encoded_as_the_whole_table_is(rows: pa.Table) -> None:
    encoder = Encoder.fitted(columns(), rows)
    sample = rows.slice(4_000, 1_000)
    one_by_one = np.array([encoder.row(values).slots for values in sample.to_pylist()])
    assert np.array_equal(one_by_one, encoder.table(sample).slots, equal_nan=True)


def test_every_kind_is_encoded_alike_by_row_and_by_table(mixed: pa.Table) -> None:
    encoder = Encoder.fitted(MIXED, mixed)
    one_by_one = np.array([encoder.row(values).slots for values in mixed.to_pylist()])
    assert np.array_equal(one_by_one, encoder.table(mixed).slots, equal_nan=True)
    assert one_by_one[0].tolist() == [1.5, 2.0, 5.5, 0.0]  # a Monday, half past five


def test_an_encoder_comes_back_from_its_json(rows: pa.Table) -> None:
    encoder = Encoder.fitted(columns(), rows)
    again = Encoder.decoded(encoder.encoded())
    assert again.slots == encoder.slots
    assert np.array_equal(again.table(rows).slots, encoder.table(rows).slots, equal_nan=True)


def test_what_is_missing_or_not_finite_is_missing(mixed: pa.Table) -> None:
    encoder = Encoder.fitted(MIXED[:1], mixed)
    for value in (None, float("nan"), float("inf"), float("-inf")):
        assert np.isnan(encoder.row({"size": value}).slots).all()
    assert np.isnan(encoder.row({}).slots).all()


def test_a_text_that_is_no_number_is_refused(mixed: pa.Table) -> None:
    with pytest.raises(ValueError, match="could not convert"):
        Encoder.fitted(MIXED[:1], mixed).row({"size": "much"})


def test_a_flag_is_zero_or_one() -> None:
    encoder = Encoder.fitted(FLAGGED, pa.table({"open": [True, False, None]}))
    assert encoder.table(pa.table({"open": [True, False]})).slots.ravel().tolist() == [1.0, 0.0]
    assert encoder.row({"open": True}).slots == [1.0]


def test_a_rare_level_shares_its_code_with_one_never_seen_but_only_the_latter_is_reported(mixed: pa.Table) -> None:
    encoder = Encoder.fitted(MIXED, mixed)
    assert encoder.row({"colour": "blue"}).slots[1] == encoder.row({"colour": "green"}).slots[1] == 1.0
    assert encoder.unknown_categories({"colour": "blue"}) == ()
    assert encoder.unknown_categories({"colour": "green"}) == ("colour",)
    assert encoder.unknown_categories({"colour": None}) == ()


def test_a_column_of_identifiers_does_not_report_new_ones() -> None:
    column = pa.chunked_array([[f"id-{number}" for number in range(20_000)]])
    fitted = CategoryInput.fitted("id", column)
    assert fitted.is_open
    assert not fitted.is_new("id-new")


def test_an_instant_is_read_in_utc_whatever_its_zone(mixed: pa.Table) -> None:
    encoder = Encoder.fitted(MIXED[2:], mixed)
    there = datetime(2013, 1, 7, 0, 30, tzinfo=timezone(timedelta(hours=-5)))
    assert encoder.row({"at": there}) == encoder.row({"at": "2013-01-07T05:30:00Z"}) == ([5.5, 0.0], ())


def test_a_handful_of_odd_rows_does_not_teach() -> None:
    table = pa.table({"colour": ["red"] * 990 + ["blue"] + [None] * 9})
    encoder = Encoder.fitted(MIXED[1:2], table)
    teaching = encoder.teaching(encoder.table(table).slots)
    assert teaching[:990].all()
    assert not teaching[990]
    assert teaching[991:].all()  # nine of a thousand missing are enough at this size


def test_a_level_that_training_never_saw_is_scored(trained: Trained) -> None:
    from pilotage.models import flow

    digest = trained.comparison.artefacts["boosted"]
    scorer = flow.load_artefact(trained.work, digest, flow.sign_artefact(trained.work, digest))
    values = dict(trained.rows.slice(0, 1).to_pylist()[0], carrier="ZZ")
    assert 0 < scorer.score(values) < 1
    assert scorer.unknown_categories(values) == ("carrier",)


def test_where_odd_rows_are_not_few_all_of_them_teach() -> None:
    """A handful of missing levels in each of very many columns would leave nobody to learn from."""
    names = [f"c{number}" for number in range(200)]
    values = {name: ["a", "b"] * 500 for name in names}
    for number, name in enumerate(names):
        for row in range(4):
            values[name][(5 * number + row) % 1_000] = None
    table = pa.table(values)
    encoder = Encoder.fitted(tuple(Given(name, "category", True) for name in names), table)
    assert encoder.teaching(encoder.table(table).slots).all()
