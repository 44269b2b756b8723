"""A candidate by groups of people, and when a limit counts as crossed."""

from __future__ import annotations

import math

import numpy as np
import pyarrow.parquet as pq
import pytest
from fairlearn.metrics import MetricFrame, selection_rate, true_positive_rate
from sklearn.metrics import recall_score

from pilotage.models.records import Grouped
from pilotage.models.rules import choice, fairness, fairness_told
from pilotage.models.rules.choice import Recommendation
from pilotage.models.rules.evaluation import held_out
from pilotage.models.rules.judging.judge import Answers
from pilotage.models.rules.judging.number import NumberJudge
from pilotage.models.rules.judging.worth import Worth
from pilotage.usecase.records import Fairness, Policy, Value
from tests.models.rules.test_evaluation import judge
from tests.real_data import real_data

LIMIT = Fairness(by=["sex"], ratio=0.8)


def acting(alerts: np.ndarray) -> Answers:
    return Answers(alerts.astype(float).reshape(-1, 1), alerts, np.zeros(len(alerts), dtype=bool), 0.5)


def grouped(
    rates: dict[str | None, tuple[float, int]], limit: Fairness | None = LIMIT, seed: int = 1
) -> tuple[Grouped, np.ndarray, np.ndarray, np.ndarray]:
    """Groups that are acted on at these rates, over 40 days; a third of all cases turns out positive."""
    random = np.random.default_rng(seed)
    values = np.array([value for value, (_, rows) in rates.items() for _ in range(rows)], dtype=object)
    alerts = random.random(len(values)) < np.concatenate([np.full(rows, rate) for rate, rows in rates.values()])
    labels = random.random(len(values)) < 1 / 3
    time = held_out(labels, random.integers(0, 40, len(values)), np.random.default_rng(7))
    said = acting(alerts)
    return fairness.measured(judge(time), "boosted", said, said, "sex", list(values), limit), values, alerts, labels


def test_the_figures_of_a_group_are_fairlearns_and_those_of_its_rows_alone() -> None:
    found, values, alerts, labels = grouped({"f": (0.2, 900), "m": (0.3, 1_500)})
    frame = MetricFrame(metrics=selection_rate, y_true=labels, y_pred=alerts, sensitive_features=values)
    assert [(one.value, one.rows) for one in found.groups] == [("m", 1_500), ("f", 900)]
    for one in found.groups:
        here = values == one.value
        assert one.measures["selection"].value == pytest.approx(alerts[here].mean())
        assert one.measures["recall"].value == pytest.approx(recall_score(labels[here], alerts[here]))
        assert one.measures["false_alarms"].value == pytest.approx(alerts[here & ~labels].mean())
        assert one.measures["recall"].low < one.measures["recall"].value < one.measures["recall"].high
    assert found.ratio is not None
    assert found.ratio.value == pytest.approx(frame.ratio())
    assert (found.lowest, found.highest) == ("f", "m")


def test_recall_is_compared_where_the_limit_is_on_recall() -> None:
    limit = Fairness(by=["sex"], measure="recall", ratio=0.8)
    found, values, alerts, labels = grouped({"f": (0.2, 900), "m": (0.3, 1_500)}, limit)
    frame = MetricFrame(metrics=true_positive_rate, y_true=labels, y_pred=alerts, sensitive_features=values)
    assert found.ratio is not None
    assert found.ratio.value == pytest.approx(frame.ratio())


def test_a_limit_far_off_is_crossed_and_blocks_the_model_that_would_be_recommended() -> None:
    found = grouped({"f": (0.12, 800), "m": (0.3, 800)})[0]
    assert found.crossed
    assert found.ratio is not None
    assert found.ratio.high < 0.8
    sentence = fairness_told.told(found)
    assert "surely below the limit of 0.8" in sentence
    advice = choice.limited(Recommendation("boosted", "boosted", "pilot", "Use it."), "Boosted trees", (sentence,))
    assert (advice.verdict, advice.recommended) == ("blocked", "rule")
    assert sentence in advice.reason


