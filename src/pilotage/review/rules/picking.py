"""Which decisions people look at, as the file says: a pure function of the decision, drawn by its own identifier."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from pilotage.decisions.records import Decision
from pilotage.releases.rules import ANSWERING
from pilotage.usecase.records import CaseReason, Review
from pilotage.usecase.rules.expressions import compile_row

Condition = Callable[[Mapping[str, Any]], Any]
BLIND: frozenset[CaseReason] = frozenset({"blind", "known"})
"""Cases that are judged without the model's opinion."""


def meant(because: CaseReason) -> tuple[CaseReason, ...]:
    """The kinds of cases that somebody means who may only know of this one: blind ones are not told apart."""
    return ("blind", "known") if because in BLIND else (because,)


class Picker(Struct, frozen=True):
    """What the file says of reviewing, ready to be asked of each decision."""

    review: Review
    high_risk: Condition | None
    high_value: Condition | None
    skills: tuple[tuple[str, Condition], ...]


def picker(review: Review) -> Picker:
    """The part ``review`` of a file with its conditions compiled."""
    samples = review.samples
    return Picker(
        review,
        None if samples.high_risk is None else compile_row(samples.high_risk),
        None if samples.high_value is None else compile_row(samples.high_value),
        tuple((skill, compile_row(text)) for skill, text in review.skills.items()),
    )


def could_be(identifier: str, review: bool, by: Picker) -> bool:
    """Whether a decision can become a case at all, before its columns are read."""
    samples = by.review.samples
    if review or by.high_risk is not None or by.high_value is not None:
        return True
    share = samples.blind + samples.random
    if share and drawn(identifier, "sample") < share:
        return True
    return bool(samples.disagreement) and drawn(identifier, "disagreement") < samples.disagreement


def why(decision: Decision, by: Picker) -> CaseReason | None:
    """Why a person looks at this decision; None where nobody needs to.

    Of the model's answers: the blind share first, since it stands for all; what may do harm or is worth much; what
    policy calls uncertain; the random share. In shadow: a share of those where model and rule say otherwise.
    """
    if decision.stage not in ANSWERING:
        return _in_shadow(decision, by)
    if decision.produced_by != "model":
        return None
    samples = by.review.samples
    at = drawn(decision.id, "sample")
    if at < samples.blind:
        return "blind"
    if by.high_risk is not None and by.high_risk(decision.inputs) is True:
        return "high_risk"
    if by.high_value is not None and by.high_value(decision.inputs) is True:
        return "high_value"
    if decision.review:
        return "uncertain"
    return "random" if at < samples.blind + samples.random else None


def _in_shadow(decision: Decision, by: Picker) -> CaseReason | None:
    model, rule = decision.model_answer, decision.rule_answer
    if model is None or rule is None or model == rule:
        return None
    return "disagreement" if drawn(decision.id, "disagreement") < by.review.samples.disagreement else None


def wanted(decision: str, because: CaseReason, review: Review) -> int:
    """How many people judge the case: two where the file demands it, or where the draw falls on it."""
    if because in review.four_eyes or drawn(decision, "second opinion") < review.second_opinion:
        return 2
    return 1


def skill(inputs: Mapping[str, Any], by: Picker) -> str:
    """The skill that a reviewer needs: the first whose condition is true; empty where anybody may."""
    return next((name for name, condition in by.skills if condition(inputs) is True), "")


def drawn(identifier: str, purpose: str) -> float:
    """A number from 0 to 1 that belongs to this identifier and purpose: evenly spread, and the same every time."""
    digest = hashlib.sha256(f"{purpose}\x00{identifier}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
