"""A model in plain words: of 100, how many, and what it means for those who work with it."""

from __future__ import annotations

from msgspec import Struct

from pilotage.models.records import Measured
from pilotage.models.rules import wording
from pilotage.models.rules.cards.subject import Subject

OF = 100


class Hundred(Struct, frozen=True):
    """A hundred cases in a picture: ``marked`` of them are what the sentence counts."""

    sentence: str
    marked: int
    marked_word: str
    other_word: str


def hundreds(subject: Subject) -> tuple[Hundred, ...]:
    """What is worth a picture: of a hundred alerts, of a hundred cases, of a hundred answers."""
    return _OF_KIND[subject.comparison.kind](subject)


def _flag(subject: Subject) -> tuple[Hundred, ...]:
    one, says = subject.measured, subject.definition.use_case.outcome.says
    false, missed = _hundred(1 - one.measures["precision"].value), _hundred(1 - one.measures["recall"].value)
    found = []
    if one.alerts_share:
        found.append(Hundred(f"Of {OF} alerts about {false} are false alarms.", false, "false alarms", "right"))
    found.append(Hundred(f"Of {OF} cases where it “{says}” it misses about {missed}.", missed, "missed", "caught"))
    return tuple(found)


def _category(subject: Subject) -> tuple[Hundred, ...]:
    wrong = _hundred(1 - subject.measured.measures["accuracy"].value)
    return (Hundred(f"Of {OF} answers about {wrong} are wrong.", wrong, "wrong", "right"),)


def _number(subject: Subject) -> tuple[Hundred, ...]:
    outside = _hundred(1 - subject.measured.measures["coverage"].value)
    sentence = f"Of {OF} cases about {outside} turn out to lie outside the interval that it gives."
    return (Hundred(sentence, outside, "outside", "inside"),)


_OF_KIND = {"flag": _flag, "category": _category, "number": _number}


def sentences(subject: Subject) -> tuple[tuple[str, str], ...]:
    """Questions that people ask, and the answers."""
    comparison, one = subject.comparison, subject.measured
    use_case = subject.definition.use_case
    rule = wording.measured(comparison, "rule")
    return (
        ("What does it say?", f"For each {use_case.decision.entity}: {use_case.outcome.says}."),
        ("What happens today without it?", f"{_capital(use_case.rule.says)}."),
        ("Is it better than today's rule?", comparison.reason),
        ("What is it worth?", _worth(one, rule, comparison.currency)),
        ("When should I not trust it?", _doubt(subject)),
        ("Who decides?", _decides(one)),
        ("What if it fails, or is switched off?", "The rule answers as it does today, and the answer says so."),
        ("Whom do I ask?", use_case.owner),
    )


def _worth(one: Measured, rule: Measured, currency: str) -> str:
    return (
        f"About {wording.amount(one.money.value, currency)} in 1,000 decisions, between {wording.whole(one.money.low)} "
        f"and {wording.whole(one.money.high)}; the rule {wording.amount(rule.money.value, currency)}."
    )


def _doubt(subject: Subject) -> str:
    worst = wording.worst_slices(subject.comparison)
    told = f"{worst[0]} " if worst else ""
    return f"{told}And wherever you know something that it cannot know: then say so, and decide otherwise."


def _decides(one: Measured) -> str:
    if not one.review_share:
        return "What it says is a proposal until the use case is moved to automate, which needs evidence."
    return (
        f"People do where it is unsure: in about {one.review_share * 1000:,.0f} of 1,000 cases. What it says of others "
        "is a proposal until the use case is moved to automate, which needs evidence."
    )


def _hundred(share: float) -> int:
    return round(OF * share)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".")
