"""The seven questions about the data, answered by measurement where that is possible."""

from __future__ import annotations

from pilotage.audit.measured import Measured
from pilotage.audit.records import Answer
from pilotage.audit.rules.owners import names_of, owner_of
from pilotage.audit.rules.sensitive import sensitive_columns
from pilotage.usecase.records import Definition, Given, Latest, Window

_RECREATED = "Can the training data be recreated?"


def answers(definition: Definition, measured: Measured) -> tuple[Answer, ...]:
    """The seven answers, always in the same order."""
    return (
        _systems(definition, measured),
        _ground_truth(definition, measured),
        _quality(definition, measured),
        recreated(measured.training_set, measured.recreated),
        _sensitive(definition, measured),
        _real_time(definition, measured),
        _repair(definition),
    )


def _systems(definition: Definition, measured: Measured) -> Answer:
    parts = []
    for name, source in definition.use_case.sources.items():
        place = f"table {source.table}" if source.table else "files"
        parts.append(f"{name} ({place}, {measured.sources[name].rows:,} rows)")
    return Answer("Which systems hold the inputs?", f"{names_of(parts)}.", "measured")


def _ground_truth(definition: Definition, measured: Measured) -> Answer:
    outcome, figures = definition.use_case.outcome, measured.decisions
    share = figures.positives / figures.labelled if figures.labelled else 0.0
    return Answer(
        "Which outcome is the ground truth?",
        f"{outcome.source}: “{outcome.says}” ({outcome.positive}). Known for {figures.labelled:,} of "
        f"{figures.decisions:,} decisions; {figures.positives:,} positive, {share:.1%}.",
        "measured" if figures.labelled else "open",
    )


def _quality(definition: Definition, measured: Measured) -> Answer:
    completeness = measured.decisions.input_completeness
    duplicates = sum(figures.rows - figures.keys for figures in measured.sources.values())
    least = min(completeness, key=completeness.__getitem__, default="")
    matched = min((match.share for match in measured.decisions.matches), default=1.0)
    lag = max(
        (
            (measured.newest - figures.known_to).total_seconds() / 3600
            for figures in measured.sources.values()
            if measured.newest and figures.known_to
        ),
        default=0.0,
    )
    return Answer(
        "How complete, current, duplicated, biased and noisy is it?",
        f"The least complete input is {least}, known in {completeness.get(least, 0.0):.1%} of decisions; keys match in "
        f"{matched:.1%} or more; {duplicates:,} rows share their key with another; sources end within {lag:.1f} hours "
        f"of each other; {sum(measured.decisions.small_groups.values()):,} groups are too small to judge.",
        "measured",
    )


def recreated(training_set: str, proved: bool | None) -> Answer:
    """Whether a training set came out the same when it was rebuilt; None where that was not tried."""
    if proved is None:
        return Answer(_RECREATED, "Not proved yet: run `pilotage build --verify`.", "open")
    if proved:
        return Answer(_RECREATED, f"Yes: {training_set} was rebuilt from its snapshots, identical.", "measured")
    return Answer(_RECREATED, f"No: rebuilding {training_set} gave other rows.", "measured")


def with_proof(given: tuple[Answer, ...], training_set: str, proved: bool) -> tuple[Answer, ...]:
    """The answers with what was proved since they were given."""
    return tuple(recreated(training_set, proved) if a.question == _RECREATED else a for a in given)


def _sensitive(definition: Definition, measured: Measured) -> Answer:
    declared = [name for name, column in definition.plan.request.items() if column.personal]
    hinted = [
        f"{name}.{column}"
        for name, figures in measured.sources.items()
        for column in sensitive_columns(found.name for found in figures.columns)
    ]
    parts = [f"Declared personal: {names_of(declared)}." if declared else "None is declared personal."]
    columns = sum(len(figures.columns) for figures in measured.sources.values())
    hint = f"look at {names_of(hinted)}" if hinted else "none looks so"
    parts.append(f"By the names of all {columns} columns, {hint}.")
    return Answer("Which fields are sensitive?", " ".join(parts), "measured")


def _real_time(definition: Definition, measured: Measured) -> Answer:
    given = [name for name, column in definition.plan.request.items() if column.required]
    sources = dict.fromkeys(c.source for c in definition.plan.columns if isinstance(c, (Latest, Window)))
    late = [f"{name} (19 of 20 rows within {_span(measured.sources[name].lateness_seconds)})" for name in sources]
    inputs = sum(isinstance(c, Given) for c in definition.plan.columns)
    looked_up = f" and {names_of(late)}" if late else ""
    return Answer(
        "Which must be there in real time?",
        f"The app's {len(given)} required fields ({inputs} are inputs){looked_up}, as of the decision; the answer is "
        f"wanted within {definition.use_case.brief.latency_ms} ms.",
        "measured",
    )


def _span(lateness_seconds: float) -> str:
    if lateness_seconds < 60:
        return f"{max(lateness_seconds, 0):.0f} s"
    return f"{lateness_seconds / 60:.0f} min" if lateness_seconds < 7200 else f"{lateness_seconds / 3600:.1f} h"


def _repair(definition: Definition) -> Answer:
    use_case = definition.use_case
    owners: dict[str, list[str]] = {}
    for name in use_case.sources:
        owners.setdefault(owner_of(use_case, name), []).append(name)
    text = "; ".join(f"{owner}: {names_of(names)}" for owner, names in owners.items())
    named = bool(use_case.data_owner) or all(source.owner for source in use_case.sources.values())
    return Answer("Who fixes a broken source?", f"{text}.", "declared" if named else "open")
