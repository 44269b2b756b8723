"""Each check finds the model with its fault, and lets the sound one pass."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pilotage.models.records import Estimate, Slice
from pilotage.models.suite import Limits, Result
from pilotage.models.suite.known import Known
from pilotage.models.suite.running import checked
from pilotage.models.suite.subject import Subject
from tests.models.suite.asked import CATEGORY, NUMBER, Says, asked, numbers, sound

LIMITS = Limits()
STRICT = Limits(strict=("missing", "unseen", "drift", "group", "strange values"))


def named(subject: Subject, name: str, limits: Limits = LIMITS) -> Result:
    return next(result for result in checked(subject, limits) if result.name == name)


def test_a_sound_model_passes_everything() -> None:
    results = checked(asked(), LIMITS)
    assert {result.name for result in results if result.outcome in ("FAIL", "WARN")} <= {"missing:amount"}
    assert {result.check for result in results} == {
        "same row twice",
        "one row and many",
        "row order",
        "group",
        "spelling",
        "direction",
        "slice",
        "missing",
        "all missing",
        "unseen",
        "strange values",
        "drift",
        "noise",
    }
    assert all(result.sentence.endswith((".", "train.")) for result in results)


def by_sex(table: pa.Table) -> np.ndarray:
    return np.where(pc.fill_null(pc.equal(table["sex"], "f"), False).to_numpy(), 0.9, 0.1)


def by_age(table: pa.Table) -> np.ndarray:
    return numbers(table, "age") / 100


def by_spelling(table: pa.Table) -> np.ndarray:
    return np.where(pc.fill_null(pc.equal(table["channel"], "Web"), False).to_numpy(), 0.9, sound(table))


def falling(table: pa.Table) -> np.ndarray:
    return 1 - sound(table)


def lost_without_amount(table: pa.Table) -> np.ndarray:
    return np.where(table["amount"].is_null().to_numpy(), np.nan, sound(table))


def certain_without_channel(table: pa.Table) -> np.ndarray:
    return np.where(table["channel"].is_null().to_numpy(), 1 - sound(table), sound(table))


def upset_by_new_levels(table: pa.Table) -> np.ndarray:
    known = pc.is_in(table["sex"].cast(pa.string()), value_set=pa.array(["f", "m", None])).to_numpy()
    return np.where(known, sound(table), 1 - sound(table))


def raising_on_texts(table: pa.Table) -> np.ndarray:
    if any(value and "🛫" in value for value in table["channel"].cast(pa.string()).to_pylist()):
        raise ValueError("cannot read max.mustermann@example.org")
    return sound(table)


def beyond_one(table: pa.Table) -> np.ndarray:
    return sound(table) + np.maximum(numbers(table, "amount") / 1e5, 0.0)


def infinite_is_large(table: pa.Table) -> np.ndarray:
    amount = np.array(table["amount"].cast(pa.float64()).to_numpy())
    return np.where(np.isposinf(amount), 1.0, sound(table))


def lost_in_far_years(table: pa.Table) -> np.ndarray:
    years = pc.fill_null(pc.year(table["at"]), 2024).to_numpy()
    if (years > 9000).any():
        raise OverflowError("date value out of range")
    return sound(table)


def on_an_edge(table: pa.Table) -> np.ndarray:
    return np.floor(numbers(table, "amount") * 40) % 2 * 0.9


def steep_in_amount(table: pa.Table) -> np.ndarray:
    return np.where(numbers(table, "amount") > 99, 0.9, 0.1)


def by_channel(table: pa.Table) -> np.ndarray:
    return np.where(pc.fill_null(pc.equal(table["channel"], "branch"), True).to_numpy(), 0.9, 0.1)


FAULTS: list[tuple[Says, str, str]] = [
    (by_sex, "group:sex", "100.0% of 400 answers hang on its value alone"),
    (by_age, "group:age", "answers hang on its value alone"),
    (by_spelling, "spelling:channel", "change places with their like"),
    (falling, "direction:amount", "the prediction rises with it on 0.0% of 400 rows"),
    (lost_without_amount, "missing:amount", "An answer is not a finite number when it is empty"),
    (lost_without_amount, "all missing", "An answer is not a finite number when nothing at all is known"),
    (certain_without_channel, "missing:channel", "100.0% of 400 answers change when it is empty"),
    (upset_by_new_levels, "unseen:sex", "answers change when its level is new"),
    (raising_on_texts, "strange values:channel", "The model raises on an emoji: ValueError"),
    (beyond_one, "strange values:amount", "A probability lies outside of 0 to 1"),
    (infinite_is_large, "strange values:amount", "a number that is infinite is not answered as a missing one"),
    (lost_in_far_years, "strange values:at", "The model raises on the year 9999"),
    (on_an_edge, "noise", "answers change when every number is disturbed by 1.0% of its standard deviation"),
    (by_channel, "drift:channel", "gives way to"),
]


@pytest.mark.parametrize(("says", "name", "sentence"), FAULTS, ids=[f"{one[0].__name__}-{one[1]}" for one in FAULTS])
def test_a_model_with_a_fault_fails_the_check_for_it(says: Says, name: str, sentence: str) -> None:
    result = named(asked(says), name, STRICT)
    assert result.outcome == "FAIL", result
    assert sentence in result.sentence


def test_a_shift_of_half_a_deviation_is_counted_in_changed_decisions() -> None:
    half = 0.5 * float(np.std(numbers(asked().learnt, "amount")))
    amounts = numbers(asked().held_out, "amount")
    wanted = float(((amounts + half >= 50) != (amounts >= 50)).mean())
    assert named(asked(), "drift:amount").figure == pytest.approx(wanted)
    assert named(asked(), "drift:amount", Limits(drift=wanted / 2)).outcome == "WARN"


def test_an_answer_that_hangs_on_chance_fails() -> None:
    random = np.random.default_rng(0)
    result = named(asked(lambda table: random.uniform(0, 1, table.num_rows)), "same row twice")
    assert (result.outcome, "when asked again" in result.sentence) == ("FAIL", True)


def test_an_answer_that_hangs_on_the_other_rows_fails() -> None:
    def ranked(table: pa.Table) -> np.ndarray:
        return numbers(table, "amount").argsort().argsort() / max(table.num_rows - 1, 1)

    assert named(asked(ranked), "one row and many").outcome == "FAIL"
    assert named(asked(ranked), "row order").outcome == "PASS"

    def by_place(table: pa.Table) -> np.ndarray:
        return np.linspace(0, 1, table.num_rows)

    assert named(asked(by_place), "row order").outcome == "FAIL"


def test_a_service_that_answers_otherwise_than_the_batch_fails() -> None:
    result = named(asked(single=lambda values: 0.123), "one row and many")
    assert (result.outcome, "when a row is asked alone" in result.sentence) == ("FAIL", True)


def test_a_model_that_cannot_answer_at_all_is_said_once() -> None:
    def broken(table: pa.Table) -> np.ndarray:
        raise KeyError("plan")

    (result,) = checked(asked(broken), LIMITS)
    assert result.outcome == "FAIL"
    assert result.sentence == "The model raises on rows as they are: KeyError: 'plan'."


def test_spellings_that_end_differently_are_two_things() -> None:
    subject = asked(by_spelling)
    of = subject.learnt["channel"].to_pylist()
    unlike = subject.learnt.set_column(5, "label", pa.array([value == "Web" for value in of]))
    assert named(asked(by_spelling, learnt=unlike), "spelling:channel").outcome == "SKIPPED"


def test_the_worst_row_is_shown_without_what_is_personal() -> None:
    result = named(asked(certain_without_channel), "missing:channel")
    assert result.example is not None
    assert result.example.row["age"] == "•••"
    assert result.example.put == {"channel": "nothing"}
    before, after = float(result.example.before), float(result.example.after)
    assert before + after == pytest.approx(1, abs=1e-4)
    assert abs(before - after) > 0.9  # the row that changes most


def test_what_the_model_raises_is_told_without_what_leads_to_a_person() -> None:
    said = named(asked(raising_on_texts), "strange values:channel").sentence
    assert "mustermann" not in said


def test_limits_are_the_users() -> None:
    subject = asked(certain_without_channel)
    assert named(subject, "missing:channel").outcome == "WARN"
    assert named(subject, "missing:channel", Limits(missing=1.0)).outcome == "PASS"
    assert named(subject, "missing:channel", Limits(strict=("missing",))).outcome == "FAIL"
    assert named(asked(), "group:sex", Limits(group=-1.0)).outcome == "FAIL"


def estimated(value: float, error: float) -> Estimate:
    return Estimate(value, value - 1.96 * error, value + 1.96 * error, error)


def sliced(*differences: tuple[str, float, float]) -> tuple[Slice, ...]:
    none = estimated(0.0, 1.0)
    made: Any = Slice
    names = made.__struct_fields__
    given = {"column": "sex", "rows": 900, "positives": 90, "money": none}
    return tuple(
        made(**{**dict.fromkeys(names, none), **given, "value": value, "difference": estimated(amount, error)})
        for value, amount, error in differences
    )


def test_a_slice_that_is_proved_worse_than_the_rule_fails() -> None:
    result = named(asked(slices=sliced(("f", -300.0, 50.0), ("m", 400.0, 50.0))), "slice:sex")
    assert result.outcome == "FAIL"
    assert "the worst against the rule is f (900 rows): -300 per 1,000 decisions" in result.sentence


def test_of_many_slices_one_that_looks_worse_by_chance_passes() -> None:
    many = [(f"v{number}", -100.0 if number == 0 else 50.0, 50.0) for number in range(40)]
    alone = named(asked(slices=sliced(many[0])), "slice:sex")
    assert (alone.outcome, named(asked(slices=sliced(*many)), "slice:sex").outcome) == ("FAIL", "PASS")


def test_a_model_of_categories_is_tested_by_its_likeliest_one() -> None:
    def shares(table: pa.Table) -> np.ndarray:
        return np.column_stack([sound(table), 1 - sound(table)])

    results = checked(asked(shares, CATEGORY), LIMITS)
    assert [result.name for result in results if result.outcome == "FAIL"] == []
    assert named(asked(shares, CATEGORY), "direction:amount").outcome == "SKIPPED"

    def too_much(table: pa.Table) -> np.ndarray:
        return np.column_stack([sound(table), np.ones(table.num_rows)])

    assert "do not sum to 1" in named(asked(too_much, CATEGORY), "determinism").sentence


def test_a_number_far_beyond_all_outcomes_is_a_warning() -> None:
    result = named(asked(lambda table: numbers(table, "amount"), NUMBER), "strange values:amount")
    assert result.outcome == "WARN"
    assert "far from any outcome that there was" in result.sentence
    clipped = asked(lambda table: np.clip(numbers(table, "amount"), 0, 100), NUMBER)
    assert named(clipped, "strange values:amount").outcome == "PASS"


def test_of_very_wide_rows_only_the_first_columns_are_changed_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from pilotage.models.suite import subject

    monkeypatch.setattr(subject, "COLUMNS_MAX", 2)
    results = checked(asked(), LIMITS)
    tested = [result.column for result in results if result.check == "missing"]
    assert tested == ["amount", "age"]
    assert "3 columns beyond" in next(one.sentence for one in results if one.check == "further columns")


def test_checks_have_names_of_their_own() -> None:
    names = [result.name for result in checked(asked(), LIMITS)]
    assert [name for name, group in itertools.groupby(sorted(names)) if len(list(group)) > 1] == []


def test_a_group_with_a_limit_on_unlike_treatment_fails_where_another_warns() -> None:
    assert (named(asked(by_sex), "group:sex").outcome, named(asked(by_age), "group:age").outcome) == ("FAIL", "WARN")


def counted(guests: np.ndarray, weekend: np.ndarray, subject: Subject) -> Subject:
    """The same loans with a count and a 0 or 1 in place of two of their numbers."""

    def put(table: pa.Table) -> pa.Table:
        amount = table.column_names.index("amount")
        return table.set_column(amount, "amount", pa.array(guests)).set_column(1, "age", pa.array(weekend))

    return dataclasses.replace(subject, held_out=put(subject.held_out), learnt=put(subject.learnt))


GUESTS = np.random.default_rng(3).poisson(1.2, 400)
WEEKEND = (np.random.default_rng(4).random(400) < 0.02).astype(np.int64)


def on_whole_values_only(table: pa.Table) -> np.ndarray:
    """As trees do whose boundary lies just above nought; and it was never taught what lies between two counts."""
    guests, weekend = numbers(table, "amount"), numbers(table, "age")
    odd = (guests != np.round(guests)) | (weekend > 0) | (guests < 0) | (guests > GUESTS.max())
    return np.where(odd, 0.9, 0.1)


def test_counts_stay_counts_that_training_has_when_they_are_disturbed_or_shifted() -> None:
    subject = counted(GUESTS, WEEKEND, asked(on_whole_values_only))
    assert named(subject, "noise").outcome == "PASS"
    for column in ("amount", "age"):
        shifted = named(subject, f"drift:{column}")
        assert shifted.outcome == "PASS", shifted
        assert "on average, in whole values that training has" in shifted.sentence
    assert f"up to {GUESTS.max()} at most" in named(subject, "drift:amount").sentence
    assert "at most" not in named(subject, "drift:age").sentence  # it is personal


def test_a_count_is_disturbed_as_much_as_was_asked_and_by_steps_of_it() -> None:
    known = Known.of(pa.table({"guests": GUESTS}), "guests")
    values, random = np.repeat(GUESTS.astype(np.float64), 500), np.random.default_rng(5)
    moved = known.disturbed(values, random.normal(0, 0.1, len(values)), random)
    assert set(np.unique(moved)) <= set(np.unique(GUESTS))
    assert np.abs(moved - values).mean() == pytest.approx(0.1 * np.sqrt(2 / np.pi), rel=0.1)
    assert (known.shifted(values, 0.25, random) - values).mean() == pytest.approx(0.25, rel=0.1)


def test_a_model_that_hangs_on_the_noise_of_counts_is_found_all_the_same() -> None:
    minutes = np.random.default_rng(6).integers(0, 10_000, 400)

    def on_every_minute(table: pa.Table) -> np.ndarray:
        return numbers(table, "amount") % 2 * 0.9

    subject = counted(minutes, WEEKEND, asked(on_every_minute))
    assert named(subject, "noise").outcome == "FAIL"


def test_of_a_disturbed_row_the_columns_that_moved_most_are_named_first() -> None:
    def put(table: pa.Table, by: float) -> pa.Table:
        return table.set_column(1, "age", pa.array(numbers(table, "age") + by))

    subject = asked(on_an_edge)
    table = subject.held_out.set_column(0, "amount", pa.array(numbers(subject.held_out, "amount") + 0.5))
    example = subject.example(0, put(table, 40.0), subject.answers)
    assert list(example.put) == ["age", "amount"]
    assert list(subject.example(0, put(table, 0.01), subject.answers).put) == ["amount", "age"]


def test_a_share_that_often_is_whole_is_not_shifted_beyond_one() -> None:
    shares = np.clip(np.random.default_rng(7).normal(0.7, 0.3, 400), 0, 1)
    known = Known.of(pa.table({"share": shares}), "share")
    assert known.shifted(shares, 0.2, np.random.default_rng(8)).max() == 1.0
    free = Known.of(pa.table({"share": shares[shares < 1]}), "share")
    assert free.shifted(shares, 0.2, np.random.default_rng(8)).max() > 1.0
