"""Which of its five faces the card shows for a decision, and what is on it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from pilotage.decisions.records import Decision, Said
from pilotage.releases.records import Stage
from pilotage.review.records import Card, CardLook, Case, Language, Reason
from pilotage.review.rules import signals, words
from pilotage.review.rules.cases import CLOSED
from pilotage.review.rules.feedback import ACTIONS
from pilotage.usecase.records import CaseReason, Column, UseCase

SIGNALS_MAX = 5
HELD_BACK: frozenset[CaseReason] = frozenset({"uncertain", "escalated", "high_risk", "high_value"})
"""Cases whose answer does not stand before a person has looked; of the others it stands, and is looked at beside."""
_VISIBLE = frozenset({Stage.ASSIST, Stage.AUTOMATE})
_SILENT = frozenset({"shadow", "rule_arm", "off", "no_version"})
_ACTIONS: dict[CardLook, tuple[str, ...]] = {
    "answer": ACTIONS,
    "rule": ACTIONS,
    "uncertain": ("useful", "wrong", "override", "accept"),
    "missing": ("override", "escalate"),
    "nothing": (),
}
NOTHING = Card(state="nothing")
"""Shadow, off, and the share that keeps the rule: the same empty card for all, so that nothing can be read from it."""


class Situation(msgspec.Struct, frozen=True):
    """Everything that a card depends on besides the decision: case, what is live, columns, which of them miss.

    ``needs_person``: somebody asked for one, or the file does, whatever else the case was drawn for.
    """

    case: Case | None
    stage: Stage
    enabled: bool
    missing: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    needs_person: bool = False


def state_of(decision: Decision, now: Situation) -> CardLook:
    """The card's face. A decision taken or looked at where the model may not be shown has none."""
    if not _may_show(decision, now.stage):
        return "nothing"
    if now.case is not None and (_has_ended(now.case, now) or _is_held_back(now.case, now)):
        return _after_review(now.case, decision)
    if decision.produced_by in {"default", "none"} or decision.answer is None:
        return "missing"
    if decision.produced_by == "rule":
        return "rule"
    if not now.enabled:
        return "missing" if decision.rule_answer is None else "rule"
    return "uncertain" if decision.review else "answer"


def offers(state: CardLook, kind: str) -> bool:
    """Whether the card in this state takes this feedback; a card that shows nothing was not shown either."""
    return state != "nothing" and (kind == "shown" or kind in _ACTIONS[state])


def card_of(decision: Decision, now: Situation, use_case: UseCase, granted: Sequence[str], language: Language) -> Card:
    """The whole card, versioned by its content. ``granted`` are the actions that the card's token carries."""
    state = state_of(decision, now)
    if state == "nothing":
        return NOTHING
    answer = _answer(decision, now)
    card = Card(
        state=state,
        decision=decision.id,
        title=use_case.title,
        entity=decision.entity,
        words=_words(state, decision, now, use_case, language),
        because=_because(state, decision, now, language),
        note=_note(now.case, language),
        answer=answer,
        action="" if answer is None else words.action(use_case, answer, language),
        reasons=use_case.review.reasons,
        reason_words=tuple(words.reason(each, language) for each in use_case.review.reasons),
        actions=tuple(action for action in _ACTIONS[state] if action in granted),
    )
    if _model_shows(state, decision, now):
        card = _with_model(card, decision, now.columns, language)
    return msgspec.structs.replace(card, version=_version(card))


def is_silent(decision: Decision) -> bool:
    """Whether a decision was taken where nothing of it is shown: in shadow, off, in the share that keeps the rule."""
    return decision.stage not in _VISIBLE or decision.arm != "model" or decision.reason in _SILENT


def _may_show(decision: Decision, stage: Stage) -> bool:
    return stage in _VISIBLE and not is_silent(decision)


def _has_ended(case: Case, now: Situation) -> bool:
    """Whether what came of the case is what holds. A sample that nobody looked at changes nothing: its answer stood."""
    return case.state in CLOSED and (case.state != "lapsed" or _is_held_back(case, now))


def _is_held_back(case: Case, now: Situation) -> bool:
    return case.why in HELD_BACK or now.needs_person


def _after_review(case: Case, decision: Decision) -> CardLook:
    if case.state in {"approved", "corrected"}:
        return "answer"
    if case.state == "lapsed":
        return "missing" if decision.rule_answer is None else "rule"
    return "missing" if case.state == "rejected" else "uncertain"


def _model_shows(state: CardLook, decision: Decision, now: Situation) -> bool:
    shown = state in {"answer", "uncertain"} and decision.produced_by == "model" and now.enabled
    return shown and decision.model_answer is not None


def _with_model(card: Card, decision: Decision, columns: Sequence[Column], language: Language) -> Card:
    told = signals.Told(decision, {column.name: column for column in columns}, language)
    probability = decision.confidence if decision.probability is None else decision.probability
    return msgspec.structs.replace(
        card,
        band=decision.band or "",
        band_words=words.band(decision.band, language),
        probability=probability,
        tenths=None if probability is None else words.tenths_of(probability),
        signals=tuple(
            msgspec.structs.replace(reason_of(signal), sentence=signals.sentence(signal, told))
            for signal in decision.signals[:SIGNALS_MAX]
        ),
    )


def reason_of(signal: dict[str, object]) -> Reason:
    """A signal as it was recorded, in English."""
    weight = signal.get("weight", 0.0)
    raises = isinstance(weight, (int, float)) and weight > 0
    return Reason(sentence=str(signal.get("sentence", "")), direction="raises" if raises else "lowers")


def _answer(decision: Decision, now: Situation) -> Said | None:
    """The answer that holds now: the reviewer's, the rule's where the model was switched off since, else the given."""
    if now.case is not None and _has_ended(now.case, now):
        return now.case.verdict_answer
    if decision.produced_by == "model" and not now.enabled:
        return decision.rule_answer
    return decision.answer


def _words(state: CardLook, decision: Decision, now: Situation, use_case: UseCase, language: Language) -> str:
    if state == "missing":
        undecidable = now.case is not None and now.case.state == "rejected"
        return words.text("undecidable", language) if undecidable else words.missing(now.missing, language)
    if _model_shows(state, decision, now):
        return words.view(decision, use_case, language)
    return words.rule(decision.rule_answer, use_case, language)


def _because(state: CardLook, decision: Decision, now: Situation, language: Language) -> str:
    if state == "uncertain":
        return words.text("sent", language)
    if state != "rule":
        return ""
    if now.case is not None and now.case.state == "lapsed":
        return words.text("lapsed", language)
    reason = "disabled" if decision.produced_by == "model" else decision.reason
    return words.text(reason if reason in _FALLBACKS else "model_failed", language)


_FALLBACKS = frozenset({"too_slow", "model_failed", "not_finite", "disabled", "not_recorded", "contract_broken"})


def _note(case: Case | None, language: Language) -> str:
    return words.text(case.state, language) if case and case.state in {"approved", "corrected"} else ""


def _version(card: Card) -> str:
    return hashlib.sha256(msgspec.json.encode(card, order="deterministic")).hexdigest()[:16]