def test_a_limit_that_chance_may_have_crossed_does_not_block() -> None:
    found = grouped({"f": (0.22, 300), "m": (0.3, 300)}, seed=5)[0]
    assert found.ratio is not None
    assert found.ratio.value < 0.8 < found.ratio.high
    assert not found.crossed
    assert "though chance could explain it" in fairness_told.told(found)
    advice = Recommendation("boosted", "boosted", "pilot", "Use it.")
    assert choice.limited(advice, "Boosted trees", fairness_told.crossings((found,))) is advice


def test_of_many_equal_groups_the_lowest_and_the_highest_lie_apart_by_chance_and_cross_nothing() -> None:
    sizes = {f"g{at}": (0.05, rows) for at, rows in enumerate((100, 100, 200, 300, 1_000, 2_000))}
    found = [grouped(sizes, seed=seed)[0] for seed in range(12)]  # type: ignore[arg-type]
    apart = [one.ratio.value for one in found if one.ratio is not None]
    assert sum(value < 0.8 for value in apart) > 6
    assert not any(one.crossed for one in found)
    assert {one.pairs for one in found} == {15}


def test_a_small_group_that_was_never_acted_on_proves_nothing() -> None:
    random = np.random.default_rng(3)
    values = ["few"] * 60 + ["many"] * 4_000
    alerts = np.concatenate([np.zeros(60, dtype=bool), random.random(4_000) < 0.03])
    labels = random.random(4_060) < 1 / 3
    time = held_out(labels, random.integers(0, 40, 4_060), np.random.default_rng(7))
    found = fairness.measured(judge(time), "boosted", acting(alerts), acting(alerts), "group", values, LIMIT)
    assert found.ratio is not None
    assert (found.lowest, found.ratio.value) == ("few", 0.0)
    assert not found.crossed


def beside_a_small_one(small_acts: int) -> Grouped:
    """Two large groups acted on in 2 and 6 of 100 cases, and one of 60 cases with so many."""
    random = np.random.default_rng(1)
    values = np.array(["A"] * 10_000 + ["B"] * 10_000 + ["C"] * 60, dtype=object)
    alerts = np.concatenate([random.random(10_000) < 0.02, random.random(10_000) < 0.06, np.arange(60) < small_acts])
    labels = random.random(len(values)) < 1 / 3
    time = held_out(labels, random.integers(0, 40, len(values)), np.random.default_rng(7))
    return fairness.measured(judge(time), "boosted", acting(alerts), acting(alerts), "group", list(values), LIMIT)


def test_a_small_group_with_the_highest_share_does_not_hide_that_two_others_surely_cross_the_limit() -> None:
    found = beside_a_small_one(5)
    assert found.crossed
    assert found.ratio is not None
    assert (found.lowest, found.highest) == ("A", "B")
    assert found.ratio.high < 0.8
    assert found.rule == pytest.approx(found.ratio.value)
    told = fairness_told.told(found)
    assert "of the cases of “A” and 6.3 % of the cases of “B”; that is 0.30 of it, where these two differ" in told
    assert "surely below the limit of 0.8" in told


def test_a_small_group_with_the_lowest_share_does_not_stand_for_two_others_that_cross_the_limit() -> None:
    found = beside_a_small_one(0)
    assert found.crossed
    assert found.ratio is not None
    assert found.ratio.high < 0.8
    assert found.highest == "B"


def test_groups_that_are_too_small_are_counted_and_missing_ones_are_shown_but_not_judged() -> None:
    found = grouped({"f": (0.3, 700), "m": (0.3, 700), None: (0.02, 700), "x": (0.0, 30), "y": (0.0, 12)})[0]
    assert {one.value for one in found.groups} == {"f", "m", ""}
    assert (found.left_out, found.left_out_rows) == (2, 42)
    assert found.pairs == 1
    assert not found.crossed
    assert "2 groups (42 decisions in all) are too small to be judged." in fairness_told.told(found)


def test_one_group_alone_is_compared_with_nothing() -> None:
    found = grouped({"f": (0.3, 700)})[0]
    assert found.ratio is None
    assert "fewer than two groups are large enough" in fairness_told.told(found)


