"""What the card says, in every language that has a file. Texts of the use-case file are shown as they stand there."""

from __future__ import annotations

from collections.abc import Sequence

from pilotage.decisions.kinds import declared_action
from pilotage.decisions.records import Band, Decision, Said
from pilotage.models.explaining import rounded
from pilotage.review.languages import LANGUAGES
from pilotage.review.records import Language
from pilotage.usecase.records import UseCase

_DEFAULT_REASONS = {
    "Data looks wrong": "reason_data",
    "I know something the model does not": "reason_known",
    "Exception agreed": "reason_exception",
}


def language_of(accepted: str) -> Language:
    """The language of a reader, from an Accept-Language header; English when we do not speak theirs."""
    for part in accepted.split(","):
        language = part.split(";")[0].strip().lower().split("-")[0]
        if language in LANGUAGES:
            return language
    return "en"


def text(key: str, language: Language, **values: str) -> str:
    """One text of the table with its blanks filled."""
    return LANGUAGES[language].sentences[key].format(**values)


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
    low, high = told(use_case, decision.low, language), told(use_case, decision.high, language)
    return text("about", language, answer=told(use_case, answer, language), low=low, high=high)


def rule(answer: Said | None, use_case: UseCase, language: Language) -> str:
    """What today's rule says of a case, in a sentence; empty where it cannot say."""
    says = use_case.rule.says
    if answer is None:
        return ""
    if isinstance(answer, bool):
        return text("rule_yes" if answer else "rule_no", language, says=says)
    return text("rule_says", language, answer=told(use_case, answer, language), says=says)


def action(use_case: UseCase, answer: Said, language: Language) -> str:
    """What is done: the use-case file's own words, else the answer itself."""
    return declared_action(use_case, answer) or text("says", language, answer=told(use_case, answer, language))


def told(use_case: UseCase, answer: Said, language: Language) -> str:
    """An answer as people read it: ``ja``, the category, ``12,3 minutes`` with the file's own unit."""
    if isinstance(answer, bool):
        return text("yes" if answer else "no", language)
    if isinstance(answer, str):
        return answer
    return f"{number(answer, language)} {use_case.outcome.unit}".rstrip()


def number(value: float, language: Language) -> str:
    """A number in three figures, with the marks of the language."""
    marks = {ord(","): text("thousands", language), ord("."): text("decimal", language)}
    return rounded(value).translate(marks)


def reason(given: str, language: Language) -> str:
    """A reason to choose from: those of the use-case file as they stand there, those by default in the language."""
    key = _DEFAULT_REASONS.get(given)
    return text(key, language) if key else given


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
