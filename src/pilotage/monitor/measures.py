"""How good answers turned out to be: the measures of each kind of outcome, from what came of them. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pilotage.models.explaining import rounded
from pilotage.models.rules.measures import Measure
from pilotage.monitor.records import Quality
from pilotage.usecase.records import OutcomeKind

Measures = dict[str, float | None]

MEASURES: dict[OutcomeKind, tuple[Measure, ...]] = {
    "flag": (
        Measure("alerts", "Alerts", "How often it acted", 0),
        Measure("precision", "Precision", "Share of alerts that were right", 1, 100),
        Measure("recall", "Recall", "Share of positive cases that were caught", 1, 100),
    ),
    "category": (Measure("accuracy", "Accuracy", "Share of answers that were right", 1, 100),),
    "number": (
        Measure("mean_absolute_error", "Mean error", "How far answers were off, either way", 2),
        Measure("bias", "Bias", "How far answers lay too high on average; 0 is best", 2),
        Measure("coverage", "In interval", "How often what happened lay in the model's interval of 90 %", 1, 100),
    ),
}
"""What tables show, by kind of outcome."""


def measured(kind: OutcomeKind, came: Mapping[str, float], decisions: int) -> Measures:
    """The measures of so many answers of which this came, in sums; None where nothing can be said."""
    return _MEASURED[kind](came, decisions)


def shown(kind: OutcomeKind, quality: Quality) -> list[str]:
    """Every measure of the kind's table; a dash where there is none."""
    figures = [(each, quality.measures.get(each.name)) for each in MEASURES[kind]]
    return ["–" if value is None else f"{each.scale * value:,.{each.digits}f}" for each, value in figures]


def in_words(kind: OutcomeKind, unit: str, quality: Quality) -> str:
    """The measures as people say them."""
    return _WORDS[kind](quality.measures, f" {unit}" if unit else "")


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _flag(came: Mapping[str, float], decisions: int) -> Measures:
    caught, alerts = came["caught"], came["caught"] + came["false_alarm"]
    return {"alerts": alerts, "precision": _ratio(caught, alerts), "recall": _ratio(caught, caught + came["missed"])}


def _category(came: Mapping[str, float], decisions: int) -> Measures:
    return {"accuracy": _ratio(came["right"], decisions)}


def _number(came: Mapping[str, float], decisions: int) -> Measures:
    low, high = came["too_low"], came["too_high"]
    return {
        "mean_absolute_error": _ratio(low + high, decisions),
        "bias": _ratio(high - low, decisions),
        "coverage": _ratio(came["within"], decisions) if "within" in came else None,
    }


_MEASURED: dict[OutcomeKind, Callable[[Mapping[str, float], int], Measures]] = {
    "flag": _flag,
    "category": _category,
    "number": _number,
}


def _flag_words(measures: Measures, unit: str) -> str:
    precision, recall = measures["precision"], measures["recall"]
    alerts = "No alerts yet" if precision is None else f"Of 100 alerts about {_false(precision)} were false alarms"
    cases = "nothing to find yet" if recall is None else f"{round(100 * recall)} of 100 cases were found"
    return f"{alerts}; {cases}"


def _false(precision: float) -> int:
    return round(100 * (1 - precision))


def _category_words(measures: Measures, unit: str) -> str:
    accuracy = measures["accuracy"]
    return "No answer yet" if accuracy is None else f"Of 100 answers about {round(100 * accuracy)} were right"


def _number_words(measures: Measures, unit: str) -> str:
    error, bias, coverage = measures["mean_absolute_error"], measures["bias"], measures["coverage"]
    if error is None or bias is None:
        return "No answer yet"
    way = f"{rounded(abs(bias))}{unit} too {'high' if bias > 0 else 'low'} on average" if bias else "not to one side"
    told = f"Off by {rounded(error)}{unit} on average; {way}"
    if coverage is None:
        return told
    return f"{told}; of 100 intervals about {round(100 * coverage)} held what happened"


_WORDS: dict[OutcomeKind, Callable[[Measures, str], str]] = {
    "flag": _flag_words,
    "category": _category_words,
    "number": _number_words,
}
