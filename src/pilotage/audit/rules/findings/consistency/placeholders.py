"""Values that stand for "nothing": words, dates, and numbers that lie alone at the edge and come again and again."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from pilotage.audit.measured.columns import ColumnFigures, NumberFigures, Spike, TextFigures
from pilotage.audit.records import Finding
from pilotage.audit.rules.findings.about import About, counted, percent
from pilotage.platform.counting import plural
from pilotage.usecase.rules.expressions import columns_of

# Fewer may be a slip of the hand.
ROWS_MIN = 3
# Below the usual values, only what computers write for "none" counts without lying far away: -1, -9, -99, …
_BELOW = {-1.0, -2.0, *(-float("9" * n) for n in range(1, 8)), -1e9, -32768.0, -2147483648.0}
_NINES = {*(float("9" * n) for n in range(2, 11)), 99.99, 999.9, 999.99, 9999.99}
_ABOVE = {*_NINES, 123456789.0, 1234567890.0, 32767.0, 65535.0, 2147483647.0, 4294967295.0}
# A spike comes this many times as often as the value beside it, and lies apart by this part of what the others span.
SPIKE_TIMES = 3
APART_KNOWN = 0.02
APART_ANY = 1.0
APART_FAR = 3.0
SPIKE_SHARE = 0.002
# With so few different values, a number is a code, and its edges are codes too.
DISTINCT_MIN = 8
VALUES_MIN = 100


def found(this: About) -> Iterator[Finding]:
    """Per column the stand-ins that it has; a 'test' in the column that says which cases judge is none."""
    decision = this.definition.use_case.decision
    judging = columns_of(decision.judged) if decision.judged and decision.source == this.figures.source else ()
    for column in this.columns:
        if column.name in this.source.key or column.name in judging:
            continue
        if column.text is not None:
            yield from _texts(this, column, column.text)
        if column.number is not None:
            yield from _numbers(this, column, column.number)
        if column.dates is not None and column.dates.placeholders:
            values = column.dates.placeholders
            yield _finding(this, column, counted(values), sum(value.rows for value in values), column.filled, 0)


def _texts(this: About, column: ColumnFigures, text: TextFigures) -> Iterator[Finding]:
    values = tuple(v for v in text.placeholders if not _is_code(v.text, text))
    rows = sum(value.rows for value in values)
    looked_at = this.figures.sampled or column.filled
    if rows and rows < looked_at:
        yield _finding(this, column, counted(values), rows, looked_at, this.figures.sampled)


def _is_code(value: str, text: TextFigures) -> bool:
    """A short word that looks like all other codes of its column, such as NA for Namibia, is one of them."""
    if not value.isalnum() or len(value) > 3 or not text.frequent:
        return False
    alike = [v for v in text.frequent if len(v.text) == len(value) and v.text.isalnum() and v.text.isupper()]
    return value.isupper() and len(alike) == len(text.frequent)


def _numbers(this: About, column: ColumnFigures, numbers: NumberFigures) -> Iterator[Finding]:
    spikes = [*_below(numbers), *_above(numbers)]
    if not spikes and not numbers.not_finite:
        return
    rows = sum(spike.rows for spike in spikes) + numbers.not_finite
    named = [f"{spike.number:g} ({spike.rows:,})" for spike in spikes]
    named += [f"not a number ({numbers.not_finite:,})"] if numbers.not_finite else []
    yield _finding(this, column, ", ".join(named), rows, numbers.looked_at, this.figures.sampled)


def _below(numbers: NumberFigures) -> Iterator[Spike]:
    yield from _edge(numbers, numbers.lowest, _BELOW, below=True)


def _above(numbers: NumberFigures) -> Iterator[Spike]:
    yield from _edge(numbers, numbers.highest, _ABOVE, below=False)


def _edge(numbers: NumberFigures, edge: tuple[Spike, ...], known: set[float], below: bool) -> Iterator[Spike]:
    """Values from the outermost inwards, as long as each is a stand-in."""
    if numbers.distinct < DISTINCT_MIN or numbers.looked_at < VALUES_MIN or len(edge) < 2:
        return
    for spike, nearer in pairwise(edge):
        others = _rest(numbers, nearer.number, below)
        apart = abs(nearer.number - spike.number)
        often = spike.rows >= max(ROWS_MIN, SPIKE_TIMES * nearer.rows)
        alone = spike.rows >= max(ROWS_MIN, SPIKE_SHARE * numbers.looked_at) and apart > APART_ANY * others
        alone = alone and (often or apart > APART_FAR * others)
        plain = spike.number in known and _well_known(spike, nearer, apart, others, below)
        if not alone and not plain:
            return
        yield spike


def _well_known(spike: Spike, nearer: Spike, apart: float, others: float, below: bool) -> bool:
    if spike.rows < ROWS_MIN:
        return False
    if below:
        # The only negative number of a column is none of its measurements.
        return nearer.number >= 0 or (nearer.number in _BELOW and apart > 0)
    return apart > APART_KNOWN * others and spike.rows >= SPIKE_TIMES * nearer.rows


def _rest(numbers: NumberFigures, edge: float, below: bool) -> float:
    """What the other values span: from the edge beside the spike to the far end, as far as quantiles reach."""
    far = numbers.quantiles[-1] if below else numbers.quantiles[0]
    return abs(far - edge) or abs(edge) or 1.0


def _finding(this: About, column: ColumnFigures, named: str, rows: int, of: int, sampled: int) -> Finding:
    return this.finding(
        "placeholder-values",
        this.severity(column.name),
        column.name,
        f"{column.name} has values that stand for a missing one in {plural(rows, 'row')} "
        f"({percent(rows / of if of else 0.0)}): {named}.",
        "Deliver them as missing, so that nobody takes them for a value.",
        concerns=rows,
        of=of,
        samples=this.figures.samples.get(f"placeholder {column.name}", ()),
        sampled=sampled,
        rows=rows,
    )
