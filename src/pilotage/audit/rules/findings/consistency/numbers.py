"""Numbers that are hardly what the column means: rare signs, columns without variation, values far out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pilotage.audit.measured.columns import ColumnFigures, NumberFigures
from pilotage.audit.records import Finding
from pilotage.audit.rules.findings.about import About, percent
from pilotage.audit.rules.findings.consistency.placeholders import _BELOW
from pilotage.platform.counting import plural

# A sign that one row in seventeen has is no part of what the column means; one that more have is.
RARE_MAX = 0.06
# What is counted, weighed or paid cannot be negative, and seldom is nothing.
AMOUNT = re.compile(
    r"(?i)(^|[_ .-]|(?<=[a-z])(?=[A-Z]))(quantity|qty|price|amount|cost|fee|distance|duration|length|width|height|"
    r"weight|area|volume|age|count|units|miles|km|kilometers|kilometres|salary|income|revenue|sales|size|air_time|seats|rooms)"
    r"(?=$|[_ .-]|[A-Z])"
)
# Zero is a fair value of what can be free, empty or still: there it is only to be known.
_NEVER_ZERO = re.compile(
    r"(?i)(^|[_ .-]|(?<=[a-z])(?=[A-Z]))(quantity|qty|price|distance|length|width|height|weight|area|age|air_time)"
    r"(?=$|[_ .-]|[A-Z])"
)
# What has a scale with a zero of its own is negative now and then.
_SIGNED = re.compile(
    r"(?i)(temp|dew|celsius|fahrenheit|degree|latitude|longitude|delay|balance|change|diff|delta|score|offset|margin|"
    r"profit|return|growth|trend|elevation|altitude|(^|_)(lat|lon|lng|z|x|y)$|_[cf]$)"
)
ROWS_MIN = 20
# More than this share so far out is a long tail and no outlier.
OUTLIERS_MAX = 0.05


def found(this: About) -> Iterator[Finding]:
    """Per column: constant, rare signs, outliers."""
    for column in this.columns:
        if column.distinct == 1 and column.filled >= ROWS_MIN:
            yield _constant(this, column)
        elif column.number is not None and column.name not in this.source.key:
            yield from _signs(this, column, column.number)
            yield from _outliers(this, column, column.number)


def _constant(this: About, column: ColumnFigures) -> Finding:
    value = ""
    if column.text and column.text.frequent:
        value = f" {column.text.frequent[0].text!r}"
    elif column.number:
        value = f" {column.number.low:g}"
    return this.finding(
        "constant-column",
        "informs",
        column.name,
        f"{column.name} has the same value{value} in all {plural(column.filled, 'row')} that have one.",
        "Nothing can be learnt from it; keep it only if it will vary.",
        concerns=column.filled,
    )


def _signs(this: About, column: ColumnFigures, numbers: NumberFigures) -> Iterator[Finding]:
    positive = column.filled - numbers.negatives - numbers.zeros
    if (
        _SIGNED.search(column.name)
        or numbers.high <= 0
        or column.filled < ROWS_MIN
        or positive < (1 - 2 * RARE_MAX) * column.filled
    ):
        return
    is_amount, never_zero = bool(AMOUNT.search(column.name)), bool(_NEVER_ZERO.search(column.name))
    lone = len(numbers.lowest) > 1 and numbers.lowest[0].number in _BELOW and numbers.lowest[1].number >= 0
    negative = numbers.negatives if numbers.negatives <= RARE_MAX * column.filled and not lone else 0
    zero = numbers.zeros if numbers.zeros <= RARE_MAX * column.filled and (never_zero or negative) else 0
    if not negative and not zero:
        return
    parts = [f"{n:,} {what}" for n, what in ((negative, "negative"), (zero, "zero")) if n]
    rows = negative + zero
    samples = this.figures.samples
    yield this.finding(
        "rare-sign",
        this.severity(column.name) if never_zero or (is_amount and negative) else "informs",
        column.name,
        f"{column.name} is positive in {percent(positive / column.filled)} of rows, but {' and '.join(parts)} in others"
        f"{f', down to {numbers.low:g}' if negative else ''}.",
        "Find out what these rows are (a cancellation, a correction, a test) and mark them as such.",
        concerns=rows,
        of=column.filled,
        samples=samples.get(f"negative {column.name}", ()) or samples.get(f"zero {column.name}", ()),
        negatives=negative,
        zeros=zero,
    )


def _outliers(this: About, column: ColumnFigures, numbers: NumberFigures) -> Iterator[Finding]:
    if not 0 < numbers.beyond <= OUTLIERS_MAX * numbers.looked_at:
        return
    low, high = numbers.quantiles[2], numbers.quantiles[4]
    ends = [end for end in (numbers.low, numbers.high) if not numbers.fences[0] <= end <= numbers.fences[1]]
    yield this.finding(
        "outliers",
        "informs",
        column.name,
        f"{plural(numbers.beyond, 'row')} {'lies' if numbers.beyond == 1 else 'lie'} more than twenty times the middle "
        f"half's width away from it (half of {column.name} is between {low:g} and {high:g}), as far as "
        f"{' and '.join(f'{end:g}' for end in ends)}.",
        "Look at them: a slip of the decimal point, another unit, or a rare truth.",
        concerns=numbers.beyond,
        of=numbers.looked_at,
        samples=this.figures.samples.get(f"outlier {column.name}", ()),
        sampled=this.figures.sampled,
        rows=numbers.beyond,
    )
