"""The build plan: repairs in their order, what is not promised yet, which inputs to take out and which to add."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from pilotage.audit.measured import Measured
from pilotage.audit.records import Answer, BuildPlan, Finding, ProtectedColumn, Removal, Severity, Step
from pilotage.audit.rules.answers import open_answers
from pilotage.audit.rules.causes import by_cause
from pilotage.audit.rules.costs import at_stake, in_percent
from pilotage.audit.rules.proposing import proposals
from pilotage.audit.rules.sensitive import proposals as protections
from pilotage.usecase.records import Definition, Input, Latest, Window, listed

INFORMS_WORTH_MIN = 0.005
"""What only informs is a repair from this share of the decisions, or of the quick model's skill, on."""
RANK: Mapping[Severity, int] = {"blocks": 0, "warns": 1, "informs": 2}


def build_plan(
    definition: Definition,
    measured: Measured,
    findings: Sequence[Finding],
    answers: Sequence[Answer],
    contracted: Collection[str],
) -> BuildPlan:
    """What the findings ask for. ``contracted`` names the sources that have a contract."""
    return BuildPlan(
        blockers=_steps((f for f in findings if f.severity == "blocks"), measured),
        backlog=_steps(_due(findings, measured), measured),
        uncontracted=tuple(name for name in definition.use_case.sources if name not in contracted),
        removals=tuple(_removals(definition, findings)),
        proposals=proposals(definition, measured, findings),
        open_answers=open_answers(answers),
        protected=tuple(_protected(measured)),
    )


def _protected(measured: Measured) -> Iterator[ProtectedColumn]:
    for source, columns in protections(measured).items():
        for column, each in columns.items():
            yield ProtectedColumn(source, column, each)


def _due(findings: Iterable[Finding], measured: Measured) -> Iterator[Finding]:
    """What somebody should repair: warnings, and what is to be known and has a price worth the walk."""
    for finding in findings:
        priced = finding.cost is not None and at_stake(finding, measured.reference.auc) >= INFORMS_WORTH_MIN
        if finding.is_due and (finding.severity == "warns" or (finding.severity == "informs" and priced)):
            yield finding


def _steps(findings: Iterable[Finding], measured: Measured) -> tuple[Step, ...]:
    """One step for all findings of a cause; by severity, then by what the worst of them puts at stake."""
    stakes = [(finding, at_stake(finding, measured.reference.auc)) for finding in findings]
    ordered = sorted(stakes, key=lambda pair: (RANK[pair[0].severity], -pair[1], pair[0].id))
    shares = {finding.id: share for finding, share in ordered}
    return tuple(_step(group, shares[group[0].id]) for group in by_cause(finding for finding, _ in ordered))


def _step(group: Sequence[Finding], share: float) -> Step:
    worst = group[0]
    return Step(
        finding=worst.id,
        worth=in_percent(worst, share),
        owner=worst.owner,
        step=worst.repair,
        severity=worst.severity,
        also=tuple(finding.id for finding in group[1:]),
        at_stake=share,
    )


def _removals(definition: Definition, findings: Sequence[Finding]) -> Iterator[Removal]:
    """Inputs that leak, each with those of its columns that do: what blocks, and dates that are later than decided."""
    origins = inputs_of(definition)
    done: set[str] = set()
    for finding in findings:
        if not _asks_for_removal(finding):
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


def _asks_for_removal(finding: Finding) -> bool:
    """Whether a finding's own repair is to remove inputs, and it is no question that only a person can answer."""
    if finding.topic != "leakage" or finding.severity == "informs":
        return False
    return finding.severity == "blocks" or finding.code == "later-than-decision"


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
