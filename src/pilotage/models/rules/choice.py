"""Which candidate to recommend: the simplest that is proved to earn more than the rule."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pilotage.models.records import CandidateName, Difference, Measured, Trivial, Verdict
from pilotage.models.rules.differences import is_significant

BLOCKERS_TOLD = 3


@dataclass(frozen=True)
class Contest:
    """All that the recommendation reads. Draws are money per 1,000 decisions: itself, then per resample, all paired.

    ``candidates`` stand simplest first. ``days`` are what was resampled: days, or groups of decisions without a clock,
    as ``day`` names them.
    """

    candidates: tuple[Measured, ...]
    money_draws: dict[CandidateName, NDArray[np.float64]]
    differences: tuple[Difference, ...]
    trivial: tuple[tuple[Trivial, NDArray[np.float64]], ...]
    rows: int
    days: int
    currency: str
    day: str = "day"

    def of(self, name: CandidateName) -> Measured:
        return next(one for one in self.candidates if one.candidate == name)

    def difference(self, name: CandidateName) -> Difference:
        return next(one for one in self.differences if one.candidate == name)

    def money(self, name: CandidateName) -> float:
        return self.of(name).money.value

    @property
    def models(self) -> list[CandidateName]:
        """Simplest first, without the rule and people."""
        return [one.candidate for one in self.candidates if one.is_model]

    @property
    def same(self) -> tuple[Trivial, NDArray[np.float64]]:
        """The answer without a model that is worth most, and its draws."""
        return max(self.trivial, key=lambda one: one[0].money.value)

    @property
    def least_loss(self) -> tuple[str, float]:
        """Who of the rule, people and the answers without a model knows most, in words, and the loss of that."""
        known = [
            ("the rule" if one.candidate == "rule" else "people", one.lost)
            for one in self.candidates
            if not one.is_model
        ]
        known += [(one.title, one.loss.value) for one, _ in self.trivial if one.loss is not None]
        return min(known, key=lambda one: one[1])


@dataclass(frozen=True)
class Recommendation:
    """The one that earns most, the one to use, the verdict, and why in one sentence or two."""

    best: CandidateName
    recommended: CandidateName
    verdict: Verdict
    reason: str


def recommend(contest: Contest, reason: Callable[[Contest, Recommendation], str]) -> Recommendation:
    """The simplest proved candidate within one standard error of the best proved one, by money per 1,000 decisions.

    Proved is who earns more than any answer without a model, and more than the rule with a 95 % interval above 0 and a
    p-value of flipped days, corrected for all candidates tried, of at most 0.05.
    The error is that of the *difference* to the best, over the same resampled days (Breiman's one-standard-error rule,
    paired). A model that knows less than the rule, people or an answer without a model (greater loss) is not
    recommended, whatever it earned. Where a model is ahead of both and not proved, there is not enough evidence.
    ``reason`` words it.
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
    """Whether its outputs say at least as much as the rule, people and every answer without a model."""
    return contest.of(name).lost <= contest.least_loss[1]


def is_ahead(contest: Contest, name: CandidateName) -> bool:
    """Whether it earned more than the rule and every answer without a model: so far, chance or not."""
    return contest.money(name) > max(contest.money("rule"), contest.same[0].money.value)


def is_proved(contest: Contest, name: CandidateName) -> bool:
    """Whether it earned more than the rule by more than chance, the number of days and of candidates considered."""
    difference = contest.difference(name)
    return is_significant(difference.money, difference.p_family)


def _simplest(contest: Contest, proved: list[CandidateName]) -> CandidateName:
    draws = contest.money_draws
    best = max(proved, key=contest.money)
    for name in proved:
        behind = draws[best] - draws[name]
        if behind[0] <= behind[1:].std(ddof=1):
            return name
    return best


def limited(advice: Recommendation, name: str, crossings: tuple[str, ...]) -> Recommendation:
    """The rule stays where the recommended model, called ``name``, crosses a declared limit between groups."""
    if advice.verdict != "pilot" or not crossings:
        return advice
    reason = f"Blocked: the {name.lower()} would be recommended, but it crosses a declared limit. "
    return Recommendation(advice.best, "rule", "blocked", reason + " ".join(crossings))


def unripe(advice: Recommendation, name: str, sentence: str) -> Recommendation:
    """The rule stays where the recommended model, called ``name``, was calibrated by what nobody knew yet.

    ``sentence`` says so; it is empty where something was known.
    """
    if advice.verdict != "pilot" or not sentence:
        return advice
    reason = (
        f"Not enough evidence: the {name.lower()} would be recommended, but not as it would have stood on that day. "
    )
    return Recommendation(advice.best, "rule", "not_enough_evidence", reason + sentence)


def blocked(advice: Recommendation, blockers: tuple[str, ...]) -> Recommendation:
    """The rule stays where the audit found what forbids trusting the figures, however good these are."""
    if not blockers:
        return advice
    count = "something that blocks" if len(blockers) == 1 else f"{len(blockers)} things that block"
    more = f" And {len(blockers) - BLOCKERS_TOLD} more." if len(blockers) > BLOCKERS_TOLD else ""
    reason = f"Keep the rule for now: the audit found {count}, so these figures cannot be trusted. "
    return Recommendation(advice.best, "rule", "blocked", reason + " ".join(blockers[:BLOCKERS_TOLD]) + more)
