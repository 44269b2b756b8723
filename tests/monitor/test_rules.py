"""Quality, money and hours from counted decisions; the two sentences that answer safe and worth."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rollout.test_rules import DEFINITION, OPERATION, judged

from pilotage.monitor import charts, measures, rules, verdicts
from pilotage.monitor.records import Answerer, Hour, Matured, Operation, Service
from pilotage.releases import rules as release_rules
from pilotage.usecase.records import Value
from pilotage.usecase.rules.value import came_of

VALUE = Value(currency="USD", caught=180.0, false_alarm=-60.0, missed=-10.0)
NOW = datetime(2013, 12, 5, 20, tzinfo=UTC)
LIVE = release_rules.first("late_arrival", "", NOW, "")
USE_CASE = DEFINITION.use_case
BOTH: tuple[Answerer, Answerer] = ("model", "rule")


def matured(day: str, model: bool | None, rule: bool | None, happened: bool, count: int = 1) -> list[Matured]:
    """What came of the same answers to so many decisions, of everybody."""
    said: list[tuple[Answerer, bool | None]] = [("model", model), ("rule", rule), ("given", model)]
    return [
        Matured(
            day,
            who,
            model is not None,
            count,
            {name: count * one for name, one in came_of(bool(what), happened).items()},
        )
        for who, what in said
    ]


ROWS = [
    *matured("2013-12-01", True, False, True, 6),
    *matured("2013-12-01", True, True, False, 2),
    *matured("2013-12-02", False, True, True, 3),
    *matured("2013-12-02", False, None, False, 9),
]


@pytest.mark.parametrize(
    ("answered", "happened", "worth"),
    [(True, True, 180.0), (True, False, -60.0), (False, True, -10.0), (False, False, 0.0)],
)
def test_each_of_the_four_cases_has_its_price(answered: bool, happened: bool, worth: float) -> None:
    assert rules.money(came_of(answered, happened), "flag", VALUE) == worth


def test_quality_of_model_and_rule_on_the_same_decisions() -> None:
    model, rule = (rules.quality(name, ROWS, "flag", VALUE) for name in BOTH)
    assert (model.decisions, rule.decisions) == (20, 20)
    assert model.measures == {"alerts": 8, "precision": 6 / 8, "recall": 6 / 9}
    assert rule.measures == {"alerts": 5, "precision": 3 / 5, "recall": 3 / 9}
    assert model.money == 6 * 180 - 2 * 60 - 3 * 10
    assert rule.money == 3 * 180 - 2 * 60 - 6 * 10


def test_without_alerts_or_cases_precision_and_recall_are_undefined() -> None:
    quality = rules.quality("model", matured("2013-12-01", False, False, False), "flag", VALUE)
    assert (quality.measures["precision"], quality.measures["recall"], quality.money) == (None, None, 0.0)
    assert measures.in_words("flag", "", quality) == "No alerts yet; nothing to find yet"
    assert measures.shown("flag", quality) == ["0", "–", "–"]


def test_decisions_without_the_models_view_are_left_out_of_the_comparison() -> None:
    rows = [*ROWS, *matured("2013-12-02", None, True, True, 100)]
    assert rules.comparable(rows) == ROWS


@given(st.lists(st.tuples(st.integers(1, 9), st.booleans(), st.booleans(), st.booleans(), st.integers(1, 50))))
def test_money_by_day_sums_to_the_whole(counted: list[tuple[int, bool, bool, bool, int]]) -> None:
    rows = [row for day, *rest in counted for row in matured(f"2013-12-0{day}", *rest)]
    by_day = rules.days(rows, "flag", VALUE)
    assert sum(day.model for day in by_day) == pytest.approx(rules.quality("model", rows, "flag", VALUE).money)
    assert sum(day.rule for day in by_day) == pytest.approx(rules.quality("rule", rows, "flag", VALUE).money)
    assert sum(day.decisions for day in by_day) == sum(count for *_, count in counted)
    assert [day.day for day in by_day] == sorted(day.day for day in by_day)


def test_below_seven_days_there_is_no_interval() -> None:
    assert rules.advantage(ROWS, "flag", VALUE, seed=1) is None


def test_the_interval_holds_the_sum_and_is_the_same_every_time() -> None:
    rows = [row for day in range(1, 15) for row in matured(f"2013-12-{day:02}", True, False, day % 4 != 0, day)]
    found = rules.advantage(rows, "flag", VALUE, seed=1)
    assert found is not None
    total, low, high = found
    model, rule = (rules.quality(name, rows, "flag", VALUE) for name in BOTH)
    assert total == model.money - rule.money
    assert low < total < high
    assert rules.advantage(rows, "flag", VALUE, seed=1) == found


def test_days_that_are_all_alike_leave_no_doubt() -> None:
    rows = [row for day in range(1, 8) for row in matured(f"2013-12-0{day}", True, False, True)]
    assert rules.advantage(rows, "flag", VALUE, seed=1) == (1330.0, 1330.0, 1330.0)


def test_hours_count_decisions_and_only_what_is_no_stage_at_work() -> None:
    half_past = NOW + timedelta(minutes=30)
    volume = [
        (NOW, "shadow", "", 5),
        (NOW, "shadow", "model_failed", 4),
        (half_past, "too_slow", "too_slow", 2),
        (half_past, "rule_arm", "", 1),
        (NOW - timedelta(hours=2), "off", "", 3),
    ]
    first, second = rules.hours(volume)
    assert (first.hour, first.decisions, first.fallbacks) == (NOW - timedelta(hours=2), 3, {})
    assert (second.hour, second.decisions, second.fallbacks) == (NOW, 12, {"too_slow": 2})
    assert rules.fallback_reasons((first, second)) == {"too_slow": 2}
    assert rules.model_failures((first, second)) == {"model_failed": 4, "too_slow": 2}


def test_percentiles_of_nothing_are_nothing() -> None:
    assert rules.percentile([], 0.99) == 0
    assert rules.percentile(list(range(101)), 0.99) == 99


def served(asked: int, latency_p99_us: int = 9_000, **failures: int) -> Operation:
    return msgspec.structs.replace(OPERATION, recent=Service(asked, failures, asked, 900, latency_p99_us))


def test_unsafe_names_what_is_wrong_and_what_was_agreed() -> None:
    verdict = verdicts.still_safe(served(100, 250_000, too_slow=20), LIVE, USE_CASE)
    assert verdict.standing == "fail"
    assert "of the last 100 questions that apps asked over HTTP the model could not answer 20 times" in verdict.sentence
    assert "20.0\u202f%; at most 5.0\u202f% are agreed" in verdict.sentence
    assert "250 ms; 100 ms are agreed" in verdict.sentence


def test_a_model_that_fails_rarely_is_told_and_safe() -> None:
    verdict = verdicts.still_safe(served(10_000, too_slow=1), LIVE, USE_CASE)
    assert verdict.standing == "pass"
    assert verdict.sentence.endswith("But the model could not answer once (too slow 1).")


@pytest.mark.parametrize(
    ("found", "standing", "begins"),
    [
        (served(99), "inform", "Too few to tell: apps asked the model 99 questions over HTTP so far, 100 are needed."),
        (served(3, too_slow=3), "warn", "Too few to tell: apps asked the model 3 questions"),
        (
            served(100),
            "pass",
            "Yes: the model failed in 0.0\u202f% of the last 100 questions that apps asked over HTTP",
        ),
        (served(0), "inform", "Not known yet: no app has asked the model over HTTP. The 600 decisions so far came"),
    ],
)
def test_of_few_answers_to_apps_nothing_is_said(found: Operation, standing: str, begins: str) -> None:
    verdict = verdicts.still_safe(found, LIVE, USE_CASE)
    assert (verdict.standing, verdict.sentence[: len(begins)]) == (standing, begins)


def test_what_a_person_chose_is_no_trouble() -> None:
    asked = {("disabled", ""): 4, ("shadow", ""): 3, ("shadow", "model_failed"): 2, ("too_slow", "too_slow"): 1}
    assert rules.service(asked, [900] * 10).failures == {"model_failed": 2, "too_slow": 1}
    off = release_rules.switched(LIVE, False, "feed is wrong", NOW, "mara")
    assert "feed is wrong" in verdicts.still_safe(OPERATION, off, USE_CASE).sentence


def test_safe_and_the_gate_count_the_same() -> None:
    service = rules.service({("shadow", ""): 580, ("shadow", "too_slow"): 18, ("definition_changed", ""): 2}, [900])
    (technical,) = [
        each
        for each in judged("service", operation=msgspec.structs.replace(OPERATION, service=service)).criteria
        if each.name == "technical failures"
    ]
    safe = verdicts.still_safe(msgspec.structs.replace(OPERATION, recent=service), LIVE, USE_CASE)
    assert technical.came == "3.33% of 600"
    assert "3.3\u202f% of the last 600" in safe.sentence


@pytest.mark.parametrize(
    ("advantage", "standing", "begins"),
    [
        (None, "inform", "Not known yet"),
        ((900.0, 100.0, 1700.0), "pass", "Yes: +900 USD"),
        ((900.0, -100.0, 1900.0), "warn", "Not clear"),
        ((-900.0, -1700.0, -100.0), "fail", "No: \u2212900 USD"),
    ],
)
def test_worth_is_judged_by_the_interval(
    advantage: tuple[float, float, float] | None, standing: str, begins: str
) -> None:
    verdict = verdicts.still_worth_it(OPERATION, advantage)
    assert verdict.standing == standing
    assert verdict.sentence.startswith(begins)


def test_the_bar_of_an_hour_is_as_high_as_its_decisions() -> None:
    hours = [Hour(NOW - timedelta(days=8), 9, {}), Hour(NOW, 10, {"too_slow": 2, "disabled": 1})]
    pieces = charts.volume(hours, [LIVE])["layer"][0]["data"]["values"]
    assert [(piece["kind"], piece["low"], piece["high"]) for piece in pieces] == [
        ("as intended", 0, 7),
        ("switched off", 7, 8),
        ("too slow", 8, 10),
    ]


def test_changes_are_marked_only_where_the_chart_reaches() -> None:
    long_ago = msgspec.structs.replace(LIVE, changed_at=NOW - timedelta(days=30))
    marks = charts.volume([Hour(NOW, 10, {})], [LIVE, long_ago])["layer"][1]["data"]["values"]
    assert marks == [{"at": "2013-12-05T20:00:00Z"}]
