"""The seven questions about the data: what was measured, what a person said, and the colour the findings give it."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import msgspec

from pilotage.audit.measured import Measured
from pilotage.audit.records import Answer, Finding
from pilotage.audit.rules.colours import QUESTIONS, colour_of, speaking
from pilotage.audit.rules.owners import names_of, owner_of
from pilotage.usecase.records import Answers, Definition, Given, Latest, Source, Window

_NAMED_MAX = 8


def answers(definition: Definition, measured: Measured, findings: Sequence[Finding]) -> tuple[Answer, ...]:
    """The seven answers, always in the same order: measured as far as that is possible, beside what was asked."""
    given = {
        "systems": _systems(definition, measured),
        "ground_truth": _ground_truth(definition, measured),
        "quality": _quality(definition, measured),
        "recreated": recreated(measured.training_set, measured.recreated),
        "sensitive": _sensitive(definition, measured),
        "real_time": _real_time(definition, measured),
        "repair": _repair(definition),
    }
    said = msgspec.structs.asdict(definition.use_case.answers)
    return tuple(_judged(key, given[key], findings, str(said[key])) for key in QUESTIONS)


def _judged(key: str, answer: Answer, findings: Sequence[Finding], asked: str) -> Answer:
    """The answer with its colour, the findings that give it, and what a person said."""
    evidence = speaking(key, findings)
    colour = colour_of(evidence, open_question=answer.how == "open")
    return msgspec.structs.replace(
        answer,
        colour="red" if answer.colour == "red" else colour,
        evidence=tuple(finding.id for finding in evidence),
        asked=asked.strip(),
        path=f"answers.{key}",
        prompt=_prompts()[key],
    )


@functools.cache
def _prompts() -> dict[str, str]:
    """Key → what a person is asked: the description that the file's schema has of it."""
    properties = msgspec.json.schema(Answers)["$defs"]["Answers"]["properties"]
    return {key: str(properties[key]["description"]) for key in QUESTIONS}


def open_answers(given: Sequence[Answer]) -> tuple[str, ...]:
    """Paths in the file at which a person has not said anything yet."""
    return tuple(answer.path for answer in given if not answer.asked)


def place_of(source: Source) -> str:
    """Where a source is, in words, without its address."""
    if source.table:
        return f"table {source.table}"
    if source.delta:
        return "Delta table"
    if source.rest is not None:
        return "endpoint"
    return f"sheet {source.sheet}" if source.sheet else "files"


def _some(names: Sequence[str]) -> str:
    """Names in a sentence; of very many, the first."""
    more = len(names) - _NAMED_MAX
    return names_of(list(names)) if more <= 1 else f"{', '.join(names[:_NAMED_MAX])} and {more:,} more"


def _systems(definition: Definition, measured: Measured) -> Answer:
    parts = []
    for name, source in definition.use_case.sources.items():
        system = f"{source.system}, " if source.system else ""
        parts.append(f"{name} ({system}{place_of(source)}, {measured.sources[name].rows:,} rows)")
    return Answer(QUESTIONS["systems"], f"{names_of(parts)}.", "measured")


def _ground_truth(definition: Definition, measured: Measured) -> Answer:
    outcome, figures = definition.use_case.outcome, measured.decisions
    share = figures.positives / figures.labelled if figures.labelled else 0.0
    return Answer(
        QUESTIONS["ground_truth"],
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
        QUESTIONS["quality"],
        f"The least complete input is {least}, known in {completeness.get(least, 0.0):.1%} of decisions; keys match in "
        f"{matched:.1%} or more; {duplicates:,} rows share their key with another; sources end within {lag:.1f} hours "
        f"of each other; {sum(measured.decisions.small_groups.values()):,} groups are too small to judge.",
        "measured",
    )


def recreated(training_set: str, proved: bool | None) -> Answer:
    """Whether a training set came out the same when it was rebuilt; None where that was not tried."""
    if proved is None:
        return Answer(QUESTIONS["recreated"], "Not proved yet: run `pilotage build --verify`.", "open")
    if proved:
        return Answer(
            QUESTIONS["recreated"],
            f"Yes: {training_set} was rebuilt from its snapshots, identical.",
            "measured",
            "green",
        )
    return Answer(QUESTIONS["recreated"], f"No: rebuilding {training_set} gave other rows.", "measured", "red")


def with_proof(given: tuple[Answer, ...], training_set: str, proved: bool) -> tuple[Answer, ...]:
    """The answers with what was proved since they were given."""
    return tuple(_proved(a, training_set, proved) if a.question == QUESTIONS["recreated"] else a for a in given)


def _proved(before: Answer, training_set: str, proved: bool) -> Answer:
    now = recreated(training_set, proved)
    colour = now.colour if now.colour == "red" or not before.evidence else before.colour
    return msgspec.structs.replace(before, answer=now.answer, how=now.how, colour=colour)


def _sensitive(definition: Definition, measured: Measured) -> Answer:
    declared = [name for name, column in definition.plan.request.items() if column.personal]
    hinted = list(dict.fromkeys(f"{seen.source}.{seen.column}" for seen in measured.personal.columns))
    parts = [f"Declared personal: {_some(declared)}." if declared else "None is declared personal."]
    columns = sum(len(figures.columns) for figures in measured.sources.values())
    hint = f"look at {_some(hinted)}" if hinted else "none looks so"
    parts.append(f"Of all {columns:,} columns, {hint}.")
    return Answer(QUESTIONS["sensitive"], " ".join(parts), "measured")


def _real_time(definition: Definition, measured: Measured) -> Answer:
    given = [name for name, column in definition.plan.request.items() if column.required]
    sources = dict.fromkeys(c.source for c in definition.plan.columns if isinstance(c, (Latest, Window)))
    late = [f"{name} (19 of 20 rows within {_span(measured.sources[name].lateness_seconds)})" for name in sources]
    inputs = sum(isinstance(c, Given) for c in definition.plan.columns)
    looked_up = f" and {names_of(late)}" if late else ""
    return Answer(
        QUESTIONS["real_time"],
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
    return Answer(QUESTIONS["repair"], f"{text}.", "declared" if named else "open")
