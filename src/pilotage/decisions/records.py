"""The nouns of deciding: what was asked, what was answered, what is kept."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

Producer = Literal["model", "rule", "default", "none"]
Band = Literal["low", "uncertain", "high"]
Arm = Literal["model", "rule"]
Said = bool | str | float
"""An answer, by the outcome's kind: yes or no, a category, a number."""

REASONS = {
    "model": "The model answered.",
    "shadow": "The model runs in shadow: its answer is recorded, the rule's is given.",
    "rule_arm": "This entity is in the share that keeps the rule.",
    "off": "The use case is off: the rule answers.",
    "no_version": "No version is released: the rule answers.",
    "disabled": "Disabled by an authorised person: the rule answers.",
    "too_slow": "The model did not answer within the latency budget.",
    "overloaded": "Too many questions came at once: the model was not asked.",
    "circuit_open": "The model failed several times in a row and is left alone for a while.",
    "model_failed": "The model could not answer.",
    "not_finite": "The model's answer was not a finite number.",
    "missing_columns": "Columns that the rule needs are missing: the declared default answers.",
    "definition_changed": "The use-case file changed since this version was trained: the rule answers.",
    "model_refused": "The released model's files are not what was signed: the rule answers.",
    "contract_broken": "The request breaks the contract of its data, so the model was not asked: the rule answers.",
    "not_recorded": "The decision could not be recorded, so the model may not act.",
    "no_decision": "Neither model nor rule nor default could be asked: nothing was decided.",
}


ORDINARY_REASONS = frozenset({"model", "shadow", "rule_arm", "off"})
"""Reasons that are the stage at work. Every other reason is a fallback."""

UNUSED_REASONS = frozenset({"not_recorded", "definition_changed", "model_refused"})
"""Reasons of answers for which the model should have been asked and was not, or could not be used."""


class Decision(Struct, frozen=True, omit_defaults=True):
    """One answered question, as kept in the ledger.

    ``answer`` is what was given, whoever produced it; ``model_answer`` the model's, also when it only ran in shadow;
    ``rule_answer`` the rule's, None where it could not say. The model's own are, by kind: ``probability`` of yes and
    ``band``; ``confidence`` in a category and ``shares``, the likeliest ones; ``low`` and ``high``, the ends of a
    number's interval of 90 %. Probabilities lie in [0, 1]. ``latency_us`` is in microseconds, from request to decision,
    without recording it. ``model_failure`` is the reason code why a model that was asked gave no opinion, whoever
    answered then. ``job`` is the batch job that asked; empty where somebody waited for the answer.
    """

    id: str
    use_case: str
    entity: str
    moment: datetime
    decided_at: datetime
    stage: str
    arm: Arm
    version: str | None
    revision: int
    produced_by: Producer
    reason: str
    answer: Said | None
    action: str
    model_answer: Said | None
    rule_answer: Said | None
    probability: float | None
    band: Band | None
    review: bool
    flags: tuple[str, ...]
    inputs: dict[str, Any]
    signals: tuple[dict[str, Any], ...]
    asked_by: str
    latency_us: int
    model_failure: str = ""
    confidence: float | None = None
    low: float | None = None
    high: float | None = None
    shares: dict[str, float] = {}
    job: str = ""


class Answer(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What the app gets back: ``positive`` where the outcome is yes or no, else ``answer``, a category or a number.

    What the model says of it (``probability`` and ``band``, ``confidence`` and ``shares``, ``low`` and ``high``, its
    ``signals``) is there only where its answer may be shown: never in shadow.
    """

    id: str
    use_case: str
    entity: str
    action: str
    positive: bool | None = None
    answer: str | float | None = None
    produced_by: Producer
    reason: str
    because: str
    stage: str
    probability: float | None = None
    band: Band | None = None
    confidence: float | None = None
    shares: dict[str, float] = {}
    low: float | None = None
    high: float | None = None
    review: bool = False
    signals: tuple[dict[str, Any], ...] = ()
    flags: tuple[str, ...] = ()


class Search(Struct, frozen=True, kw_only=True):
    """Which decisions are looked for; what is left empty is not asked. ``text`` is a part of the entity or an id.

    ``since`` and ``until`` bound when they were decided; ``before`` is the id of the last one seen, to go on from.
    """

    text: str = ""
    version: str = ""
    reason: str = ""
    stage: str = ""
    produced_by: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: str = ""


class Found(Struct, frozen=True):
    """Decisions, newest first. ``further``: the id to go on before, empty where the beginning was reached."""

    decisions: tuple[Decision, ...]
    further: str = ""


class TroubleKind(enum.StrEnum):
    """What a worker that answers can see to be wrong with itself."""

    CIRCUIT_OPEN = "circuit_open"
    ARTEFACT_REFUSED = "artefact_refused"
    SPOOL_REFUSES = "spool_refuses"
    DECISIONS_MISSING = "decisions_missing"
    DRAIN_STUCK = "drain_stuck"


class Trouble(Struct, frozen=True):
    """Something that is wrong now. ``use_case`` is ``*`` where it is of all, ``place`` the spool's folder, shortened,
    where it is of one machine. ``why`` holds no entity and nothing that was asked.
    """

    kind: TroubleKind
    why: str
    use_case: str = "*"
    version: str = ""
    place: str = ""
