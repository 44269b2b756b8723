"""The build plan: repairs in their order, what is not promised yet, which inputs to take out and which to add."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from pilotage.audit.measured import Measured
from pilotage.audit.records import Answer, BuildPlan, Declaration, Finding, Removal, Step
from pilotage.audit.rules.answers import open_answers
from pilotage.audit.rules.proposing import proposals
from pilotage.audit.rules.sensitive import proposals as declared
from pilotage.usecase.records import Definition, Input, Latest, Window, listed


def build_plan(
    definition: Definition,
    measured: Measured,
    findings: Sequence[Finding],
    answers: Sequence[Answer],
    contracted: Collection[str],
) -> BuildPlan:
    """What the findings ask for. ``contracted`` names the sources that have a contract."""
    return BuildPlan(
        blockers=tuple(_step(finding) for finding in findings if finding.severity == "blocks"),
        backlog=tuple(_step(finding) for finding in _backlog(findings)),
        uncontracted=tuple(name for name in definition.use_case.sources if name not in contracted),
        removals=tuple(_removals(definition, findings)),
        proposals=proposals(definition, measured, findings),
        open_answers=open_answers(answers),
        declarations=tuple(_declarations(measured)),
    )


def _declarations(measured: Measured) -> Iterator[Declaration]:
    for source, columns in declared(measured).items():
        for column, each in columns.items():
            yield Declaration(source, column, each.sensitivity, each.purposes, each.mask, each.why)


def _backlog(findings: Sequence[Finding]) -> list[Finding]:
    """What somebody should repair, by its worth: warnings, and what is to be known and has a price."""
    due = [f for f in findings if f.severity == "warns" or (f.severity == "informs" and f.cost and f.cost.value > 0)]
    return sorted(due, key=lambda f: (-(f.cost.value if f.cost else 0.0), -f.share, f.severity != "warns", f.id))


def _step(finding: Finding) -> Step:
    return Step(finding.id, worth_of(finding), finding.owner, finding.repair)


def worth_of(finding: Finding) -> str:
    """What a finding costs in words; empty where nobody measured it."""
    if finding.cost:
        return finding.cost.says
    return f"{finding.share:.1%} of rows" if finding.share else ""


def _removals(definition: Definition, findings: Sequence[Finding]) -> Iterator[Removal]:
    """Inputs that a blocking finding calls leaking, each with those of its columns that leak."""
    origins = inputs_of(definition)
    done: set[str] = set()
    for finding in findings:
        if finding.topic != "leakage" or finding.severity != "blocks":
            continue
        leaking = _leaking_columns(definition, finding)
        for name in dict.fromkeys(origins[column] for column in leaking):
            if name in done:
                continue
            done.add(name)
            every = [column for column, origin in origins.items() if origin == name]
            part = [column for column in every if column in leaking]
            taken = () if len(part) == len(every) else _taken(definition, name, part)
            yield Removal(name, taken, finding.id, finding.message)


def _leaking_columns(definition: Definition, finding: Finding) -> list[str]:
    """Columns of the plan that a finding is about: by the names it gives, else by what they take from its source."""
    named = [str(name) for name in finding.figures.get("inputs", ())] or finding.column.split(", ")
    direct = [column.name for column in definition.plan.columns if column.name in named]
    return direct or [
        column.name
        for column in definition.plan.columns
        if isinstance(column, (Latest, Window)) and column.source == finding.source and column.take in named
    ]


def _taken(definition: Definition, name: str, columns: Sequence[str]) -> tuple[str, ...]:
    """What these columns take from the source; nothing, when no column of the input would remain."""
    entry = definition.use_case.inputs[name]
    takes = [c.take for c in definition.plan.columns if c.name in columns and isinstance(c, (Latest, Window))]
    whole = not isinstance(entry, Input) or set(listed(entry.take)) <= set(takes)
    return () if whole else tuple(dict.fromkeys(takes))


def inputs_of(definition: Definition) -> dict[str, str]:
    """Column of the plan → the input of the file that it comes from; both are in the file's order."""
    columns = iter(definition.plan.names)
    found: dict[str, str] = {}
    for name, entry in definition.use_case.inputs.items():
        for _ in range(_width(entry)):
            found[next(columns)] = name
    return found


def _width(entry: object) -> int:
    if not isinstance(entry, Input) or entry.derived:
        return 1
    taken = max(1, len(listed(entry.take)))
    return taken if entry.latest else taken * len(listed(entry.by)) * len(listed(entry.over))
