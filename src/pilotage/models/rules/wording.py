"""What was measured, in plain sentences: the same in a terminal and on a page."""

from __future__ import annotations

import math

from pilotage.models.records import (
    Comparison,
    Difference,
    Estimate,
    Measured,
    Reliability,
    SameAnswer,
    Slice,
    Trivial,
    Verdict,
)
from pilotage.models.rules.differences import SIGNIFICANT, holm
from pilotage.models.rules.slices import DAYS_MIN, POSITIVES_MIN, ROWS_MIN, TOLD

VERDICTS: dict[Verdict, str] = {
    "pilot": "Pilot",
    "keep_rule": "Keep the rule",
    "not_enough_evidence": "Not enough evidence",
    "blocked": "Blocked",
}
SAME: dict[SameAnswer, str] = {"always": "always acting", "never": "never acting"}
P_MIN = 0.001


def amount(money: float, currency: str) -> str:
    """``−1,234 USD``, without cents."""
    return f"{_whole(money)} {currency}"


def interval(estimate: Estimate, digits: int = 3, scale: float = 1.0) -> str:
    """``0.724 (0.694 to 0.745)``: the figure and its 95 % interval."""
    value, low, high = (
        f"{scale * end:,.{digits}f}".replace("-", "−") for end in (estimate.value, estimate.low, estimate.high)
    )
    return f"{value} ({low} to {high})"


def measured(comparison: Comparison, name: str) -> Measured:
    """One candidate of a comparison."""
    return next(one for one in comparison.candidates if one.candidate == name)


def name(comparison: Comparison, candidate: str) -> str:
    """Its title without what follows it."""
    return measured(comparison, candidate).title.split(",")[0]


def against(one: Difference) -> tuple[str, str, str]:
    """``+2,950 (2,100 to 3,700)``, its p alone, and corrected for all candidates tried."""
    sign = "+" if one.money.value > 0 else ""
    return sign + interval(one.money, 0), chance(one.p), chance(one.p_family)


def chance(p: float) -> str:
    """``0.004``, ``0.32`` or ``< 0.001``."""
    return f"< {P_MIN}" if p < P_MIN else f"{p:.2g}" if p < 1 else "1"


def same_answer(trivial: Trivial, currency: str) -> str:
    """What always and never acting come to, in a sentence."""
    other: SameAnswer = "never" if trivial.best == "always" else "always"
    least = trivial.never if other == "never" else trivial.always
    return (
        f"Without any model, {SAME[trivial.best]} would have been worth {amount(trivial.money.value, currency)} per "
        f"1,000 decisions and {SAME[other]} {amount(least.value, currency)}. Whoever gives everybody the "
        f"{100 * trivial.rate:.1f} % of the training time has a log loss of {trivial.log_loss.value:.4f}. "
        "A model that is not better than this is never recommended."
    )


def grounds(comparison: Comparison) -> str:
    """On what the figures stand."""
    return (
        f"Learnt from {comparison.rows_train:,} decisions before {_day(comparison.train_to)}, calibrated on "
        f"{comparison.rows_calibrate:,} before {_day(comparison.calibrate_to)}, judged on the "
        f"{comparison.rows_held_out:,} after that, which no candidate had seen. "
        "Intervals are 95 %, from resampling whole days."
    )


def sentences(one: Measured, rule: Measured, currency: str, says: str) -> tuple[str, ...]:
    """Every figure of a candidate in words. ``says`` is the outcome, such as 'arrives more than 30 minutes late'."""
    value, low, high = amount(one.money.value, currency), _whole(one.money.low), _whole(one.money.high)
    paid = "; reviews are paid for" if one.review_share else ""
    first = _hundred(one.auc.value)
    told = [
        f"Per 1,000 decisions it is worth {value}, between {low} and {high} with 95 % confidence{paid}.",
        _alerts(one),
        f"Of 100 cases where the outcome is “{says}” it catches about {_hundred(one.recall.value)}.",
        f"Of a case with that outcome and one without, it puts the right one first {first} times in 100; a coin, 50.",
        f"Its probabilities are {_off(one)}{_knows(one, rule)}",
    ]
    if one.review_share:
        told.append(f"About {one.review_share * 1000:,.0f} of 1,000 decisions are uncertain and go to a person.")
    if one.candidate != "rule":
        told.append(f"One answer takes {_time(one.latency_us)}; its files take {size(one.size_bytes)}.")
    return tuple(told)


def _alerts(one: Measured) -> str:
    if not one.alerts_share:
        return "It never alerts."
    return (
        f"Of 1,000 decisions it alerts in {one.alerts_share * 1000:,.0f}; "
        f"of 100 alerts about {_hundred(1 - one.precision.value)} are false alarms."
    )


def slice_told(one: Slice, currency: str) -> str:
    """A slice in a sentence."""
    word = "more" if one.difference.value >= 0 else "less"
    return (
        f"Where {one.column} is {one.value or 'missing'} ({one.rows:,} decisions, {one.positives:,} of them positive), "
        f"it is worth {amount(abs(one.difference.value), currency)} {word} than the rule per 1,000: 95 % interval of "
        f"the difference {_whole(one.difference.low)} to {_whole(one.difference.high)}; AUC {interval(one.auc, 2)}."
    )


def worst_slices(comparison: Comparison) -> list[str]:
    """The slices on which the model does worst against the rule."""
    return [slice_told(one, comparison.currency) for one in comparison.slices[:TOLD]]


def slices_counted(comparison: Comparison) -> str:
    """How many slices there are, and how few of them mean something."""
    left = comparison.slices_left_out
    more = (
        f" {left:,} more had fewer than {ROWS_MIN} decisions, {POSITIVES_MIN} positive outcomes or {DAYS_MIN} days."
        if left
        else ""
    )
    return f"The worst of {len(comparison.slices):,} slices; of so many, some look bad by chance.{more}"


def _off(one: Measured) -> str:
    """How far probabilities are from what happened: only what chance would not do to a perfectly calibrated model."""
    found = one.reliability
    if found is None:
        return f"{100 * one.calibration_error.value:.1f} percentage points off on average"
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


def _knows(one: Measured, rule: Measured) -> str:
    if one is rule or one.candidate == "rule":
        return f"; its log loss is {one.log_loss.value:.3f} (smaller is better)."
    word = "better" if one.log_loss.value < rule.log_loss.value else "worse"
    return f"; its log loss of {one.log_loss.value:.3f} is {word} than the rule's {rule.log_loss.value:.3f}."


def size(count: int) -> str:
    """``37 kB``."""
    return f"{count} bytes" if count < 1000 else f"{count / 1000:,.0f} kB"


def _time(microseconds: float) -> str:
    return f"{microseconds:,.0f} µs" if microseconds >= 1 else "less than 1 µs"


def _whole(number: float) -> str:
    return f"{round(number):,}".replace("-", "−")


def _hundred(share: float) -> str:
    return f"{100 * share:.0f}"


def _day(instant: object) -> str:
    return f"{instant:%Y-%m-%d}"
