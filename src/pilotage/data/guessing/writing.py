"""The text of a first use-case file, with a comment or a line under ``guessed`` for everything that nobody said."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from textwrap import wrap

from pilotage.data.guessing.fields import Field
from pilotage.data.guessing.lookups import Lookup
from pilotage.data.guessing.project import Project
from pilotage.data.guessing.reasons import KEYS, by_reason, questions_of, reasons_of, warnings_of
from pilotage.data.guessing.records import SourceGuess
from pilotage.platform.quoting import literal
from pilotage.usecase.records import Rest

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./*:@ -]*(?<! )", re.ASCII)
_WORTH = {
    "flag": "caught: 10, false_alarm: -1",
    "category": "right: 1, wrong: -1",
    "number": "too_low: -1, too_high: -1",
}
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n", "~"}


def text_of(project: Project) -> str:
    """The whole file."""
    parts = [_head(project), *_sources(project), _decision(project), *_groups(project), _outcome(project)]
    parts += _inputs(project)
    return "\n".join([*parts, _tail(project), *_guessed(project)]) + "\n"


def scalar(text: str) -> str:
    """A text as YAML writes it: plain where that is safe."""
    safe = _PLAIN.fullmatch(text) and text.lower() not in _WORDS and ": " not in text and not text.endswith(":")
    return text if safe and " #" not in text else json.dumps(text, ensure_ascii=False)


def _list(items: tuple[str, ...]) -> str:
    return f"[{', '.join(scalar(item) for item in items)}]"


def _head(project: Project) -> str:
    title = project.name.replace("_", " ").capitalize()
    asked = {place: scalar(question) for place, question in questions_of(project.label.kind).items()}
    honest = "".join(f"# {warning}\n" for warning in warnings_of(project))
    return f"""# A first draft from what the data look like. Nobody has confirmed it: see `guessed` at the end.
{honest}use_case: {project.name}
title: {title}
owner: {asked["owner"]}

brief:
  workflow: {asked["brief.workflow"]}
  users: {asked["brief.users"]}
  decision: {asked["brief.decision"]}
  kpi: {asked["brief.kpi"]}
  value: {{currency: EUR, {_WORTH[project.label.kind]}}}

