"""What was found between groups of people, in sentences."""

from __future__ import annotations

from pilotage.models.records import Grouped
from pilotage.usecase.records import OutcomeKind

MEASURES: dict[str, tuple[str, str]] = {
    "selection": ("It acts on", "of the cases of"),
    "recall": ("It catches", "of the positive cases of"),
    "false_alarms": ("It acts wrongly on", "of the negative cases of"),
    "accuracy": ("It is right in", "of the cases of"),
}
HEADINGS: dict[OutcomeKind, dict[str, str]] = {
    "flag": {"selection": "Acted on %", "recall": "Recall %", "false_alarms": "False alarms %"},
    "category": {"accuracy": "Right %"},
    "number": {"mean_absolute_error": "Mean error", "bias": "Bias"},
}
"""What is shown of each group, by kind of outcome."""


def told(one: Grouped) -> str:
    """The lowest and the highest group, or those two that surely lie apart, and how that stands to the limit."""
    few = _few(one)
    if one.ratio is None:
        if one.measure == "mean_absolute_error" and len(one.groups) > 1:
            return f"By {one.column}: {_errors(one)}{few}"
        why = "fewer than two groups are large enough" if one.pairs < 1 else "too little happened in them to tell"
        return f"By {one.column} nothing can be compared: {why}.{few}"
    does, of = MEASURES[one.measure]
    shares = {group.value: group.measures[one.measure].value for group in one.groups if one.measure in group.measures}
    low, high = _percent(shares[one.lowest]), _percent(shares[one.highest])
    corrected = "" if one.pairs == 1 else f", corrected for {one.pairs} pairs"
    known = {value: share for value, share in shares.items() if value}
    are_ends = shares[one.lowest] <= min(known.values()) and shares[one.highest] >= max(known.values())
    ends = "the lowest is {} of the highest" if are_ends else "that is {} of it, where these two differ most surely"
    sentence = (
        f"By {one.column}: {_lower(does)} {low} {of} {_group(one.lowest)} and {high} {of} {_group(one.highest)}; "
        f"{ends.format(f'{one.ratio.value:.2f}')} (95 % interval {one.ratio.low:.2f} to {one.ratio.high:.2f}"
        f"{corrected})"
    )
    rule = "" if one.rule is None else f" The rule of today has {one.rule:.2f}."
    return f"{sentence}{_against(one)}.{rule}{few}"


def crossings(grouped: tuple[Grouped, ...]) -> tuple[str, ...]:
    """The sentences of the limits that are surely crossed."""
    return tuple(told(one) for one in grouped if one.crossed)


def _against(one: Grouped) -> str:
    if one.limit is None or one.ratio is None:
        return ""
    if one.crossed:
        return f", surely below the limit of {one.limit:g}"
    if one.ratio.value < one.limit:
        return f", below the limit of {one.limit:g}, though chance could explain it"
    if one.ratio.low < one.limit:
        return f", within the limit of {one.limit:g} here, which is not yet sure"
    return f", within the limit of {one.limit:g}"


def _errors(one: Grouped) -> str:
    known = [group for group in one.groups if group.value]
    best = min(known, key=lambda group: group.measures["mean_absolute_error"].value)
    worst = max(known, key=lambda group: group.measures["mean_absolute_error"].value)
    ends = [group.measures["mean_absolute_error"].value for group in (best, worst)]
    return f"the mean error is {ends[0]:,.3g} for {_group(best.value)} and {ends[1]:,.3g} for {_group(worst.value)}."


def _few(one: Grouped) -> str:
    if not one.left_out:
        return ""
    count = "One group" if one.left_out == 1 else f"{one.left_out:,} groups"
    verb = "is" if one.left_out == 1 else "are"
    return f" {count} ({one.left_out_rows:,} decisions in all) {verb} too small to be judged."


def _group(value: str) -> str:
    return f"“{value}”"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _lower(text: str) -> str:
    return text[0].lower() + text[1:]