def test_the_rule_of_today_stands_beside_the_model() -> None:
    random = np.random.default_rng(1)
    values = np.repeat(["f", "m"], 800)
    labels = random.random(1_600) < 0.3
    time = held_out(labels, random.integers(0, 40, 1_600), np.random.default_rng(7))
    rule = acting(random.random(1_600) < np.where(values == "f", 0.1, 0.4))
    model = acting(random.random(1_600) < 0.3)
    found = fairness.measured(judge(time), "boosted", model, rule, "sex", list(values), None)
    shares = [rule.answers[values == value].mean() for value in ("f", "m")]
    assert found.rule == pytest.approx(shares[0] / shares[1])
    assert found.limit is None
    assert not found.crossed


def test_ages_are_groups_by_their_quartiles_and_few_numbers_are_groups_themselves() -> None:
    ages = [str(age) for age in range(20, 60)] + [None]
    texts = fairness.banded(ages)
    assert list(dict.fromkeys(texts)) == [
        "under 29.75",
        "29.75 to under 39.5",
        "39.5 to under 49.25",
        "49.25 and more",
        "",
    ]
    assert [int((texts == value).sum()) for value in dict.fromkeys(texts)] == [10, 10, 10, 10, 1]
    assert set(fairness.banded(["1", "2", "3"])) == {"1", "2", "3"}
    assert set(fairness.banded(["a", *map(str, range(50))])) == {"a", *map(str, range(50))}


def test_of_numbers_the_mean_error_and_the_bias_of_each_group_are_told() -> None:
    random = np.random.default_rng(2)
    values = np.repeat(["f", "m"], 500)
    truth = random.normal(10, 2, 1_000)
    time = held_out(truth, random.integers(0, 30, 1_000), np.random.default_rng(7))
    worth = Worth(Value(currency="USD", too_low=-1, too_high=-1, review_minute=-1), -1)
    number = NumberJudge(time, judge(time).learnt, Policy(), worth)
    answers = truth + np.where(values == "f", 3.0, -1.0)
    said = Answers(np.column_stack([answers, answers - 1, answers + 1]), answers, np.zeros(1_000, dtype=bool))
    found = fairness.measured(number, "boosted", said, said, "sex", list(values), None)
    figures = {one.value: one.measures for one in found.groups}
    assert figures["f"]["bias"].value == pytest.approx(3)
    assert figures["m"]["bias"].value == pytest.approx(-1)
    assert figures["f"]["mean_absolute_error"].value == pytest.approx(3)
    assert "the mean error is 1 for “m” and 3 for “f”" in fairness_told.told(found)


def test_fiellers_interval_is_that_of_the_ratio_of_two_measured_figures() -> None:
    random = np.random.default_rng(5)
    ratios = random.normal(0.2, 0.01, 200_000) / random.normal(0.4, 0.02, 200_000)
    low, high = fairness.fieller(0.2, 0.4, (0.01**2, 0.02**2), 0.0, 1.96)
    assert (low, high) == pytest.approx(tuple(np.quantile(ratios, (0.025, 0.975))), abs=0.002)
    assert math.isinf(fairness.fieller(0.2, 0.01, (0.01**2, 0.02**2), 0.0, 1.96)[1])


def test_the_false_alarms_of_compas_are_those_that_propublica_published() -> None:
    """Of those who did not offend again: 44.9 % of the black and 23.5 % of the white people were called high risk."""
    people = pq.read_table(real_data("compas"))
    again = people["two_year_recid"].cast("int64").to_numpy() == 1
    alarmed = people["decile_score"].cast("int64").to_numpy() >= 5
    days = np.random.default_rng(1).integers(0, 100, people.num_rows)
    time, said = held_out(again, days, np.random.default_rng(7)), acting(alarmed)
    races = people["race"].to_pylist()
    limit = Fairness(by=["race"], measure="false_alarms", ratio=0.8)
    found = fairness.measured(judge(time), "compas", said, said, "race", races, limit)
    shares = {one.value: one.measures["false_alarms"].value for one in found.groups}
    assert shares["African-American"] == pytest.approx(0.4485, abs=5e-4)
    assert shares["Caucasian"] == pytest.approx(0.2345, abs=5e-4)
    assert found.crossed
    assert found.left_out == 2
    assert found.highest == "African-American"
