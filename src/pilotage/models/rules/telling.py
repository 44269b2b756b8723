"""Every figure of a candidate in plain sentences, by kind of outcome: for those who never heard of an AUC."""

from __future__ import annotations

import math
from collections.abc import Callable

from pilotage.models.records import Comparison, Measured, Reliability
from pilotage.models.rules.differences import SIGNIFICANT, holm
from pilotage.models.rules.wording import amount, measured, review_money, size, whole
from pilotage.usecase.records import OutcomeKind


def sentences(comparison: Comparison, one: Measured, says: str) -> tuple[str, ...]:
    """``says`` is the outcome in words, such as 'arrives more than 30 minutes late'."""
    value, low, high = amount(one.money.value, comparison.currency), whole(one.money.low), whole(one.money.high)
    paid = f"; {review_money(comparison)}" if one.review_share else ""
    told = [f"Per 1,000 decisions it is worth {value}, between {low} and {high} with 95 % confidence{paid}."]
    told += _OF_KIND[comparison.kind](comparison, one, says)
    if one.review_share:
        told.append(f"About {one.review_share * 1000:,.0f} of 1,000 decisions are uncertain and go to a person.")
    if one.is_model:
        told.append(f"One answer takes {_time(one.latency_us)}; its files take {size(one.size_bytes)}.")
        told.append(_learning(one))
    return tuple(told)


def _flag(comparison: Comparison, one: Measured, says: str) -> list[str]:
    first = _hundred(one.measures["auc"].value)
    return [
        alerts(one),
        f"Of 100 cases where the outcome is “{says}” it catches about {_hundred(one.measures['recall'].value)}.",
        f"Of a case with that outcome and one without, it puts the right one first {first} times in 100; a coin, 50.",
        f"Its probabilities are {_off(one)}{_knows(comparison, one)}",
    ]


def _category(comparison: Comparison, one: Measured, says: str) -> list[str]:
    right, balanced = one.measures["accuracy"].value, one.measures["balanced_accuracy"].value
    return [
        f"Of 100 answers about {_hundred(right)} are right.",
        f"With each of the {len(comparison.classes)} categories counting alike, about {_hundred(balanced)} are.",
        f"How sure it says it is, is {_off(one)}{_knows(comparison, one)}",
    ]


def _number(comparison: Comparison, one: Measured, says: str) -> list[str]:
    unit = f" {comparison.unit}" if comparison.unit else ""
    bias = one.measures["bias"].value
    way = "high" if bias > 0 else "low"
    told = [
        f"Answers are {one.measures['mean_absolute_error'].value:,.3g}{unit} off on average, one way or the other.",
        f"On average they lie {abs(bias):,.3g}{unit} too {way}.",
    ]
    if "coverage" in one.measures:
        told.append(
            f"Its interval of 90 % is {one.measures['width'].value:,.3g}{unit} wide on average and holds what really "
            f"happened in {_hundred(one.measures['coverage'].value)} of 100 cases."
        )
    return told


_OF_KIND: dict[OutcomeKind, Callable[[Comparison, Measured, str], list[str]]] = {
    "flag": _flag,
    "category": _category,
    "number": _number,
}


def alerts(one: Measured) -> str:
    """How often it alerts, and how often for nothing."""
    if not one.alerts_share:
        return "It never alerts."
    return (
        f"Of 1,000 decisions it alerts in {one.alerts_share * 1000:,.0f}; "
        f"of 100 alerts about {_hundred(1 - one.measures['precision'].value)} are false alarms."
    )


def _off(one: Measured) -> str:
    """How far probabilities are from what happened: only what chance would not do to a perfectly calibrated model."""
    found = one.reliability
    if found is None:
        return f"{100 * one.measures['calibration_error'].value:.1f} percentage points off on average"
    if min(holm([found.log_loss.p, found.brier.p])) > SIGNIFICANT:
        low, high = f"{found.log_loss.low:.3f}", f"{found.log_loss.high:.3f}"
        return f"off by no more than chance explains (a perfectly calibrated model would have {low} to {high})"
    told = f"off: on average it says {_percent(found.said)}, and {_percent(found.happened)} turned out so"
    if found.slope.high < 1 or found.slope.low > 1:
        word = "too extreme" if found.slope.value < 1 else "too timid"
        ends = [bin_.predicted for bin_ in (one.calibration[0], one.calibration[-1])]
        low, high = (f"{_percent(end)} read {_percent(_recalibrated(found, end))}" for end in ends)
        told += f"; they are {word} by a factor of {_factor(found):.2f} in log-odds: for {low}, for {high}"
    return told


def _factor(found: Reliability) -> float:
    slope = max(abs(found.slope.value), 1e-3)
    return max(slope, 1 / slope)


def _recalibrated(found: Reliability, probability: float) -> float:
    """What a probability should have been, by slope and intercept."""
    safe = min(max(probability, 1e-6), 1 - 1e-6)
    margin = found.slope.value * math.log(safe / (1 - safe)) + found.intercept.value
    return 1 / (1 + math.exp(-max(-500.0, min(500.0, margin))))


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _knows(comparison: Comparison, one: Measured) -> str:
    if one.candidate == "rule":
        return f"; its log loss is {one.lost:.3f} (smaller is better)."
    rule = measured(comparison, "rule")
    word = "better" if one.lost < rule.lost else "worse"
    return f"; its log loss of {one.lost:.3f} is {word} than the rule's {rule.lost:.3f}."


def _learning(one: Measured) -> str:
    """What teaching it cost."""
    memory = "" if one.train_bytes is None else f" and {one.train_bytes / 1e6:,.0f} MB of memory beyond the data"
    return f"Learning took {one.train_seconds:,.1f} s{memory}."


def _time(microseconds: float) -> str:
    return f"{microseconds:,.0f} µs" if microseconds >= 1 else "less than 1 µs"


def _hundred(share: float) -> str:
    return f"{100 * share:.0f}"
