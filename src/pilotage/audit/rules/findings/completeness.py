"""What is missing: by input, by column, by time."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.audit.measured import Measured
from pilotage.audit.records import Finding, Severity
from pilotage.audit.rules.findings.about import About, about, percent, plural
from pilotage.audit.rules.owners import owner_of
from pilotage.audit.rules.steps import Spell, spell_of
from pilotage.usecase.records import Definition, Latest, Window

COMPLETE_MIN = 0.8
# A column in use is named from one missing value in 200 on; one that nobody uses when most of it is missing.
MISSING_NEEDED = 0.005
MISSING_MOST = 0.5
# A share of missing values stands out in time when it is ten points higher, and far beyond what it does otherwise.
RISE_MIN = 0.1
# It needs somebody when the column stopped altogether, or is worse for long: weather stations fail for days.
STOPPED_MIN = 0.9
LONG_PERIODS = 7
RISE_OVER_OUTSIDE = 4.0
RISE_OVER_INSIDE = 2.0
ROWS_MIN = 30
# Two or three days at an end are a spell that began before or goes on; more are a change.
LASTING_DAYS = 4


def found(definition: Definition, measured: Measured) -> Iterator[Finding]:
    """Inputs, then columns of sources that are incomplete, empty, or incomplete for a time."""
    yield from _of_inputs(definition, measured)
    for this in about(definition, measured, "completeness"):
        yield from _of_columns(this)
        yield from _in_time(this)


def _of_inputs(definition: Definition, measured: Measured) -> Iterator[Finding]:
    columns = {column.name: column for column in definition.plan.columns}
    for name, share in measured.decisions.input_completeness.items():
        column = columns[name]
        decisions = measured.decisions.decisions
        if share >= COMPLETE_MIN or not decisions:
            continue
        taken = isinstance(column, (Latest, Window))
        source = column.source if isinstance(column, (Latest, Window)) else definition.use_case.decision.source
        yield Finding(
            "incomplete-input",
            "completeness",
            "blocks" if share == 0 else "warns",
            source,
            name,
            f"Input {name} is known in {share:.1%} of decisions.",
            "Widen its span, repair the source, or remove the input." if taken else "Repair the source, or remove it.",
            owner_of(definition.use_case, source),
            concerns=round((1 - share) * decisions),
            share=1 - share,
            figures={"complete": share},
        )


def _of_columns(this: About) -> Iterator[Finding]:
    rows, key = this.figures.rows, this.source.key
    for column in this.columns:
        missing = rows - column.filled
        share = missing / rows
        if not missing:
            continue
        if missing == rows:
            yield this.finding(
                "empty-column",
                this.severity(column.name),
                column.name,
                f"{column.name} has no value in any of {plural(rows, 'row')}.",
                "Have it filled, or stop delivering it.",
                concerns=missing,
            )
        elif column.name in key or share >= (MISSING_NEEDED if column.name in this.needed else MISSING_MOST):
            severity: Severity = "informs"
            if column.name in key or (column.name in this.needed and share > 1 - COMPLETE_MIN):
                severity = "warns"
            yield this.finding(
                "incomplete-column",
                severity,
                column.name,
                f"{column.name} is missing in {missing:,} of {rows:,} rows ({percent(share)}).",
                "A row without its key is lost: repair it at the source."
                if column.name in key
                else "Find out which rows lack it and why, and have it filled.",
                concerns=missing,
                samples=this.figures.samples.get(f"missing {column.name}", ()),
                missing=missing,
            )


def _in_time(this: About) -> Iterator[Finding]:
    periods = this.figures.times.periods
    for name, missing in periods.missing.items():
        spell = spell_of(missing, periods.rows)
        if spell is not None and _stands_out(spell, periods.rows):
            yield _rise(this, name, spell, missing)


def _stands_out(spell: Spell, rows: tuple[int, ...]) -> bool:
    rise = spell.inside - spell.outside
    return (
        rise >= RISE_MIN
        and rise >= RISE_OVER_OUTSIDE * spell.strays_outside
        and rise >= RISE_OVER_INSIDE * spell.strays_inside
        and sum(rows[spell.start : spell.end]) >= ROWS_MIN
    )


def _rise(this: About, name: str, spell: Spell, missing: tuple[int, ...]) -> Finding:
    periods = this.figures.times.periods
    begins, ends = spell.start == 0, spell.end == len(periods.starts)
    start, until = this.day(spell.start), "" if ends else this.day(spell.end)
    if ends:
        when = f"Since {start} {name} is missing"
    elif begins:
        when = f"Before {until} {name} is missing"
    else:
        when = f"From {start} to before {until} {name} is missing"
    length = spell.end - spell.start
    lasting = (ends or begins) and length * periods.days >= LASTING_DAYS and length > 1
    certain = lasting and (_whole(spell, missing, periods.rows) >= STOPPED_MIN or length >= LONG_PERIODS)
    return this.finding(
        "incomplete-in-time",
        this.severity(name) if certain else "informs",
        name,
        f"{when} in {percent(spell.inside)} of rows; otherwise in {percent(spell.outside)}.",
        "Ask what changed then. Have the gap filled, or train only on the time in which it is there."
        if lasting
        else "Ask what happened then, and have it delivered again.",
        concerns=sum(missing[spell.start : spell.end]),
        start=str(periods.starts[spell.start]),
        end="" if ends else str(periods.starts[spell.end]),
        inside=spell.inside,
        outside=spell.outside,
    )


def _whole(spell: Spell, missing: tuple[int, ...], rows: tuple[int, ...]) -> float:
    """The share missing inside, without the periods at its ends that may have begun before."""
    within = range(spell.start + (spell.start > 0), spell.end - (spell.end < len(rows)))
    total = sum(rows[at] for at in within)
    return sum(missing[at] for at in within) / total if total else 0.0
