"""The threshold by value, and which candidate to recommend: the simplest that is proved to earn more than the rule."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pilotage.models.records import CandidateName, Difference, Measured, Trivial, Verdict
from pilotage.usecase.records import Policy, Value

SIMPLEST_FIRST: tuple[CandidateName, ...] = ("rule", "logistic", "additive", "boosted")
THRESHOLD_MIN, THRESHOLD_MAX = 0.001, 0.999
BLOCKERS_TOLD = 3


@dataclass(frozen=True)
class Contest:
    """All that the recommendation reads. Draws are money per 1,000 decisions: itself, then per resample, all paired."""

    candidates: tuple[Measured, ...]
    money_draws: dict[CandidateName, NDArray[np.float64]]
    differences: tuple[Difference, ...]
    trivial: Trivial
    trivial_draws: NDArray[np.float64]
    rows: int
    days: int
    currency: str

    def of(self, name: CandidateName) -> Measured:
        return next(one for one in self.candidates if one.candidate == name)

    def difference(self, name: CandidateName) -> Difference:
        return next(one for one in self.differences if one.candidate == name)

    def money(self, name: CandidateName) -> float:
        return self.of(name).money.value

    @property
    def models(self) -> list[CandidateName]:
        """Simplest first, without the rule."""
        tried = {one.candidate for one in self.candidates} - {"rule"}
        return [name for name in SIMPLEST_FIRST if name in tried]


@dataclass(frozen=True)
class Recommendation:
    """The one that earns most, the one to use, the verdict, and why in one sentence or two."""

    best: CandidateName
    recommended: CandidateName
    verdict: Verdict
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


def recommend(contest: Contest, reason: Callable[[Contest, Recommendation], str]) -> Recommendation:
    """The simplest proved candidate within one standard error of the best proved one, by money per 1,000 decisions.

    Proved is who earns more than always and never acting, and more than the rule with a 95 % interval above 0.
    The error is that of the *difference* to the best, over the same resampled days (Breiman's one-standard-error rule,
    paired). A model that knows less than the rule or than the base rate (greater log loss) is not recommended, whatever
    it earned. Where a model is ahead of both and not proved, there is not enough evidence. ``reason`` words it.
    """
    informed = [name for name in contest.models if is_informed(contest, name)]
    ahead = [name for name in informed if is_ahead(contest, name)]
    proved = [name for name in ahead if is_proved(contest, name)]
    best = max(["rule", *informed], key=contest.money)
    advice = Recommendation(best, "rule", "not_enough_evidence" if ahead else "keep_rule", "")
    if proved:
        advice = Recommendation(best, _simplest(contest, proved), "pilot", "")
    return dataclasses.replace(advice, reason=reason(contest, advice))


def is_informed(contest: Contest, name: CandidateName) -> bool:
    """Whether its probabilities say at least as much as the rule's two rates, and as one base rate for everybody."""
    least = min(contest.of("rule").log_loss.value, contest.trivial.log_loss.value)
    return contest.of(name).log_loss.value <= least


def is_ahead(contest: Contest, name: CandidateName) -> bool:
    """Whether it earned more than the rule, always and never acting: so far, chance or not."""
    return contest.money(name) > max(contest.money("rule"), contest.trivial.money.value)


def is_proved(contest: Contest, name: CandidateName) -> bool:
    """Whether the 95 % interval of what it earned more than the rule lies above 0."""
    return contest.difference(name).money.low > 0


def _simplest(contest: Contest, proved: list[CandidateName]) -> CandidateName:
    draws = contest.money_draws
    best = max(proved, key=contest.money)
    for name in proved:
        behind = draws[best] - draws[name]
        if behind[0] <= behind[1:].std(ddof=1):
            return name
    return best


def blocked(advice: Recommendation, blockers: tuple[str, ...]) -> Recommendation:
    """The rule stays where the audit found what forbids trusting the figures, however good these are."""
    if not blockers:
        return advice
    count = "something that blocks" if len(blockers) == 1 else f"{len(blockers)} things that block"
    more = f" And {len(blockers) - BLOCKERS_TOLD} more." if len(blockers) > BLOCKERS_TOLD else ""
    reason = f"Keep the rule for now: the audit found {count}, so these figures cannot be trusted. "
    return Recommendation(advice.best, "rule", "blocked", reason + " ".join(blockers[:BLOCKERS_TOLD]) + more)
