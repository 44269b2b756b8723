"""Which decisions people look at, as the file says: a pure function of the decision, drawn by its own identifier."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from pilotage.decisions.records import Decision
from pilotage.releases.rules import ANSWERING
from pilotage.review.rules import ordering
from pilotage.usecase.records import CaseReason, Definition, Review, Samples
from pilotage.usecase.rules.expressions import compile_row

Condition = Callable[[Mapping[str, Any]], Any]
BLIND: frozenset[CaseReason] = frozenset({"blind", "known"})
"""Cases that are judged without the model's opinion."""
UNFIT = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What an expression raises over columns that the file says are of another kind since."""


def meant(because: CaseReason) -> tuple[CaseReason, ...]:
    """The kinds of cases that somebody means who may only know of this one: blind ones are not told apart."""
    return ("blind", "known") if because in BLIND else (because,)


class Picker(Struct, frozen=True):
    """What the file says of reviewing, ready to be asked of each decision.

    ``usual`` is what a wrong answer usually costs, in the currency of the file. ``instants`` are the columns whose
    values are instants, which a decision holds as text.
    """

    review: Review
    usual: float
    high_risk: Condition | None
    high_value: Condition | None
    skills: tuple[tuple[str, Condition], ...]
    at_stake: Condition | None
    instants: frozenset[str]


def picker(definition: Definition) -> Picker:
    """The part ``review`` of a file with its expressions compiled."""
    use_case, plan = definition.use_case, definition.plan
    review, kinds = use_case.review, {name: column.kind for name, column in plan.request.items()}
    kinds |= {column.name: column.kind for column in plan.columns}
    samples = review.samples
    return Picker(
        review,
        ordering.usual(use_case.brief.value),
        None if samples.high_risk is None else compile_row(samples.high_risk),
        None if samples.high_value is None else compile_row(samples.high_value),
        tuple((skill, compile_row(text)) for skill, text in review.skills.items()),
        None if review.at_stake is None else compile_row(review.at_stake),
        frozenset(name for name, kind in kinds.items() if kind == "datetime"),
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
    """Why a person looks at this decision, as its case is listed; None where nobody needs to."""
    return next(iter(reasons(decision, by)), None)


def reasons(decision: Decision, by: Picker) -> tuple[CaseReason, ...]:
    """Everything for which people look at this decision, what it is listed by first.

    Of the model's answers: the blind share first, since it stands for all; what may do harm or is worth much; what
    policy calls uncertain; the random share. In shadow: a share of those where model and rule say otherwise.
    """
    if decision.stage not in ANSWERING:
        return _in_shadow(decision, by)
    if decision.produced_by != "model":
        return ()
    samples, at, row = by.review.samples, drawn(decision.id, "sample"), _row(decision.inputs, by)
    found: dict[CaseReason, bool] = {
        "blind": at < samples.blind,
        "high_risk": by.high_risk is not None and by.high_risk(row) is True,
        "high_value": by.high_value is not None and by.high_value(row) is True,
        "uncertain": decision.review,
        "random": is_random(decision.id, samples),
    }
    return tuple(reason for reason, is_so in found.items() if is_so)


def is_random(decision: str, samples: Samples) -> bool:
    """Whether the draw of the random share falls on a decision, whatever else its case is listed by."""
    return samples.blind <= drawn(decision, "sample") < samples.blind + samples.random


def _in_shadow(decision: Decision, by: Picker) -> tuple[CaseReason, ...]:
    model, rule = decision.model_answer, decision.rule_answer
    if model is None or rule is None or model == rule:
        return ()
    return ("disagreement",) if drawn(decision.id, "disagreement") < by.review.samples.disagreement else ()


def wanted(decision: Decision, because: CaseReason, by: Picker) -> int:
    """How many people judge the case: two where the file demands it of any reason for it, or where the draw falls."""
    every = {because} if because == "known" else {because, *reasons(decision, by)}
    if not every.isdisjoint(by.review.four_eyes) or drawn(decision.id, "second opinion") < by.review.second_opinion:
        return 2
    return 1


def skill(inputs: Mapping[str, Any], by: Picker) -> str:
    """The skill that a reviewer needs: the first whose condition is true; empty where anybody may."""
    row = _row(inputs, by)
    return next((name for name, condition in by.skills if condition(row) is True), "")


def amount(inputs: Mapping[str, Any], by: Picker) -> float | None:
    """What is at stake, in the currency of the file; None where that is no finite number from zero on."""
    try:
        found = None if by.at_stake is None else by.at_stake(_row(inputs, by))
        number = -1.0 if found is None or isinstance(found, (bool, str)) else float(found)
    except UNFIT:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _row(inputs: Mapping[str, Any], by: Picker) -> Mapping[str, Any]:
    """The inputs of a decision as expressions take them."""
    texts = {name: inputs[name] for name in by.instants if isinstance(inputs.get(name), str)}
    return {**inputs, **{name: datetime.fromisoformat(text) for name, text in texts.items()}} if texts else inputs


def drawn(identifier: str, purpose: str) -> float:
    """A number from 0 to 1 that belongs to this identifier and purpose: evenly spread, and the same every time."""
    digest = hashlib.sha256(f"{purpose}\x00{identifier}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