sources:"""


def _sources(project: Project) -> Iterator[str]:
    keys = {source.table.name: source.key.value for source in project.sources}
    for source in project.sources:
        yield _source(source)
        for link in project.links:
            if link.table == source.table.name and (link.declared or link.other_column in keys.get(link.other, ())):
                yield f"    # {_comment(link.says)}"
    for name in project.unkeyed:
        yield f"  # {name} is left out: it has no rows, or no column that tells them apart."


def _source(source: SourceGuess) -> str:
    lines = [f"  {source.table.name}:"]
    lines += [f"    {key}: {scalar(value)}" for key, value in source.table.place.items()]
    if source.table.rest is not None:
        lines += _rest(source.table.rest)
    if source.table.decimal:
        lines.append(f'    decimal: "{source.table.decimal}"  # as numbers seem to be written')
    if source.table.missing:
        lines.append(f"    missing: {_list(source.table.missing)}  # seem to stand for nothing among numbers and dates")
    if source.table.accept_writer:
        lines.append("    accept_writer: true  # the user that reads it could write: make one that cannot")
    lines.append(f"    key: {_list(source.key.value)}  # {_comment(source.key.why)}")
    if source.clocks is None:
        lines.append("    static: true  # no column could be a clock: what changes is seen at the next sync only")
    else:
        for name, guess in zip(("event_time", "known_at"), source.clocks, strict=True):
            lines.append(f"    {name}: {scalar(guess.value[0])}  # {_comment(guess.why)}")
    if source.deleted:
        lines.append(f"    deleted: {scalar(source.deleted)}  # named like a mark that the row is gone")
    return "\n".join(lines)


def _rest(rest: Rest) -> Iterator[str]:
    yield "    rest:  # guessed from the first answer; headers go here by reference: headers: {Authorization: env:NAME}"
    for name in ("url", "items", "paging", "parameter", "cursor"):
        if getattr(rest, name):
            yield f"      {name}: {scalar(getattr(rest, name))}"
    yield f"      size: {rest.size}"
    yield f"      size_parameter: {scalar(rest.size_parameter)}"


def _comment(text: str) -> str:
    """A text that may hold any name, in one line."""
    return " ".join(text.split())


def _decision(project: Project) -> str:
    lines = ["", "decision:", f"  entity: {scalar(project.entity.value[0])}  # {_comment(project.entity.why)}"]
    lines.append(f"  source: {project.decision.table.name}")
    if project.moment:
        moment = next(field for field in project.fields if field.column.name == project.moment)
        lines.append(f"  moment: {moment.name}  # when the row is written; before, nothing could be decided")
    lines += ["  request:  # remove what is known only after the decision", *map(_field, project.fields)]
    return "\n".join(lines + list(_left_out(project)))


def _left_out(project: Project) -> Iterator[str]:
    """The columns that are no inputs, by reason."""
    for why, names in by_reason(project.left_out).items():
        said = _comment(f"left out, {why}: {', '.join(names)}")
        yield from wrap(
            said,
            116,
            initial_indent="    # ",
            subsequent_indent="    #   ",
            break_on_hyphens=False,
            break_long_words=False,
        )


def _groups(project: Project) -> Iterator[str]:
    if project.groups:
        yield f"\ngroups: {_list(project.groups)}  # named like protected groups: the audit compares by them"


def _field(field: Field) -> str:
    kind = field.kind
    extra = [] if field.required else ["required: false"]
    extra += [] if field.name == field.column.name else [f"column: {scalar(field.column.name)}"]
    said = f"    {field.name}: " + (f"{{{', '.join([f'kind: {kind}', *extra])}}}" if extra else kind)
    return f"{said}  # no input: {_comment(field.why)}" if field.why else said


def _outcome(project: Project) -> str:
    label = project.label
    lines = ["", "outcome:", f"  source: {label.table}"]
    lines.append(f"  {KEYS[label.kind]}: {scalar(label.condition)}  # {_comment(label.why)}")
    for other in project.others:
        lines.append(_comment(f"# or, of {other.table}: {other.says} ({other.why})").replace("#", "  #", 1))
    return "\n".join([*lines, f"  says: {scalar(questions_of(label.kind)['outcome.says'])}", "  matures: 1 day"])


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
    for why, left in by_reason(project.not_taken).items():
        yield f"  # not looked up, {_comment(why)}: {_comment(', '.join(left))}"


def _only_days(field: Field) -> bool:
    return all(value.endswith("00:00:00") for value, _ in field.column.common)


def _lookup(lookup: Lookup, names: set[str]) -> Iterator[str]:
    if lookup.take:
        yield f"  {_free(f'{lookup.source}_by_{lookup.by.lower()}', names)}:"
        yield f"    latest: {lookup.source}"
        yield f"    by: {_by(lookup)}{_why(lookup)}"
        yield f"    take: {_list(lookup.take)}"
        if lookup.kind != "number":
            yield f"    kind: {lookup.kind}"
        yield "    within: 365 days"
    if lookup.counted:
        yield f"  {_free(f'{lookup.source}_rows', names)}:"
        yield f"    windows: {lookup.source}"
        yield f"    by: {_by(lookup)}{_why(lookup)}"
        yield "    aggregate: count"
        yield "    over: [7 days, 30 days]"


def _by(lookup: Lookup) -> str:
    own = scalar(lookup.by)
    return own if lookup.key == lookup.by else f"{{{own}: {scalar(lookup.key)}}}"


def _why(lookup: Lookup) -> str:
    return f"  # {_comment(lookup.why)}" if lookup.why else ""


def _free(name: str, names: set[str]) -> str:
    """A name for an input that no request column has."""
    plain = re.sub(r"[^a-z0-9_]", "_", name.lower())[:60]
    plain = plain if plain[0].isalpha() else f"i_{plain}"
    while plain in names:
        plain += "_2"
    names.add(plain)
    return plain


def _tail(project: Project) -> str:
    label = project.label
    asked = questions_of(label.kind)
    answer = {"flag": "FALSE", "category": literal(label.usual), "number": label.usual}[label.kind]
    default = {"flag": "negative", "category": scalar(label.usual), "number": label.usual}[label.kind]
    acted = "".join(
        f"  actions: {{positive: {scalar(question)}, negative: What is done otherwise?}}\n"
        for place, question in asked.items()
        if place == "policy.actions"
    )
    return f"""
rule:
  {KEYS[label.kind]}: {scalar(answer)}
  says: {scalar(asked["rule.says"])}

policy:
{acted}  default: {default}
"""


def _guessed(project: Project) -> Iterator[str]:
    yield "# Read each line, correct its place in the file, then remove it: training waits until none is left."
    yield "guessed:"
    for place, why in reasons_of(project).items():
        yield f"  {place}: {scalar(_comment(why))}"
