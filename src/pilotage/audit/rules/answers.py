"""The seven questions about the data: what was measured, what a person said, and the colour the findings give it."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import msgspec

from pilotage.audit.measured import Measured
from pilotage.audit.records import Answer, Finding
from pilotage.audit.rules.colours import OUTCOME_PLACES, QUESTIONS, colour_of, speaking
from pilotage.audit.rules.findings.label.about import categories
from pilotage.audit.rules.findings.label.doubts import noise_in_words
from pilotage.audit.rules.owners import names_of, owner_of
from pilotage.audit.rules.spans import span
from pilotage.platform.counting import plural
from pilotage.usecase.records import Answers, Definition, Given, Latest, Source, Window

_NAMED_MAX = 8


def answers(definition: Definition, measured: Measured, findings: Sequence[Finding]) -> tuple[Answer, ...]:
    """The seven answers, always in the same order: measured as far as that is possible, beside what was asked."""
    given = {
        "systems": _systems(definition, measured),
        "ground_truth": _ground_truth(definition, measured),
        "quality": _quality(definition, measured),
        "recreated": recreated(measured.training_set, measured.recreated),
        "sensitive": _sensitive(definition, measured, findings),
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
    """What is known of the outcome. While it is only guessed nobody has answered: its words are those of a draft."""
    use_case, figures = definition.use_case, measured.decisions
    outcome = use_case.outcome
    guessed = [place for place in OUTCOME_PLACES if place in use_case.guessed]
    named = f"“{outcome.says}” ({outcome.expression})"
    if guessed:
        named = f"{outcome.expression}: asked, not measured, and only guessed so far ({', '.join(guessed)})"
    both = 0 < figures.positives < figures.labelled
    return Answer(
        QUESTIONS["ground_truth"],
        f"{outcome.source}: {named}. Known for {figures.labelled:,} of {figures.decisions:,} decisions; "
        f"{_outcomes(definition, measured)}.{f' {noise_in_words(measured.label.noise)}' if both else ''}",
        "measured" if figures.labelled and not guessed else "open",
    )


def _outcomes(definition: Definition, measured: Measured) -> str:
    """What the known outcomes are, in the terms of their kind."""
    figures, classes, number = measured.decisions, measured.shape.classes, measured.shape.number
    if definition.use_case.kind == "category":
        most = ", ".join(f"{name} {count / figures.labelled:.1%}" for name, count in classes.most)
        return f"{categories(classes.distinct)}{f', most often {most}' if most else ''}"
    if definition.use_case.kind == "number":
        if not number.quantiles:
            return "no number is known"
        least, low, _, middle, _, high, greatest = number.quantiles
        unit = f" {definition.use_case.outcome.unit}".rstrip()
        return (
            f"half of them up to {middle:,g}{unit}, nine in ten from {low:,g} to {high:,g}, all from {least:,g} to "
            f"{greatest:,g}"
        )
    share = figures.positives / figures.labelled if figures.labelled else 0.0
    return f"{figures.positives:,} positive, {share:.1%}"


def _quality(definition: Definition, measured: Measured) -> Answer:
    duplicates = sum(figures.rows - figures.keys for figures in measured.sources.values())
    groups = sum(measured.decisions.small_groups.values())
    parts = [
        _least_complete(measured),
        *_matched(measured),
        f"{plural(duplicates, 'row')} {'shares its' if duplicates == 1 else 'share their'} key with another",
        *_apart(definition, measured),
        f"{plural(groups, 'group')} {'is' if groups == 1 else 'are'} too small to judge",
    ]
    return Answer(QUESTIONS["quality"], f"{'; '.join(parts)}.", "measured")


def _least_complete(measured: Measured) -> str:
    completeness = measured.decisions.input_completeness
    least = min(completeness, key=completeness.__getitem__, default="")
    if not measured.decisions.decisions:
        return "There is no decision whose inputs could be known"
    if not least or completeness[least] == 1:
        return "Every input is known in every decision"
    return f"The least complete input is {least}, known in {completeness[least]:.1%} of decisions"


def _matched(measured: Measured) -> list[str]:
    """How many decisions find a row in the source where the fewest do."""
    worst = min(measured.decisions.matches, key=lambda match: match.share, default=None)
    if worst is None or not measured.decisions.decisions:
        return []
    if worst.share == 1:
        return ["every decision finds a row wherever it is looked up"]
    return [f"{worst.share:.1%} of decisions find a row in {worst.source}, and no fewer in any other source"]


def _apart(definition: Definition, measured: Measured) -> list[str]:
    """How long before the newest source the oldest ends, of those that have clocks."""
    ends = {
        name: figures.known_to
        for name, figures in measured.sources.items()
        if figures.known_to and not definition.use_case.sources[name].is_static
    }
    if len(ends) < 2:
        return []
    oldest = min(ends, key=ends.__getitem__)
    apart = (max(ends.values()) - ends[oldest]).total_seconds()
    return [f"{oldest} ends {span(apart)} before the newest source" if apart else "all sources end at the same time"]


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


def _sensitive(definition: Definition, measured: Measured, findings: Sequence[Finding]) -> Answer:
    """What is declared, and what looks personal: first what somebody should look at, then what is only to be known."""
    declared = [name for name, column in definition.plan.request.items() if column.personal]
    due = {(f.source, f.column) for f in speaking("sensitive", findings)}
    seen = dict.fromkeys((each.source, each.column) for each in measured.personal.columns)
    looked = [f"{source}.{column}" for source, column in seen if (source, column) in due]
    known = [f"{source}.{column}" for source, column in seen if (source, column) not in due]
    columns = sum(len(figures.columns) for figures in measured.sources.values())
    parts = [f"Declared personal: {_some(declared)}." if declared else "None is declared personal."]
    if looked:
        parts.append(f"Of all {columns:,} columns, look at {_some(looked)}.")
    if known:
        parts.append(f"{_some(known)} may be personal, too: not used, or declared.")
    if not seen:
        parts.append(f"Of all {columns:,} columns none looks so.")
    return Answer(QUESTIONS["sensitive"], " ".join(parts), "measured")


def _real_time(definition: Definition, measured: Measured) -> Answer:
    request = definition.plan.request
    required = sum(column.required for column in request.values())
    sources = dict.fromkeys(c.source for c in definition.plan.columns if isinstance(c, (Latest, Window)))
    late = [f"{name} (19 of 20 rows within {span(measured.sources[name].lateness_seconds)})" for name in sources]
    inputs = sum(isinstance(c, Given) for c in definition.plan.columns)
    looked_up = f"; looked up: {names_of(late)}" if late else ""
    return Answer(
        QUESTIONS["real_time"],
        f"{plural(len(request), 'field')} from the app ({required} required, {inputs} used as "
        f"{'an input' if inputs == 1 else 'inputs'}){looked_up}, all as of the decision; the answer is wanted within "
        f"{definition.use_case.brief.latency_ms} ms.",
        "measured",
    )


def _repair(definition: Definition) -> Answer:
    use_case = definition.use_case
    owners: dict[str, list[str]] = {}
    for name in use_case.sources:
        owners.setdefault(owner_of(use_case, name), []).append(name)
    text = "; ".join(f"{owner}: {names_of(names)}" for owner, names in owners.items())
    named = bool(use_case.data_owner) or all(source.owner for source in use_case.sources.values())
    return Answer(QUESTIONS["repair"], f"{text}.", "declared" if named else "open")
