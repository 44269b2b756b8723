"""Declared groups: how many, and how often positive."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from pilotage.audit.measured import Measured
from pilotage.audit.measured.groups import Group, GroupColumn
from pilotage.audit.records import Finding, Severity
from pilotage.audit.rules.intervals import wilson, z_for
from pilotage.audit.rules.owners import names_of, owner_of
from pilotage.audit.rules.suppression import LEAST
from pilotage.usecase.records import Definition

LABELLED_MIN = 50
UNKNOWN_INFORMS = 0.01
UNKNOWN_WARNS = 0.2
_NAMED_MAX = 5


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    """Groups too small to judge, groups whose outcomes differ, decisions of unknown group."""
    for column in measured.groups.columns:
        yield from _small(definition, column)
        yield from _differ(definition, column, measured.shape.face.are)
        yield from _unknown(definition, column)


def _small(definition: Definition, column: GroupColumn) -> Iterator[Finding]:
    small = [group for group in column.groups if group.labelled < LABELLED_MIN]
    if small:
        concerns = sum(group.decisions for group in small)
        them = "it" if len(small) == 1 else "them"
        yield _finding(
            definition,
            column,
            "group-small",
            "informs",
            f"{_some(small)} of {column.column} {'has' if len(small) == 1 else 'have'} fewer than {LABELLED_MIN} known "
            f"outcomes: how good a model is for {them} cannot be judged.",
            "Collect more outcomes, put groups together that belong together, or leave these decisions to people.",
            concerns if concerns >= LEAST else 0,
        )


def _differ(definition: Definition, column: GroupColumn, are: str) -> Iterator[Finding]:
    """The largest and the smallest rate, where even intervals that all hold together do not overlap."""
    judged = [group for group in column.groups if group.labelled >= LABELLED_MIN and group.values == 1]
    if len(judged) < 2:
        return
    least, most = min(judged, key=lambda g: g.rate or 0.0), max(judged, key=lambda g: g.rate or 0.0)
    z = z_for(len(judged))
    if wilson(least.positives, least.labelled, z)[1] >= wilson(most.positives, most.labelled, z)[0]:
        return
    ratio = round(most.rate / least.rate, 3) if most.rate and least.rate else None
    times = f", {ratio:.1f} times as often" if ratio else ""
    yield _finding(
        definition,
        column,
        "group-rates-differ",
        "warns" if definition.use_case.brief.risk == "high" else "informs",
        f"Known outcomes are {are} for {most.value} ({column.column}) in {_rate(most)}, for {least.value} in "
        f"{_rate(least)}{times}.",
        "Find out whether the outcome itself is fair (who was looked at, who was reported), and compare the model's "
        "errors by this group before it is released.",
        0,
        largest=most.value,
        smallest=least.value,
        ratio=ratio,
    )


def _unknown(definition: Definition, column: GroupColumn) -> Iterator[Finding]:
    share = column.missing / column.decisions if column.decisions else 0.0
    if share >= UNKNOWN_INFORMS:
        yield _finding(
            definition,
            column,
            "group-unknown",
            "warns" if share >= UNKNOWN_WARNS else "informs",
            f"{column.column} is missing in {share:.1%} of decisions: they are in no group.",
            "Find out who they are: a comparison of groups says nothing of them.",
            column.missing,
        )


def _finding(
    definition: Definition,
    column: GroupColumn,
    code: str,
    severity: Severity,
    message: str,
    repair: str,
    concerns: int,
    **figure: object,
) -> Finding:
    use_case = definition.use_case
    source = use_case.decision.source
    return Finding(
        code,
        "bias",
        severity,
        source,
        column.column,
        message,
        repair,
        owner_of(use_case, source),
        concerns,
        concerns / column.decisions,
        figures={**table(column), **figure},
    )


def table(column: GroupColumn) -> dict[str, Any]:
    """The groups with their counts, rates and intervals; shared only after ``rules/suppression.py:suppressed``."""
    share = column.missing / column.decisions if column.decisions else 0.0
    return {
        "decisions": column.decisions,
        "missing": column.missing,
        "missing_share": share,
        "groups": [msgspec.to_builtins(group) for group in column.groups],
    }


def _rate(group: Group) -> str:
    if group.rate is None or group.low is None or group.high is None:
        return "none"
    return f"{group.rate:.1%} ({group.low:.1%} to {group.high:.1%}, n = {group.labelled:,})"


def _some(groups: list[Group]) -> str:
    names = [group.value for group in groups[:_NAMED_MAX]]
    more = len(groups) - len(names)
    return f"{', '.join(names)} and {more:,} more" if more else names_of(names)
