"""The threshold by value, and which candidate to recommend: the simplest that is not measurably worth less."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pilotage.models.records import CandidateName, Measured
from pilotage.usecase.records import Policy, Value

SIMPLEST_FIRST: tuple[CandidateName, ...] = ("rule", "logistic", "additive", "boosted")
THRESHOLD_MIN, THRESHOLD_MAX = 0.001, 0.999
BLOCKERS_TOLD = 3


@dataclass(frozen=True)
class Recommendation:
    """The one that earns most, the one to use, and why in one sentence or two."""

    best: CandidateName
    recommended: CandidateName
    reason: str


def threshold(policy: Policy, value: Value) -> float:
    """From which probability on acting is worth it.

    Acting is worth ``p·caught + (1 - p)·false_alarm``, leaving it ``p·missed``; they are equal at
    ``-false_alarm / (caught - false_alarm - missed)`` (Elkan 2001). A number in the policy goes before.
    """
    if not isinstance(policy.threshold, str):
        return policy.threshold
    gained = value.caught - value.false_alarm - value.missed
    if gained <= 0:  # acting never pays
        return THRESHOLD_MAX
    return min(max(-value.false_alarm / gained, THRESHOLD_MIN), THRESHOLD_MAX)


def uncertain_band(policy: Policy, at: float) -> tuple[float, float]:
    """Probabilities so near to the threshold that a person should look."""
    return max(0.0, at - policy.uncertain_within), min(1.0, at + policy.uncertain_within)


def recommend(
    candidates: tuple[Measured, ...], money_draws: dict[CandidateName, NDArray[np.float64]], currency: str
) -> Recommendation:
    """The simplest candidate within one standard error of the best, by money per 1,000 decisions.

    The error is that of the *difference* to the best, over the same resampled days (Breiman's one-standard-error rule,
    paired). A model that knows less than the rule (greater log loss) is not recommended, whatever it earned.
    """
    by_name = {one.candidate: one for one in candidates}
    rule = by_name["rule"]
    fit = [name for name in SIMPLEST_FIRST if name in by_name and by_name[name].log_loss.value <= rule.log_loss.value]
    best = max(fit, key=lambda name: by_name[name].money.value)
    for name in fit:
        behind = money_draws[best] - money_draws[name]
        if behind[0] <= behind[1:].std(ddof=1):
            return Recommendation(best, name, _reason(by_name, name, best, money_draws, currency))
    return Recommendation(best, best, _reason(by_name, best, best, money_draws, currency))


def blocked(advice: Recommendation, blockers: tuple[str, ...]) -> Recommendation:
    """The rule stays where the audit found what forbids trusting the figures, however good these are."""
    if not blockers:
        return advice
    count = "something that blocks" if len(blockers) == 1 else f"{len(blockers)} things that block"
    more = f" And {len(blockers) - BLOCKERS_TOLD} more." if len(blockers) > BLOCKERS_TOLD else ""
    reason = f"Keep the rule for now: the audit found {count}, so these figures cannot be trusted. "
    return Recommendation(advice.best, "rule", reason + " ".join(blockers[:BLOCKERS_TOLD]) + more)


def _reason(
    by_name: dict[CandidateName, Measured],
    chosen: CandidateName,
    best: CandidateName,
    draws: dict[CandidateName, NDArray[np.float64]],
    currency: str,
) -> str:
    """The figures behind the recommendation, in words."""
    rule, ours = by_name["rule"], by_name[chosen]
    if chosen == "rule":
        rival = max((one for one in by_name.values() if one is not rule), key=lambda one: one.money.value, default=None)
        if rival is None:
            return "Keep the rule: no model could be trained and proved."
        if rival.log_loss.value > rule.log_loss.value:
            return (
                f"Keep the rule: the best model ({_name(rival)}) predicts worse than the rule, "
                f"with a log loss of {rival.log_loss.value:.3f} against {rule.log_loss.value:.3f}."
            )
        more, interval = _difference(draws[rival.candidate] - draws["rule"], currency)
        return (
            f"Keep the rule: per 1,000 decisions the best model ({_name(rival)}) would be worth {more} ({interval}), "
            "no more than chance could explain."
        )
    more, interval = _difference(draws[chosen] - draws["rule"], currency)
    reason = f"Use the {_name(ours).lower()}: {more} than the rule per 1,000 decisions ({interval})."
    if chosen != best:
        ahead = _amount(float(draws[best][0] - draws[chosen][0]), currency)
        reason += f" {_name(by_name[best])} would add {ahead}: no more than chance could explain, and harder to follow."
    return reason


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
