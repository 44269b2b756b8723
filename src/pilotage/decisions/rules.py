"""How an answer comes about: pure functions over what was computed. No I/O, no clock."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from pilotage.decisions.records import REASONS, Answer, Arm, Band, Decision, Producer, Said
from pilotage.govern.rules.masking import HIDDEN, masked_text, partial
from pilotage.models.records import Prediction
from pilotage.releases.records import Stage
from pilotage.usecase.records import ColumnKind, Plan
from pilotage.usecase.rules.expressions import compile_row

TEXT_SHOWN_MAX = 600
MODEL_ANSWERS = (Stage.ASSIST, Stage.AUTOMATE)
KEY_NOT_KEPT = "key_not_kept"
"""A flag: the idempotency key could not be kept, and a question sent again may be decided anew."""


class Opinion(Struct, frozen=True):
    """What the model said, or why it said nothing (``failure`` is then a reason code)."""

    said: Prediction | None
    failure: str = ""


class Choice(Struct, frozen=True):
    """Who answers, what, and why."""

    produced_by: Producer
    reason: str
    answer: Said


def arm_of(use_case: str, entity: str, stage: Stage, share: float) -> Arm:
    """Whether an entity is in the share that gets the model's answer: the same entity always falls on the same side."""
    if stage not in MODEL_ANSWERS:
        return "rule"
    if share >= 1:
        return "model"
    digest = hashlib.sha256(f"{use_case}\x00{entity}".encode()).digest()
    return "model" if int.from_bytes(digest[:8], "big") < share * 2**64 else "rule"


def band_of(said: Prediction) -> Band:
    """Low, uncertain or high, by where the probability of yes lies to the uncertain span around the threshold."""
    if said.review:
        return "uncertain"
    return "high" if said.answer else "low"


def choose(stage: Stage, arm: Arm, quiet: str, opinion: Opinion, rule: Said | None, default: Said) -> Choice:
    """Model where stage and arm let it answer and it could, else the rule, else the declared default.

    ``quiet`` is a reason code why the model was not even asked (disabled, off, no version), or empty.
    """
    if arm == "model" and not quiet and opinion.said is not None:
        return Choice("model", "model", opinion.said.answer)
    reason = quiet or (opinion.failure if arm == "model" else "") or _reason_for_rule(stage)
    if rule is None:
        return Choice("default", "missing_columns", default)
    return Choice("rule", reason, rule)


def _reason_for_rule(stage: Stage) -> str:
    if stage is Stage.OFF:
        return "off"
    return "shadow" if stage is Stage.SHADOW else "rule_arm"


def may_show_model(decision: Decision) -> bool:
    """Whether the model's view of this decision may leave the ledger: only where it answered."""
    return decision.produced_by == "model"


def answer_of(decision: Decision) -> Answer:
    """What the app gets to see of a decision: in shadow, and for entities that keep the rule, nothing of the model."""
    shown, given = may_show_model(decision), decision.answer
    answer = Answer(
        id=decision.id,
        use_case=decision.use_case,
        entity=decision.entity,
        action=decision.action,
        positive=given if isinstance(given, bool) else None,
        produced_by=decision.produced_by,
        reason=decision.reason,
        because=REASONS[decision.reason],
        stage=decision.stage,
        probability=decision.probability if shown else None,
        band=decision.band if shown else None,
        review=decision.review if shown else False,
        signals=decision.signals if shown else (),
        flags=decision.flags,
    )
    if given is None or isinstance(given, bool):
        return answer
    answer = msgspec.structs.replace(answer, answer=given)
    if not shown:
        return answer
    return msgspec.structs.replace(
        answer, confidence=decision.confidence, shares=decision.shares, low=decision.low, high=decision.high
    )


def inputs_in_words(
    plan: Plan, decision: Decision, personal: Collection[str] = ()
) -> list[tuple[str, str, str | None]]:
    """(name, what it says, value) of everything the answer stood on: columns of the model first, then the rest.

    Of a text its beginning, with what leads to a person masked; of ``personal`` columns no more than a category's ends.
    """
    said = {column.name: column.says for column in plan.columns}
    kinds: dict[str, ColumnKind] = {name: column.kind for name, column in plan.request.items()}
    kinds |= {column.name: column.kind for column in plan.columns}
    ordered = [name for name in said if name in decision.inputs]
    ordered += [name for name in decision.inputs if name not in said]
    return [
        (
            name,
            said.get(name) or name.replace("_", " "),
            _shown(decision.inputs[name], kinds.get(name, "category"), name in personal),
        )
        for name in ordered
    ]


def _shown(value: Any, kind: ColumnKind, is_personal: bool) -> str | None:
    if value is None:
        return None
    if is_personal:
        return partial(value) if kind == "category" and isinstance(value, str) else HIDDEN
    if isinstance(value, str):
        return masked_text(_beginning(value)) if kind == "text" else value
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


def _beginning(text: str) -> str:
    return text if len(text) <= TEXT_SHOWN_MAX else text[: TEXT_SHOWN_MAX - 1].rstrip() + "…"


def moment_of(plan: Plan) -> Callable[[Mapping[str, Any]], Any]:
    """What a request says of its own moment; nothing where the file declares none: then it is when it is asked."""
    return compile_row(plan.moment) if plan.moment else lambda request: None


def as_of(moment: Any, now: datetime) -> datetime:
    """The instant whose knowledge counts: the declared moment, or now when that is earlier or cannot be told."""
    return min(moment, now) if isinstance(moment, datetime) else now
