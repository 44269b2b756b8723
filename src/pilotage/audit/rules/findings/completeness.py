"""What is missing: by input, by column, by time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pilotage.audit.measured import Measured
from pilotage.audit.records import Finding, Severity
from pilotage.audit.rules.findings.about import About, about, percent
from pilotage.audit.rules.owners import names_of, owner_of
from pilotage.audit.rules.steps import Spell, spell_of
from pilotage.audit.rules.telling_dates import is_ending
from pilotage.platform.counting import plural
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


@dataclass(frozen=True)
class Rise:
    """A column, the stretch of periods in which it is missing more often, and how many rows lack it in each."""

    column: str
    spell: Spell
    missing: tuple[int, ...]


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
                "informs" if is_ending(column.name) else this.severity(column.name),
                column.name,
                f"{column.name} has no value in any of {plural(rows, 'row')}.",
                _repair_ending(column.name) or "Have it filled, or stop delivering it.",
                concerns=missing,
            )
        elif column.name in key or share >= (MISSING_NEEDED if column.name in this.needed else MISSING_MOST):
            severity: Severity = "informs"
            needed = column.name in this.needed and not is_ending(column.name)
            if column.name in key or (needed and share > 1 - COMPLETE_MIN):
                severity = "warns"
            yield this.finding(
                "incomplete-column",
                severity,
                column.name,
                f"{column.name} is missing in {missing:,} of {rows:,} rows ({percent(share)}).",
                "A row without its key is lost: repair it at the source."
                if column.name in key
                else _repair_ending(column.name) or "Find out which rows lack it and why, and have it filled.",
                concerns=missing,
                samples=this.figures.samples.get(f"missing {column.name}", ()),
                missing=missing,
            )


def _repair_ending(name: str) -> str:
    """What to do about an end that most rows have not met; nothing said where the name tells of none."""
    return f"Nothing to do, if an empty {name} means that it has not happened." if is_ending(name) else ""


def _in_time(this: About) -> Iterator[Finding]:
    """Columns that are missing in the same stretch of time are one finding: one delivery failed, not five columns."""
    periods = this.figures.times.periods
    together: dict[tuple[int, int, Severity], list[Rise]] = {}
    for name, missing in periods.missing.items():
        spell = spell_of(missing, periods.rows)
        if spell is not None and _stands_out(spell, periods.rows):
            rise = Rise(name, spell, missing)
            together.setdefault((spell.start, spell.end, _severity(this, rise)), []).append(rise)
    for (_, _, severity), rises in together.items():
        yield _rise(this, rises, severity)


def _stands_out(spell: Spell, rows: tuple[int, ...]) -> bool:
    rise = spell.inside - spell.outside
    return (
        rise >= RISE_MIN
        and rise >= RISE_OVER_OUTSIDE * spell.strays_outside
        and rise >= RISE_OVER_INSIDE * spell.strays_inside
        and sum(rows[spell.start : spell.end]) >= ROWS_MIN
    )


def _is_lasting(this: About, spell: Spell) -> bool:
    periods = this.figures.times.periods
    length = spell.end - spell.start
    at_end = spell.start == 0 or spell.end == len(periods.starts)
    return at_end and length * periods.days >= LASTING_DAYS and length > 1


def _severity(this: About, rise: Rise) -> Severity:
    """Worth acting on where it lasts, and the column stopped altogether or is worse for long."""
    length = rise.spell.end - rise.spell.start
    stopped = _whole(rise.spell, rise.missing, this.figures.times.periods.rows) >= STOPPED_MIN
    certain = _is_lasting(this, rise.spell) and (stopped or length >= LONG_PERIODS)
    return this.severity(rise.column) if certain else "informs"


def _rise(this: About, rises: Sequence[Rise], severity: Severity) -> Finding:
    periods, spell = this.figures.times.periods, rises[0].spell
    ends = spell.end == len(periods.starts)
    shares = [
        f"{'' if rise is rises[0] else f'{rise.column} '}in {percent(rise.spell.inside)} of rows"
        f"{'' if rise is not rises[0] else f'; otherwise in {percent(rise.spell.outside)}'}"
        for rise in rises
    ]
    also = f". So {'is' if len(rises) == 2 else 'are'} {names_of(shares[1:])}" if len(rises) > 1 else ""
    return this.finding(
        "incomplete-in-time",
        severity,
        ", ".join(rise.column for rise in rises),
        f"{_when(this, spell)} {rises[0].column} is missing {shares[0]}{also}.",
        "Ask what changed then. Have the gap filled, or train only on the time in which it is there."
        if _is_lasting(this, spell)
        else "Ask what happened then, and have it delivered again.",
        concerns=max(sum(rise.missing[spell.start : spell.end]) for rise in rises),
        start=str(periods.starts[spell.start]),
        end="" if ends else str(periods.starts[spell.end]),
        inside=spell.inside,
        outside=spell.outside,
    )


def _when(this: About, spell: Spell) -> str:
    if spell.end == len(this.figures.times.periods.starts):
        return f"Since {this.day(spell.start)}"
    if spell.start == 0:
        return f"Before {this.day(spell.end)}"
    return f"From {this.day(spell.start)} to before {this.day(spell.end)}"


def _whole(spell: Spell, missing: tuple[int, ...], rows: tuple[int, ...]) -> float:
    """The share missing inside, without the periods at its ends that may have begun before."""
    within = range(spell.start + (spell.start > 0), spell.end - (spell.end < len(rows)))
    total = sum(rows[at] for at in within)
    return sum(missing[at] for at in within) / total if total else 0.0
