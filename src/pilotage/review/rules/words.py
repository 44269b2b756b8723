"""What the card says, in English and German. Texts from the use-case file are shown as they were written there."""

from __future__ import annotations

from collections.abc import Sequence

from pilotage.decisions.kinds import told
from pilotage.decisions.records import Band, Decision, Said
from pilotage.review.records import Language
from pilotage.usecase.records import UseCase

_TEXTS: dict[Language, dict[str, str]] = {
    "en": {
        "few": "In fewer than 1 in 20 cases like this it {says}.",
        "some": "In about {tenths} in 10 cases like this it {says}.",
        "most": "In more than 19 in 20 cases like this it {says}.",
        "is": "is {answer}",
        "about": "About {answer}; in 9 of 10 cases like this between {low} and {high}.",
        "high": "Worth acting",
        "uncertain": "Close call",
        "low": "No action needed",
        "too_slow": "The model did not answer in time, so today's rule answered.",
        "model_failed": "The model could not answer, so today's rule answered.",
        "not_finite": "The model could not answer, so today's rule answered.",
        "disabled": "The model was switched off by an authorised person, so today's rule answered.",
        "not_recorded": "The answer could not be recorded, so today's rule answered.",
        "contract_broken": "What came in breaks the contract of its data, so today's rule answered.",
        "rule_yes": "Today's rule says yes: {says}.",
        "rule_no": "Today's rule says no. It would say yes if {says}.",
        "rule_says": "Today's rule says {answer}: {says}.",
        "sent": "A person is looking at this case.",
        "missing": "Cannot say: {names} is missing.",
        "missing_many": "Cannot say: {names} are missing.",
        "cannot": "Cannot say: what is needed is missing.",
        "undecidable": "Cannot say: a reviewer found that this case cannot be decided.",
        "approved": "A reviewer confirmed this answer.",
        "corrected": "A reviewer changed this answer.",
        "and": " and ",
        "quoted": "“{name}”",
    },
    "de": {
        "few": "In weniger als 1 von 20 solchen Fällen trifft zu: {says}.",
        "some": "In etwa {tenths} von 10 solchen Fällen trifft zu: {says}.",
        "most": "In mehr als 19 von 20 solchen Fällen trifft zu: {says}.",
        "is": "{answer}",
        "about": "Etwa {answer}; in 9 von 10 solchen Fällen zwischen {low} und {high}.",
        "high": "Handeln lohnt sich",
        "uncertain": "Knapper Fall",
        "low": "Nichts zu tun",
        "too_slow": "Das Modell hat nicht rechtzeitig geantwortet; es gilt die heutige Regel.",
        "model_failed": "Das Modell konnte nicht antworten; es gilt die heutige Regel.",
        "not_finite": "Das Modell konnte nicht antworten; es gilt die heutige Regel.",
        "disabled": "Das Modell wurde von einer befugten Person abgeschaltet; es gilt die heutige Regel.",
        "not_recorded": "Die Antwort konnte nicht aufgezeichnet werden; es gilt die heutige Regel.",
        "contract_broken": "Die Angaben verletzen den Datenvertrag; es gilt die heutige Regel.",
        "rule_yes": "Die heutige Regel sagt Ja: {says}.",
        "rule_no": "Die heutige Regel sagt Nein. Ja wäre: {says}.",
        "rule_says": "Die heutige Regel sagt {answer}: {says}.",
        "sent": "Eine Person sieht sich diesen Fall an.",
        "missing": "Keine Aussage möglich, es fehlt: {names}.",
        "missing_many": "Keine Aussage möglich, es fehlen: {names}.",
        "cannot": "Keine Aussage möglich: Nötige Angaben fehlen.",
        "undecidable": "Keine Aussage möglich: Laut Prüfung lässt sich dieser Fall nicht entscheiden.",
        "approved": "Eine Prüferin oder ein Prüfer hat diese Antwort bestätigt.",
        "corrected": "Eine Prüferin oder ein Prüfer hat diese Antwort geändert.",
        "and": " und ",
        "quoted": "„{name}“",
    },
}


def language_of(accepted: str) -> Language:
    """The language of a reader, from an Accept-Language header; English when we do not speak theirs."""
    for part in accepted.split(","):
        language = part.split(";")[0].strip().lower().split("-")[0]
        for known in _TEXTS:
            if language == known:
                return known
    return "en"


def text(key: str, language: Language, **values: str) -> str:
    """One text of the table with its blanks filled."""
    return _TEXTS[language][key].format(**values)


def chance(probability: float, says: str, language: Language) -> str:
    """A calibrated probability as people say it: 0.68 is "In about 7 in 10 cases like this it …".

    ``says`` continues that sentence, as outcomes do in the use-case file: "arrives more than 30 minutes late".
    """
    tenths = tenths_of(probability)
    key = "few" if tenths == 0 else "most" if tenths == 10 else "some"
    return text(key, language, tenths=str(tenths), says=says)


def view(decision: Decision, use_case: UseCase, language: Language) -> str:
    """What the model says of a case, in a sentence; empty where it said nothing."""
    answer = decision.model_answer
    if decision.probability is not None:
        return chance(decision.probability, use_case.outcome.says, language)
    if isinstance(answer, str):
        return chance(decision.confidence or 0.0, text("is", language, answer=answer), language)
    if answer is None or decision.low is None or decision.high is None:
        return ""
    low, high = told(use_case, decision.low), told(use_case, decision.high)
    return text("about", language, answer=told(use_case, answer), low=low, high=high)


def rule(answer: Said | None, use_case: UseCase, language: Language) -> str:
    """What today's rule says of a case, in a sentence; empty where it cannot say."""
    says = use_case.rule.says
    if answer is None:
        return ""
    if isinstance(answer, bool):
        return text("rule_yes" if answer else "rule_no", language, says=says)
    return text("rule_says", language, answer=told(use_case, answer), says=says)


def tenths_of(probability: float) -> int:
    """A probability in whole tenths, half up, so that the words and the picture agree."""
    return min(10, int(probability * 10 + 0.5))


def band(value: Band | None, language: Language) -> str:
    """A band relative to the use case's threshold, in words: it says what is worth doing, not how likely it is."""
    return text(value, language) if value else ""


def missing(names: Sequence[str], language: Language) -> str:
    """The sentence that names what is missing."""
    if not names:
        return text("cannot", language)
    *first, last = (text("quoted", language, name=name) for name in names)
    joined = ", ".join(first) + (text("and", language) if first else "") + last
    return text("missing_many" if first else "missing", language, names=joined)
