"""What was measured, in plain sentences: the same in a terminal and on a page."""

from __future__ import annotations

from pilotage.models.records import Comparison, Estimate, Measured


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
    first, off = _hundred(one.auc.value), 100 * one.calibration_error.value
    told = [
        f"Per 1,000 decisions it is worth {value}, between {low} and {high} with 95 % confidence{paid}.",
        _alerts(one),
        f"Of 100 cases where the outcome is “{says}” it catches about {_hundred(one.recall.value)}.",
        f"Of a case with that outcome and one without, it puts the right one first {first} times in 100; a coin, 50.",
        f"Its probabilities are {off:.1f} percentage points off on average{_knows(one, rule)}",
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
