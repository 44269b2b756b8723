"""What was measured, in plain sentences: the same in a terminal and on a page."""

from __future__ import annotations

from pilotage.models.records import Comparison, Difference, Estimate, Measured, Slice, Trivial, Verdict
from pilotage.models.rules.measures import MEASURES, Measure, main
from pilotage.models.rules.slices import DAYS_MIN, POSITIVES_MIN, ROWS_MIN, TOLD, behind_others, below_rule
from pilotage.platform.counting import plural
from pilotage.usecase.records import OutcomeKind

VERDICTS: dict[Verdict, str] = {
    "pilot": "Pilot",
    "keep_rule": "Keep the rule",
    "not_enough_evidence": "Not enough evidence",
    "blocked": "Blocked",
}
P_MIN = 0.001


def amount(money: float, currency: str) -> str:
    """``−1,234 USD``, without cents."""
    return f"{whole(money)} {currency}"


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
    return short(measured(comparison, candidate))


def short(one: Measured) -> str:
    """A candidate's title without what follows it."""
    return one.title.split(",")[0]


def against(one: Difference) -> tuple[str, str, str]:
    """``+2,950 (2,100 to 3,700)``, its p alone, and corrected for all candidates tried."""
    sign = "+" if one.money.value > 0 else ""
    return sign + interval(one.money, 0), chance(one.p), chance(one.p_family)


def chance(p: float) -> str:
    """``0.004``, ``0.32`` or ``< 0.001``."""
    return f"< {P_MIN}" if p < P_MIN else f"{p:.2g}" if p < 1 else "1"


def figures(one: Measured, kind: OutcomeKind) -> list[str]:
    """Every measure of the kind's table with its interval, empty where the candidate has none."""
    found = []
    for measure in MEASURES[kind]:
        value = one.measures.get(measure.name)
        found.append("" if value is None else interval(value, measure.digits, measure.scale))
    return found


def same(comparison: Comparison) -> Trivial | None:
    """The answer without a model that is worth most."""
    return max(comparison.trivial, key=lambda one: one.money.value, default=None)


def same_answers(comparison: Comparison) -> str:
    """What every answer without a model comes to, in a sentence; empty where none was measured."""
    if not comparison.trivial:
        return ""
    currency = comparison.currency
    told = [f"{one.title} would have been worth {amount(one.money.value, currency)}" for one in comparison.trivial]
    listed = told[0] if len(told) == 1 else f"{', '.join(told[:-1])} and {told[-1]}"
    return (
        f"Per 1,000 decisions and without any model, {listed}. "
        "A model that is not better than all of these is never recommended."
    )


def refusals(comparison: Comparison) -> list[str]:
    """Which candidates have no figures, and why."""
    return [f"Refused: {name}. {why}" for name, why in comparison.refused.items()]


def grounds(comparison: Comparison) -> str:
    """On what the figures stand."""
    learnt, held_out = f"Learnt from {comparison.rows_train:,} decisions", f"{comparison.rows_held_out:,}"
    left_out = "".join(f" {sentence}" for sentence in comparison.left_out)
    if comparison.judged_by == "group":
        return (
            f"{learnt}, calibrated on {comparison.rows_calibrate:,} drawn from among them, judged on the {held_out} "
            "that the file sets apart, which no candidate had seen. Intervals are 95 %, from resampling groups of "
            f"decisions.{left_out}"
        )
    return (
        f"{learnt} before {_day(comparison.train_to)}, calibrated on "
        f"{comparison.rows_calibrate:,} before {_day(comparison.calibrate_to)}, judged on the "
        f"{held_out} after that, which no candidate had seen. "
        f"Intervals are 95 %, from resampling whole days.{left_out}"
    )


def review_money(comparison: Comparison) -> str:
    """Whether what reviews cost is in the money."""
    if comparison.reviews_free:
        return "reviews are counted as free: set brief.value.review_minute to count them"
    return "reviews are paid for"


NOWHERE = "Nowhere was it found to be surely worse than on all other decisions, or to earn surely less than the rule."


def slice_told(one: Slice, currency: str, kind: OutcomeKind) -> str:
    """A slice in a sentence."""
    word = "more" if one.difference.value >= 0 else "less"
    positives = "" if one.positives is None else f", {one.positives:,} of them positive"
    measure = main(kind)
    others = "" if one.elsewhere is None else f", on all others {measure.scale * one.elsewhere:,.{measure.digits}f}"
    return (
        f"Where {one.column} is {one.value or 'missing'} ({one.rows:,} decisions{positives}), "
        f"{noun(measure)} is {interval(one.measure, measure.digits, measure.scale)}{others}; it is worth "
        f"{amount(abs(one.difference.value), currency)} {word} than the rule per 1,000 (95 % interval of the "
        f"difference {whole(one.difference.low)} to {whole(one.difference.high)})."
    )


def noun(measure: Measure) -> str:
    """``mean error``, ``AUC``, ``accuracy %``."""
    return measure.heading if measure.title.isupper() else measure.heading.lower()


def worst_slices(comparison: Comparison) -> list[str]:
    """Where the model is surely worse than elsewhere, or than the rule; that it is nowhere, if so."""
    found = comparison.slices
    if all(one.behind is None for one in found):
        return []
    worst = list(dict.fromkeys([*behind_others(found), *below_rule(found)]))[:TOLD]
    return [slice_told(one, comparison.currency, comparison.kind) for one in worst] or [NOWHERE]


def slices_counted(comparison: Comparison) -> str:
    """How many slices there are, what is named of them, and how many were too small."""
    left, positives = comparison.slices_left_out, f"{POSITIVES_MIN} positive outcomes or "
    if comparison.kind != "flag":
        positives = ""
    least = f"fewer than {ROWS_MIN} decisions{',' if positives else ' or'} {positives}{DAYS_MIN} days"
    more = f" {left:,} more had {least}." if left else ""
    return (
        f"Of {plural(len(comparison.slices), 'slice')} those are named that are worse by more than chance, all of them "
        f"considered.{more}"
    )


def size(count: int) -> str:
    """``37 kB``."""
    return f"{count} bytes" if count < 1000 else f"{count / 1000:,.0f} kB"


def whole(number: float) -> str:
    """``−1,234``."""
    return f"{round(number):,}".replace("-", "−")


def _day(instant: object) -> str:
    return f"{instant:%Y-%m-%d}"
