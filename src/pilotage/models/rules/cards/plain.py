"""A model in plain words: of 100, how many, and what it means for those who work with it.

No word of statistics occurs here: what is said to be so is more than chance explains, and the rest is not said.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from pilotage.models.records import Measured, Slice
from pilotage.models.rules import wording
from pilotage.models.rules.calibrating.spans import COVERAGE
from pilotage.models.rules.cards.subject import Subject
from pilotage.models.rules.slices import behind_others, below_rule
from pilotage.usecase.records import OutcomeKind

OF = 100


class Hundred(Struct, frozen=True):
    """A hundred cases in a picture: ``marked`` of them are what the sentence counts."""

    sentence: str
    marked: int
    marked_word: str
    other_word: str


def headline(subject: Subject) -> str:
    """Of a number, which no hundred cases show: how far it is off, beside the rule. Else nothing."""
    if subject.comparison.kind != "number":
        return ""
    rule = wording.measured(subject.comparison, "rule")
    mine, theirs = (one.measures["mean_absolute_error"].value for one in (subject.measured, rule))
    return (
        f"On average it is {_number_of(subject, mine)} off, one way or the other; today's rule is "
        f"{_number_of(subject, theirs)} off."
    )


def _number_of(subject: Subject, value: float) -> str:
    """With its unit: three digits, and no part of what is large."""
    unit = f" {subject.comparison.unit}" if subject.comparison.unit else ""
    return f"{value:,.0f}{unit}" if abs(value) >= OF else f"{value:,.3g}{unit}"


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
    sentence = (
        f"With each answer it gives a range, meant to hold {_hundred(COVERAGE)} of {OF} cases: about {outside} turn "
        "out to lie outside."
    )
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
        ("Is it better than today's rule?", _better(subject)),
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


def _better(subject: Subject) -> str:
    """The verdict on this candidate, without the figures that prove it."""
    comparison, name = subject.comparison, subject.measured.candidate
    if comparison.blockers:
        return "Nobody can say yet: the data have faults that must be mended first. Until then the rule stays."
    more = next((one.money.value for one in comparison.differences if one.candidate == name), 0.0)
    worth = f"{wording.amount(abs(more), comparison.currency)} {'more' if more >= 0 else 'less'} than the rule"
    tried = f"On {comparison.rows_held_out:,} decisions that it had not seen it was worth {worth} per 1,000"
    if comparison.recommended == name:
        return f"Yes. {tried}, and chance does not explain that."
    if comparison.verdict == "pilot":
        return f"{tried}. Another model is proposed in its place."
    if comparison.verdict == "blocked":
        return f"{tried}, but it treats groups of people less alike than was agreed. So the rule stays."
    if comparison.verdict == "not_enough_evidence":
        return f"That is not known yet. {tried}, which proves nothing so far. Until it is known the rule stays."
    return f"No. {tried}, which is no reason to give the rule up. So the rule stays."


def _doubt(subject: Subject) -> str:
    comparison = subject.comparison
    own = "Wherever you know something that it cannot know: then say so, and decide otherwise."
    looked_at = [one for one in comparison.slices if one.behind is not None]
    if comparison.sliced != subject.measured.candidate or not looked_at:
        return own
    weak = _weak(subject, comparison.slices)
    return f"{weak or 'No group of cases was found in which it surely does worse than in the others.'} {own}"


def _weak(subject: Subject, slices: tuple[Slice, ...]) -> str:
    """Where it surely does worse; empty where that is nowhere."""
    for one in behind_others(slices):
        say = _IN_WORDS[subject.comparison.kind]
        here, elsewhere = say(subject, one.measure.value), say(subject, one.elsewhere or 0.0)
        return f"Most of all where {_where(one)}: there {here}, elsewhere {elsewhere}."
    for one in below_rule(slices):
        return f"Most of all where {_where(one)}: there today's rule was worth more."
    return ""


def _where(one: Slice) -> str:
    return f"{one.column} is {one.value or 'missing'} ({one.rows:,} cases)"


_IN_WORDS: dict[OutcomeKind, Callable[[Subject, float], str]] = {
    "flag": lambda subject, value: f"it tells two cases apart rightly {_hundred(value)} times in {OF}",
    "category": lambda subject, value: f"{_hundred(value)} of {OF} answers are right",
    "number": lambda subject, value: f"it is {_number_of(subject, value)} off on average",
}
"""The main measure of a kind of outcome in plain words."""


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
