"""What was found by looking closer at one model, in sentences: the same in a terminal and on a page."""

from __future__ import annotations

from collections.abc import Sequence

from pilotage.models.records import Ablation, Comparison, Estimate, Learning, Search, Surest, Without
from pilotage.models.rules import fairness_told
from pilotage.models.rules.abstaining import is_surely_better
from pilotage.models.rules.measures import main
from pilotage.models.rules.wording import amount, interval, measured, short, whole

ABLATIONS_TOLD = 3
NAMED_MAX = 12
MORE, LAST = "Would more data help?", "Does it last?"


def in_short(comparison: Comparison) -> list[str]:
    """For a terminal: groups of people, more data, sources, time."""
    told = [fairness_told.told(one) for one in comparison.fairness]
    told += [asked(MORE, more_data(comparison)), *losses(comparison)[:ABLATIONS_TOLD]]
    if comparison.ablation is not None:
        told.append(how_ablated(comparison.ablation))
    told += [asked(LAST, lasting(comparison)), surest(comparison)]
    return [sentence for sentence in told if sentence]


def asked(question: str, answer: str) -> str:
    """A question with its answer, where there is one."""
    return f"{question} {answer}" if answer else ""


def searched(comparison: Comparison, one: Search) -> str:
    """How many settings were tried, and what came of it."""
    name = short(measured(comparison, one.candidate)) if _has(comparison, one.candidate) else one.candidate
    if not one.trials:
        return f"{name}: no settings were tried; the family's own are used."
    loss, best = one.loss.replace("_", " "), min(trial.loss for trial in one.trials)
    own, settings = one.trials[0].loss, _settings(one.chosen)
    gain = "the family's own were the best" if one.chosen == one.trials[0].settings else f"its own had {own:.4g}"
    cut = "" if len(one.trials) == one.known else ", then the budget was spent"
    return (
        f"{name}: {len(one.trials)} of {one.known} settings tried on {one.folds} folds of the training part in "
        f"{one.seconds:,.0f} s{cut}; best {loss} {best:.4g} with {settings}, {gain}."
    )


def _has(comparison: Comparison, name: str) -> bool:
    return any(one.candidate == name for one in comparison.candidates)


def _settings(chosen: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in chosen.items()) or "its own settings"


def more_data(comparison: Comparison) -> str:
    """Would more data help? Answered by the last doubling, never by more than its interval says."""
    found = comparison.learning
    if found is None:
        return ""
    loss, money = found.loss_less, found.money_more
    if loss is None or money is None:
        return f"That cannot be told: {_why_not(found)}."
    name = measured(comparison, found.candidate).loss.replace("_", " ")
    told = (
        f"twice as many decisions were worth {_more(money, comparison.currency)} per 1,000 "
        f"({_ends(money, comparison.currency)}) and changed the {name} by {_signed(-loss.value)} "
        f"(95 % interval {_signed(-loss.high)} to {_signed(-loss.low)}; smaller is better)."
    )
    if money.low > 0:
        return f"Probably yes: {told} The next doubling usually brings less."
    if loss.low > 0 and money.high > 0:
        return f"It would know more; what that is worth is not proved: {told}"
    if money.high < 0 or loss.high < 0:
        return f"Not more of the old: {told} What is older seems to mislead it."
    return f"No sign of it: {told}"


def _why_not(found: Learning) -> str:
    if found.skipped:
        return "learning again from parts of the rows would have taken too long"
    return "there are too few rows to learn from a part of them"


def losses(comparison: Comparison) -> list[str]:
    """What the model loses without each source or column, dearest first; in the end what it does not miss."""
    found = comparison.ablation
    if found is None:
        return []
    missed = [one for one in found.groups if matters(one)]
    others = [one.name for one in found.groups if not matters(one)]
    told = [_without(one, comparison) for one in missed]
    if others:
        told.append(f"Without {_listed(others)} it would lose no more than chance explains, each alone.")
    return told


def matters(one: Without) -> bool:
    """Whether something is surely lost: money, or knowledge."""
    return one.money.low > 0 or one.loss.high < 0


