"""Two systems under one key that say different things, or whose clocks lie hours apart."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.audit.measured import Measured
from pilotage.audit.measured.systems import ClockOffset, SameKey, SharedColumn
from pilotage.audit.records import Finding, Severity
from pilotage.audit.rules.findings.about import percent
from pilotage.audit.rules.owners import owner_of
from pilotage.data.rules.needs import needed_columns
from pilotage.usecase.records import Definition

ROWS_MIN = 20
# Where nearly all values differ, the two columns share a name and not a meaning.
OTHER_MEANING = 0.9
# One in a thousand is a slip that both will live with.
DIFFER_WARNS = 0.001
# Whole hours apart in so many rows, and in nearly all others not at all, is a zone and no event.
APART_MIN = 0.01
EXPLAINED_MIN = 0.95


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    """Per pair of sources with the same key: columns that differ, then clocks."""
    needed = needed_columns(definition)
    for pair in measured.systems.same_key:
        used = {*needed[pair.first], *needed[pair.second]}
        apart = {offset.columns[0] for offset in pair.clocks if _is_zone(offset)}
        for offset in pair.clocks:
            if _is_zone(offset):
                yield _zone(definition, pair, offset)
        for column in pair.columns:
            if column.differ and column.rows >= ROWS_MIN and column.column not in apart:
                yield _differ(definition, pair, column, column.column in used)


def _differ(definition: Definition, pair: SameKey, column: SharedColumn, used: bool) -> Finding:
    share = column.differ / column.rows
    real = column.differ - column.format_only
    severity: Severity = "informs"
    if used and DIFFER_WARNS <= share < OTHER_MEANING:
        severity = "warns"
    if share >= OTHER_MEANING and real:
        what = "differ nearly always: two meanings under one name"
    elif not real:
        what = "differ in case, blanks or punctuation only"
    else:
        what = "differ" + (f", {column.format_only:,} of them in spelling only" if column.format_only else "")
    sample = column.samples[0] if column.samples else {}
    values = [sample.get(f"{source}.{column.column}", "") for source in (pair.first, pair.second)]
    example = f", such as {values[0]!r} and {values[1]!r}" if sample else ""
    return Finding(
        code="systems-disagree",
        topic="consistency",
        severity=severity,
        source=pair.second,
        column=column.column,
        message=f"{column.column} of {pair.first} and {pair.second} {what}: in {column.differ:,} of {column.rows:,} "
        f"rows with the same key ({percent(share)}){example}.",
        repair="Decide which system is right for this column, and read it from there only.",
        owner=owner_of(definition.use_case, pair.second),
        concerns=column.differ,
        share=share,
        samples=column.samples,
        sampled=pair.looked_at if pair.sampled else 0,
        figures={"rows": column.differ, "format_only": column.format_only, "other": pair.first},
    )


def _is_zone(offset: ClockOffset) -> bool:
    same_name = offset.columns[0] == offset.columns[1]
    explained = offset.apart + offset.equal >= EXPLAINED_MIN * offset.rows
    return (
        offset.rows >= ROWS_MIN
        and offset.apart >= APART_MIN * offset.rows
        and explained
        and (same_name or offset.hours != 0)
    )


def _zone(definition: Definition, pair: SameKey, offset: ClockOffset) -> Finding:
    first, second = offset.columns
    names = first if first == second else f"{first} and {second}"
    return Finding(
        code="time-zone",
        topic="consistency",
        severity="warns",
        source=pair.second,
        column=second,
        message=f"{names} of {pair.first} and {pair.second} lie exactly {abs(offset.hours)} "
        f"{'hour' if abs(offset.hours) == 1 else 'hours'} apart in {percent(offset.apart / offset.rows)} of rows with "
        "the same key: one of the two clocks runs in another time zone.",
        repair="Write all instants in UTC.",
        owner=owner_of(definition.use_case, pair.second),
        concerns=offset.apart,
        share=offset.apart / offset.rows,
        sampled=pair.looked_at if pair.sampled else 0,
        figures={"hours": offset.hours, "rows": offset.apart, "other": pair.first},
    )
