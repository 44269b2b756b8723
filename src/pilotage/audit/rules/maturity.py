"""How mature the data are: ten dimensions from 0 to 100, each from a figure and the findings that speak to it.

A dimension begins at its figure, such as the share of values that are there. Each finding of its topics then takes away
a share of what is left, so that one more finding always lowers it, a repaired one raises it, and sixty do not make it
negative.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from pilotage.audit.measured import Measured
from pilotage.audit.records import Answer, AuditReport, Dimension, Finding, Maturity, Point, Severity, Topic
from pilotage.audit.rules.owners import names_of
from pilotage.audit.rules.plan import inputs_of
from pilotage.usecase.records import Definition, UseCase

TAKES: Mapping[Severity, float] = {"blocks": 0.5, "warns": 0.12, "informs": 0.01}
"""The share of what is left that one finding takes away."""
RECREATABLE = "recreatable"
DIMENSIONS: Mapping[str, tuple[Topic, ...]] = {
    "complete": ("completeness",),
    "current": ("currency", "real time"),
    "unique": ("duplicates",),
    "consistent": ("consistency",),
    "connected": ("keys",),
    "labelled": ("label", "bias"),
    "free of leaks": ("leakage",),
    "documented": ("contract", "sensitive", "file"),
    "owned": (),
    RECREATABLE: ("recreate",),
}
"""Dimension → the topics whose findings lower it."""

_DAY_SECONDS = 86_400
_UNPROVED = 0.5


def maturity(
    definition: Definition,
    measured: Measured,
    findings: Sequence[Finding],
    answers: Sequence[Answer],
    contracted: Collection[str],
) -> Maturity:
    """All dimensions and their mean. ``contracted`` names the sources that have a contract."""
    bases = {
        "complete": _complete(measured),
        "current": _current(measured),
        "unique": _unique(measured),
        "consistent": _consistent(measured, findings),
        "connected": _connected(measured),
        "labelled": _labelled(measured),
        "free of leaks": _free_of_leaks(definition, findings),
        "documented": _documented(definition, answers, contracted),
        "owned": _owned(definition.use_case),
        RECREATABLE: recreatable(measured.recreated),
    }
    return _mean(tuple(_lowered(name, *bases[name], findings) for name in DIMENSIONS))


def with_proof(before: Maturity, findings: Sequence[Finding], proved: bool) -> Maturity:
    """The maturity after a training set was proved, or refuted, since the audit."""
    now = _lowered(RECREATABLE, *recreatable(proved), findings)
    return _mean(tuple(now if each.name == RECREATABLE else each for each in before.dimensions))


def point(identifier: str, report: AuditReport, mature: Maturity) -> Point:
    """One audit in the history."""
    counts = {severity: sum(f.severity == severity for f in report.findings) for severity in ("blocks", "warns")}
    return Point(
        id=identifier,
        made_at=report.made_at,
        overall=mature.overall,
        blocks=counts["blocks"],
        warns=counts["warns"],
        dimensions={each.name: each.score for each in mature.dimensions},
    )


def _mean(dimensions: tuple[Dimension, ...]) -> Maturity:
    return Maturity(round(sum(each.score for each in dimensions) / len(dimensions), 1), dimensions)


def _lowered(name: str, base: float, why: str, findings: Sequence[Finding]) -> Dimension:
    """The figure, lowered by each finding of the dimension's topics."""
    speaking = [finding for finding in findings if finding.topic in DIMENSIONS[name]]
    left = min(1.0, max(0.0, base))
    for finding in speaking:
        left *= 1 - TAKES[finding.severity]
    counts = [
        f"{number} that {severity if number == 1 else severity.removesuffix('s')}"
        for severity in TAKES
        if (number := sum(finding.severity == severity for finding in speaking))
    ]
    lowered = f"; lowered by findings: {names_of(counts)}" if counts else ""
    return Dimension(name, round(100 * left, 1), f"{why}{lowered}.")


def _complete(measured: Measured) -> tuple[float, str]:
    known = measured.decisions.input_completeness
    if not known or not measured.decisions.decisions:
        return 0.0, "There is no past decision to look at"
    share = sum(known.values()) / len(known)
    return share, f"The inputs are known in {share:.1%} of decisions on average"