def _without(one: Without, comparison: Comparison) -> str:
    currency, money = comparison.currency, one.money
    if money.low > 0:
        return (
            f"Without {one.name} it would earn {amount(money.value, currency)} less per 1,000 decisions "
            f"({_ends(money, currency)})."
        )
    return (
        f"Without {one.name} it would know less, with no sure difference in money: "
        f"{_more(money, currency, turned=True)} per 1,000 decisions ({_ends(money, currency, turned=True)})."
    )


def how_ablated(one: Ablation) -> str:
    """How that was measured."""
    if one.retrained:
        return "Measured by teaching the model again without these columns, on the same held-out decisions."
    more = f" {_tried(one)}Not tried: {_some(one.skipped)}." if one.skipped else ""
    return (
        "Measured by giving each held-out decision another one's values, as teaching again would have taken too long: "
        "this is how much the model leans on them. A model taught without them would lose less where other columns "
        f"tell the same.{more}"
    )


def _tried(one: Ablation) -> str:
    """How those that were tried were chosen."""
    if not one.ranked_on:
        return ""
    return (
        f"Tried were the {len(one.groups)} on which it leans most: of all {len(one.groups) + len(one.skipped)}, their "
        f"exchange changed its answers to {one.ranked_on:,} held-out decisions most. "
    )


def _some(names: Sequence[str]) -> str:
    """The first few, and how many more there are: of thousands of columns nobody would read the names."""
    more = len(names) - NAMED_MAX
    return f"{', '.join(names[:NAMED_MAX])} and {more:,} more" if more > 0 else ", ".join(names)


def lasting(comparison: Comparison) -> str:
    """Does it fade over the held-out time?"""
    found = comparison.stability
    if found is None:
        return ""
    measure, change = main(comparison.kind), found.change
    ends = [f"{measure.scale * value:,.{measure.digits}f}" for value in found.halves]
    went = (
        f"its {_noun(measure.title)} went from {ends[0]} in the first half of the held-out time to {ends[1]} in the "
        "second"
    )
    how = f"(change {interval(change, measure.digits, measure.scale)})"
    if change.low <= 0 <= change.high:
        return f"Yes, as far as can be seen: {went}, no more than chance explains {how}."
    if (change.value > 0) == (comparison.kind != "number"):
        return f"Yes: {went} {how}."
    return f"No: {went} {how}. Measure it often, and plan to train it again."


def _noun(title: str) -> str:
    """``mean error``, ``AUC``."""
    return title if title.isupper() else title.lower()


def surest(comparison: Comparison) -> str:
    """What it would be worth to answer only the surest: the share that is worth most, if that is no chance."""
    if not comparison.surest:
        return ""
    whole_, *others = comparison.surest
    better = [one for one in others if is_surely_better(one)]
    if not better:
        return "To answer only the surest decisions is not surely worth more than to answer all of them."
    best = max(better, key=lambda one: one.money.value)
    return (
        f"If it only answered the surest {100 * best.share:.0f} % and left the others to the rule, it would be worth "
        f"{amount(best.money.value, comparison.currency)} per 1,000 decisions, against "
        f"{amount(whole_.money.value, comparison.currency)} when it answers all, by more than chance with "
        f"{len(others)} shares looked at; {_right(best, comparison)}."
    )


def _right(one: Surest, comparison: Comparison) -> str:
    if comparison.kind == "number":
        unit = f" {comparison.unit}" if comparison.unit else ""
        return f"these answers are {one.right.value:,.3g}{unit} off on average"
    return f"of 100 of these answers about {100 * one.right.value:.0f} are right"


BANDS = {"low": "Clearly below the threshold", "uncertain": "Near the threshold", "high": "Clearly above the threshold"}


def _more(one: Estimate, currency: str, turned: bool = False) -> str:
    value = -one.value if turned else one.value
    return f"{amount(abs(value), currency)} {'more' if value >= 0 else 'less'}"


def _ends(one: Estimate, currency: str, turned: bool = False) -> str:
    low, high = (-one.high, -one.low) if turned else (one.low, one.high)
    return f"95 % interval {whole(low)} to {amount(high, currency)}"


def _signed(value: float) -> str:
    return f"{value:+.3g}".replace("-", "−")


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
