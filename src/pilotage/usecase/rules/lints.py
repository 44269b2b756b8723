"""The well-known ways in which such projects fail, as far as the file alone shows them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import msgspec

from pilotage.usecase.records import Definition, Input, UseCase, listed, seconds
from pilotage.usecase.rules import expressions
from pilotage.usecase.rules.brief import default_in_words
from pilotage.usecase.rules.naming import taken
from pilotage.usecase.rules.places import Mistake, Path, Positions, located
from pilotage.usecase.rules.reading import read

_MODEL_METRIC = re.compile(
    r"\b(accuracy|auc|roc|f1|f-score|precision|recall|log.?loss|brier|rmse|mae|mape|r2|r²)\b", re.IGNORECASE
)
_SHARE_FOR_A_START = 0.5
_DECISIONS_FOR_EVIDENCE = 100


class Lint(msgspec.Struct, frozen=True):
    """A warning: a known way to fail, with its remedy. The file is usable nevertheless."""

    id: str
    message: str
    remedy: str
    line: int = 0
    column: int = 0


Found = Iterator[tuple[Path, str, str]]


def lints(definition: Definition) -> list[Lint]:
    """All warnings about a use case, by their place in the file."""
    positions = read(definition.text).positions
    found = []
    for identifier, check in CHECKS.items():
        for path, message, remedy in check(definition.use_case, positions):
            problem = located([Mistake(path, message)], positions)[0]
            found.append(Lint(identifier, message, remedy, problem.line, problem.column))
    return sorted(found, key=lambda lint: (lint.line, lint.column, lint.id))


def _model_metric(use_case: UseCase, positions: Positions) -> Found:
    if metric := _MODEL_METRIC.search(use_case.brief.kpi):
        message = f"The KPI speaks of {metric.group()}, which measures a model and not the work."
        yield ("brief", "kpi"), message, "Name what the business counts: cost, hours, losses, complaints."


def _latency(use_case: UseCase, positions: Positions) -> Found:
    if ("brief", "latency_ms") not in positions:
        message = f"No latency budget is stated; {use_case.brief.latency_ms} ms is assumed."
        yield ("brief",), message, "Ask the app's team how long it can wait and write latency_ms."


def _fallback(use_case: UseCase, positions: Positions) -> Found:
    if ("policy", "default") not in positions:
        message = (
            "What to do when neither model nor rule can answer is not stated; "
            f"'{default_in_words(use_case)}' is assumed."
        )
        yield ("policy",), message, "Write default: positive or negative."


def _review(use_case: UseCase, positions: Positions) -> Found:
    if use_case.brief.risk != "high":
        return
    key, example = _UNCERTAIN[use_case.kind]
    if not getattr(use_case.policy, key):
        message = "Decisions of high risk are taken, and none goes to a person."
        yield ("policy", key), message, f"Let uncertain ones go to review: {key}: {example}."
    if not use_case.review.guidelines:
        message = "Decisions of high risk are reviewed without guidelines."
        yield ("review",), message, "Write review.guidelines: what a reviewer looks at, and when to ask another."


_UNCERTAIN = {
    "flag": ("uncertain_within", "0.05"),
    "category": ("confidence", "0.6"),
    "number": ("width", "how wide the 90 % interval may be"),
}


def _support(use_case: UseCase, positions: Positions) -> Found:
    orphans = [name for name, source in use_case.sources.items() if not source.owner and not use_case.data_owner]
    if orphans:
        message = f"Nobody is named who answers for the data: {', '.join(orphans)}."
        yield ("sources",), message, "Write data_owner, or an owner for each source."


def _no_rule(use_case: UseCase, positions: Positions) -> Found:
    if not expressions.columns_of(use_case.rule.expression):
        message = "The rule looks at nothing: a model would only be compared with always doing the same."
        yield ("rule", use_case.rule.key), message, "Write down how people decide today."


def _one_clock(use_case: UseCase, positions: Positions) -> Found:
    for name, source in use_case.sources.items():
        if source.event_time != source.known_at or source.is_static:
            continue
        message = f"{name} has one clock: what happens is taken as known in the same instant."
        if name == use_case.outcome.source == use_case.decision.source:
            message += " So the outcome is taken as known when the decision is."
        yield ("sources", name), message, "Name the column that says when a row was recorded or published."


def _early_expansion(use_case: UseCase, positions: Positions) -> Found:
    rollout = use_case.rollout
    if rollout.assist_share > _SHARE_FOR_A_START:
        message = f"The pilot begins with {rollout.assist_share:.0%} of all decisions."
        yield ("rollout", "assist_share"), message, "Begin with a fifth, and widen on evidence."
    if rollout.decisions_min < _DECISIONS_FOR_EVIDENCE:
        message = f"{rollout.decisions_min} decisions are taken as evidence enough to advance."
        yield ("rollout", "decisions_min"), message, "Some hundreds are needed to tell a gain from luck."


def _personal(use_case: UseCase, positions: Positions) -> Found:
    personal = [name for name, column in use_case.decision.request.items() if getattr(column, "personal", False)]
    if personal and use_case.brief.risk == "minimal":
        message = f"Personal data ({', '.join(personal)}) goes into a use case said to be of minimal risk."
        yield ("brief", "risk"), message, "Have the risk looked at by who answers for data protection."


def _late_outcomes(use_case: UseCase, positions: Positions) -> Found:
    if seconds(use_case.outcome.matures) > seconds("90 days"):
        message = f"Outcomes take {use_case.outcome.matures} to show: harm would be noticed that late."
        yield ("outcome", "matures"), message, "Look for an earlier sign that goes with the outcome."


def _guessed(use_case: UseCase, positions: Positions) -> Found:
    for place, why in use_case.guessed.items():
        message = f"{place} was guessed: {why}."
        yield ("guessed", place), message, "Correct the place where it is wrong, then remove its line under `guessed`."


def _unused_source(use_case: UseCase, positions: Positions) -> Found:
    used = {use_case.decision.source, use_case.outcome.source, use_case.human.source if use_case.human else ""}
    used |= {entry.latest or entry.windows for entry in use_case.inputs.values() if isinstance(entry, Input)}
    for name in use_case.sources:
        if name not in used:
            remedy = "Look something up in it (`latest`, `windows`), or remove it."
            yield ("sources", name), f"No input takes anything from {name}.", remedy


def _copied_people(use_case: UseCase, positions: Positions) -> Found:
    """What people decided, looked up for the very case: late rows of it are not there, and early ones say it all."""
    human = use_case.human
    decided = expressions.columns_of(human.decided) if human else frozenset()
    for key, entry in use_case.inputs.items():
        if human is None or not isinstance(entry, Input) or entry.latest != human.source:
            continue
        if use_case.decision.entity in listed(entry.by) and decided & set(taken(key, entry).values()):
            message = f"{key} takes what people decided on the same case (human.decided)."
            yield ("inputs", key), message, "Remove it, unless it is there before the decision: a model copies it."


CHECKS: dict[str, Callable[[UseCase, Positions], Found]] = {
    "model-metric-without-business-metric": _model_metric,
    "no-latency-budget": _latency,
    "no-fallback": _fallback,
    "no-human-review": _review,
    "no-data-owner": _support,
    "no-rule-to-beat": _no_rule,
    "guessed": _guessed,
    "unused-source": _unused_source,
    "one-clock": _one_clock,
    "expansion-before-evidence": _early_expansion,
    "personal-data-minimal-risk": _personal,
    "late-outcomes": _late_outcomes,
    "copied-people": _copied_people,
}
