"""Why a candidate is recommended, or none: the figures behind the verdict, in words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pilotage.models.records import CandidateName, Measured
from pilotage.models.rules.choice import Contest, Recommendation, is_ahead, is_informed, is_proved
from pilotage.models.rules.differences import GROWTH_MAX, SIGNIFICANT, days_min, growth, rounded_up
from pilotage.platform.counting import plural


def reason(contest: Contest, advice: Recommendation) -> str:
    """One to four sentences."""
    if advice.verdict == "pilot":
        return _pilot(contest, advice.recommended, advice.best)
    if advice.verdict == "not_enough_evidence":
        return _not_enough(contest)
    return _keep(contest)


def _pilot(contest: Contest, chosen: CandidateName, best: CandidateName) -> str:
    more, interval = _difference(contest.money_draws[chosen] - contest.money_draws["rule"], contest.currency)
    name = _name(contest.of(chosen)).lower()
    told = f"Use the {name}: {more} than the rule per 1,000 decisions ({interval}{_p(contest, chosen)})."
    told += _doubt(contest, chosen)
    if chosen == best:
        return told
    lead = contest.money_draws[best] - contest.money_draws[chosen]
    rival, amount = _name(contest.of(best)), _amount(float(lead[0]), contest.currency)
    if is_proved(contest, best):
        return f"{told} {rival} would add {amount}: no more than chance could explain, and harder to follow."
    return f"{told} {rival} earned {amount} more here, and is not yet proved better than the rule."


def _doubt(contest: Contest, name: CandidateName) -> str:
    """What is less sure than the lead over the rule: that over the best answer without a model."""
    same, draws = contest.same
    beyond = contest.money_draws[name] - draws
    if np.quantile(beyond[1:], 0.025) > 0:
        return ""
    more, interval = _difference(beyond, contest.currency)
    return f" Against {same.title} it is worth {more} ({interval}): not yet proved."


def _not_enough(contest: Contest) -> str:
    """The best of those ahead, what is missing, and how many more decisions would show it."""
    ahead = [name for name in contest.models if is_informed(contest, name) and is_ahead(contest, name)]
    name = max(ahead, key=contest.money)
    draws, rule = contest.money_draws[name], contest.money_draws["rule"]
    more, interval = _difference(draws - rule, contest.currency)
    return (
        f"Not enough evidence: per 1,000 decisions the best model ({_name(contest.of(name))}) is worth {more} than the "
        f"rule ({interval}{_p(contest, name)}), and {_chance(contest, name)}. {_needed(contest, name, draws - rule)} "
        "Until then the rule stays."
    )


def _chance(contest: Contest, name: CandidateName) -> str:
    """That chance could explain it; with how often it would, where the interval alone says otherwise."""
    one = contest.difference(name)
    if one.money.low <= 0 or one.p_family <= SIGNIFICANT:
        return "chance could explain that much"
    return (
        f"on {plural(contest.days, contest.day)}, with {_tried(contest)} tried, chance alone would show as much in "
        f"{100 * one.p_family:.0f} of 100 cases"
    )


def _needed(contest: Contest, name: CandidateName, draws: NDArray[np.float64]) -> str:
    """About how many more held-out decisions would settle it, with what that assumes."""
    tried, p = len(contest.differences), contest.difference(name).p
    if contest.days < days_min(tried):
        return _too_few(contest, tried)
    times = growth(float(draws[0]), float(draws[1:].std(ddof=1)), contest.days, p, tried)
    if times > GROWTH_MAX:
        return f"So small a difference would take more than {GROWTH_MAX:.0f} times as many held-out decisions to show."
    rows, days = rounded_up((times - 1) * contest.rows), rounded_up((times - 1) * contest.days)
    like = f" (some {plural(days, 'day')} like these {contest.days:,})" if contest.day == "day" else ""
    return (
        f"About {rows:,} more held-out decisions{like} would settle it in four cases of five, if the difference stays "
        f"as it is and {contest.day}s go on varying as they did."
    )


def _too_few(contest: Contest, tried: int) -> str:
    """That no difference could show on so few days or groups, and what to do."""
    lowest, needed = min(1.0, tried * 2 / 2**contest.days), days_min(tried)
    more = plural(needed - contest.days, f"more {contest.day}")
    rows = rounded_up((needed / contest.days - 1) * contest.rows)
    do = "sync more history" if contest.day == "day" else "let decision.judged name decisions of more days"
    return (
        f"Judged on {plural(contest.days, contest.day)} p cannot fall below {lowest:.2g}, whatever a model earns, and "
        f"{SIGNIFICANT:g} is asked for: at least {more} must judge, some {rows:,} decisions. So {do}."
    )


def _keep(contest: Contest) -> str:
    if not contest.models:
        return "Keep the rule: no model could be trained and proved."
    name = max(contest.models, key=contest.money)
    rival, trivial = contest.of(name), contest.same[0]
    if trivial.money.value >= max(rival.money.value, contest.money("rule")):
        return _nothing_better(contest, rival)
    if not is_informed(contest, name):
        than, least = contest.least_loss
        return (
            f"Keep the rule: the best model ({_name(rival)}) predicts worse than {than}, "
            f"with a {rival.loss.replace('_', ' ')} of {rival.lost:.3f} against {least:.3f}."
        )
    less, interval = _difference(contest.money_draws[name] - contest.money_draws["rule"], contest.currency)
    return f"Keep the rule: per 1,000 decisions the best model ({_name(rival)}) is worth {less} ({interval})."


def _nothing_better(contest: Contest, rival: Measured) -> str:
    """No model is better than the same answer every time; perhaps the rule is not either."""
    trivial, currency, rule = contest.same[0], contest.currency, contest.money("rule")
    amount = _amount(trivial.money.value, currency)
    told = (
        f"Keep the rule: {trivial.title} is worth {amount} per 1,000 decisions, "
        f"no less than the best model ({_name(rival)}) with {_amount(rival.money.value, currency)}."
    )
    if trivial.money.value <= rule:
        return told
    return f"{told} It is worth more than the rule, too, with {_amount(rule, currency)}: ask whether the rule pays."


def _p(contest: Contest, name: CandidateName) -> str:
    """``; p = 0.012, corrected for 3 candidates``."""
    p = contest.difference(name).p_family
    return f"; p = {p:.2g}" + (f", corrected for {_tried(contest)}" if len(contest.differences) > 1 else "")


def _tried(contest: Contest) -> str:
    count = len(contest.differences)
    return f"{count} candidates" if count > 1 else "one candidate"


def _difference(draws: NDArray[np.float64], currency: str) -> tuple[str, str]:
    """How much more or less, and the interval of that."""
    sign, word = (1, "more") if draws[0] >= 0 else (-1, "less")
    low, high = sorted(sign * float(end) for end in np.quantile(draws[1:], (0.025, 0.975)))
    amount = _amount(abs(float(draws[0])), currency)
    return f"{amount} {word}", f"95 % interval {_amount(low, currency)} to {_amount(high, currency)}"


def _name(one: Measured) -> str:
    """The title without what follows it."""
    return one.title.split(",")[0]


def _amount(money: float, currency: str) -> str:
    return f"{'−' if round(money) < 0 else ''}{currency} {abs(money):,.0f}"