def _current(measured: Measured) -> tuple[float, str]:
    newest = measured.newest
    if newest is None:
        return 0.0, "No source has a row with a time"
    behind = {
        name: (newest - figures.known_to).total_seconds() / _DAY_SECONDS if figures.known_to else float("inf")
        for name, figures in measured.sources.items()
    }
    late = sum(days > 1 for days in behind.values())
    share = sum(1 / max(1.0, days) for days in behind.values()) / len(behind)
    return share, f"{len(behind) - late} of {len(behind)} sources end within a day of the newest row"


def _unique(measured: Measured) -> tuple[float, str]:
    rows = sum(figures.rows for figures in measured.sources.values())
    twice = sum(figures.repeats.exact for figures in measured.sources.values())
    return 1 - twice / rows if rows else 0.0, f"{twice:,} of {rows:,} rows are exact copies of others"


def _consistent(measured: Measured, findings: Sequence[Finding]) -> tuple[float, str]:
    columns = sum(len(figures.columns) for figures in measured.sources.values())
    faults = [f for f in findings if f.topic == "consistency" and f.column and f.severity != "informs"]
    at_fault = {(f.source, name) for f in faults for name in f.column.split(", ")}
    share = 1 - min(1.0, len(at_fault) / columns) if columns else 0.0
    return (
        share,
        f"{len(at_fault) or 'None'} of {columns:,} columns {'are' if len(at_fault) > 1 else 'is'} inconsistent",
    )


def _connected(measured: Measured) -> tuple[float, str]:
    shares = [match.share for match in measured.decisions.matches]
    if not shares:
        return 1.0, "No key has to find rows in another source"
    return sum(shares) / len(shares), f"Keys find their row in {min(shares):.1%} of decisions or more"


def _labelled(measured: Measured) -> tuple[float, str]:
    figures = measured.decisions
    share = figures.labelled / figures.decisions if figures.decisions else 0.0
    return share, f"{share:.1%} of decisions have a known outcome"


def _free_of_leaks(definition: Definition, findings: Sequence[Finding]) -> tuple[float, str]:
    origins = inputs_of(definition)
    bad = {f.column for f in findings if f.topic == "leakage" and f.severity == "blocks"}
    bad |= {str(n) for f in findings if f.severity == "blocks" for n in f.figures.get("inputs", ())}
    leaking = len(bad & set(origins))
    share = 1 - leaking / len(origins) if origins else 0.0
    return share, f"{leaking or 'None'} of {len(origins)} inputs {'leak' if leaking > 1 else 'leaks'}"


def _documented(definition: Definition, answers: Sequence[Answer], contracted: Collection[str]) -> tuple[float, str]:
    sources = definition.use_case.sources
    promised = sum(name in contracted for name in sources)
    told = sum(bool(answer.asked) for answer in answers)
    share = (promised / len(sources) + told / len(answers)) / 2
    return share, f"{promised} of {len(sources)} sources have a contract, {told} of {len(answers)} questions an answer"


def _owned(use_case: UseCase) -> tuple[float, str]:
    """A source of its own owner counts whole, one that falls to the data owner three quarters, else nothing."""
    own = sum(bool(source.owner) for source in use_case.sources.values())
    rest = len(use_case.sources) - own
    share = (own + (0.75 * rest if use_case.data_owner else 0.0)) / len(use_case.sources)
    fallback = f", {rest} fall to {use_case.data_owner or 'nobody'}" if rest else ""
    return share, f"{own} of {len(use_case.sources)} sources name an owner of their own{fallback}"


def recreatable(proved: bool | None) -> tuple[float, str]:
    """Half for snapshots that are kept, all when a training set was rebuilt from them, nothing when that failed."""
    if proved is None:
        return _UNPROVED, "Sources are kept as snapshots; no training set was rebuilt from them yet"
    return (
        (1.0, "A training set was rebuilt, identical") if proved else (0.0, "Rebuilding a training set gave other rows")
    )
