"""The text of a first use-case file, with a comment or a line under ``guessed`` for everything that nobody said."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from pilotage.data.guessing.project import KINDS, Field, Lookup, Project, SourceGuess

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./*:@ -]*(?<! )", re.ASCII)
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n", "~"}


def text_of(project: Project) -> str:
    """The whole file."""
    parts = [_head(project), *_sources(project), _decision(project), _outcome(project), *_inputs(project)]
    return "\n".join([*parts, _tail(project), *_guessed(project)]) + "\n"


def scalar(text: str) -> str:
    """A text as YAML writes it: plain where that is safe."""
    safe = _PLAIN.fullmatch(text) and text.lower() not in _WORDS and ": " not in text and not text.endswith(":")
    return text if safe and " #" not in text else json.dumps(text, ensure_ascii=False)


def _list(items: tuple[str, ...]) -> str:
    return f"[{', '.join(scalar(item) for item in items)}]"


def _head(project: Project) -> str:
    title = project.name.replace("_", " ").capitalize()
    return f"""# A first draft from what the data look like. Nobody has confirmed it: see `guessed` at the end.
use_case: {project.name}
title: {title}
owner: nobody-yet@example.com

brief:
  workflow: How the work is done today, in a sentence.
  users: Who acts on the answer
  decision: What is decided, and when.
  kpi: What the business counts
  value: {{currency: EUR, caught: 10, false_alarm: -1}}

sources:"""


def _sources(project: Project) -> Iterator[str]:
    for source in project.sources:
        yield _source(source)
    for name in project.unkeyed:
        yield f"  # {name} is left out: it has no rows, or no column that tells them apart."


def _source(source: SourceGuess) -> str:
    lines = [f"  {source.table.name}:"]
    lines += [f"    {key}: {scalar(value)}" for key, value in source.table.place.items()]
    if source.table.accept_writer:
        lines.append("    accept_writer: true  # the user that reads it could write: make one that cannot")
    lines.append(f"    key: {_list(source.key.value)}  # {source.key.why}")
    if source.clocks is None:
        lines.append("    static: true  # no column could be a clock: what changes is seen at the next sync only")
    else:
        for name, guess in zip(("event_time", "known_at"), source.clocks, strict=True):
            lines.append(f"    {name}: {scalar(guess.value[0])}  # {guess.why}")
    return "\n".join(lines)


def _decision(project: Project) -> str:
    lines = ["", "decision:", f"  entity: {scalar(project.entity.value[0])}  # {project.entity.why}"]
    lines.append(f"  source: {project.decision.table.name}")
    if project.moment:
        moment = next(field for field in project.fields if field.column.name == project.moment)
        lines.append(f"  moment: {moment.name}  # when the row is written; before, nothing could be decided")
    lines += ["  request:  # remove what is known only after the decision", *map(_field, project.fields)]
    return "\n".join(lines)


def _field(field: Field) -> str:
    kind = KINDS[field.column.type]
    extra = [] if field.required else ["required: false"]
    extra += [] if field.name == field.column.name else [f"column: {scalar(field.column.name)}"]
    return f"    {field.name}: " + (f"{{{', '.join([f'kind: {kind}', *extra])}}}" if extra else kind)


def _outcome(project: Project) -> str:
    lines = ["", "outcome:", f"  source: {project.label.table}"]
    lines.append(f"  positive: {scalar(project.label.condition)}  # {project.label.why}")
    for other in project.others:
        lines.append(f"  # or, of {other.table}: {other.condition} ({other.why})")
    return "\n".join([*lines, "  says: what this means in words", "  matures: 1 day"])


def _inputs(project: Project) -> Iterator[str]:
    yield "\ninputs:"
    names = {field.name for field in project.fields}
    for field in project.fields:
        if field.is_input and field.column.type == "datetime":
            if not _only_days(field):
                yield f"  {_free(f'{field.name}_hour', names)}: {{derived: EXTRACT(HOUR FROM {field.name})}}"
            weekday = f"EXTRACT(DOW FROM {field.name})"
            yield f"  {_free(f'{field.name}_weekday', names)}: {{derived: {weekday}, kind: category}}"
        elif field.is_input:
            yield f"  {field.name}: request"
    if not any(field.is_input for field in project.fields) and not project.lookups:
        yield "  always: {derived: 1 + 0}  # no column looks like an input"
    for lookup in project.lookups:
        yield from _lookup(lookup, names)


def _only_days(field: Field) -> bool:
    return all(value.endswith("00:00:00") for value, _ in field.column.common)


def _lookup(lookup: Lookup, names: set[str]) -> Iterator[str]:
    if lookup.take:
        yield f"  {_free(f'{lookup.source}_by_{lookup.by.lower()}', names)}:"
        yield f"    latest: {lookup.source}"
        yield f"    by: {lookup.by}"
        yield f"    take: {_list(lookup.take)}"
        yield "    within: 365 days"
    if lookup.counted:
        yield f"  {_free(f'{lookup.source}_rows', names)}:"
        yield f"    windows: {lookup.source}"
        yield f"    by: {lookup.by}"
        yield "    aggregate: count"
        yield "    over: [7 days, 30 days]"


def _free(name: str, names: set[str]) -> str:
    """A name for an input that no request column has."""
    plain = re.sub(r"[^a-z0-9_]", "_", name.lower())[:60]
    plain = plain if plain[0].isalpha() else f"i_{plain}"
    while plain in names:
        plain += "_2"
    names.add(plain)
    return plain


def _tail(project: Project) -> str:
    return """
rule:
  positive: FALSE
  says: nothing is done today (say what is, and a model has something to beat)

policy:
  actions: {positive: Act, negative: Leave as it is}
  default: negative
"""


def _guessed(project: Project) -> Iterator[str]:
    yield "# Read each line, correct its place in the file, then remove it: training waits until none is left."
    yield "guessed:"
    reasons = {
        "owner": "nobody was named",
        "brief.value": "what a caught case is worth, and what a false alarm costs, only you know",
        "decision.source": "the table of the outcome, or the one with the same key whose rows come first",
        "decision.entity": project.entity.why,
        "decision.request": "all columns of the row; some may be known only after the decision",
        "outcome.positive": project.label.why,
        "outcome.matures": "how long an outcome takes was not looked at",
        "rule.positive": "what is done today is not in the data",
    }
    for source in project.sources:
        reasons[f"sources.{source.table.name}.key"] = source.key.why
        if source.clocks is None:
            reasons[f"sources.{source.table.name}.static"] = "no column could be a clock"
            continue
        for name, guess in zip(("event_time", "known_at"), source.clocks, strict=True):
            reasons[f"sources.{source.table.name}.{name}"] = guess.why
    for place, why in reasons.items():
        yield f"  {place}: {scalar(why)}"
