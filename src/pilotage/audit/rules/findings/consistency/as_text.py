"""Numbers and dates that are delivered as text: nothing can be counted with them, and every value is a category."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pilotage.audit.measured.columns import ColumnFigures, Shape, TextFigures
from pilotage.audit.records import Finding
from pilotage.audit.rules.findings.about import About, percent
from pilotage.audit.rules.findings.consistency.numbers import AMOUNT

ROWS_MIN = 20
FITTING_MIN = 0.9
# One fraction in a hundred says which sign it is: 1.234 alone may be a thousand or a little more than one.
CERTAIN_MIN = 0.01
_MISSING_MAX = 5
_FORMS = {
    ",": re.compile(r"[-+]?(9+|9{1,3}([.' \u00a0]999)+)(,9+)?\s?%?"),
    ".": re.compile(r"[-+]?(9+|9{1,3}([,' \u00a0]999)+)(\.9+)?\s?%?"),
}
_FRACTION = {sign: re.compile(rf"{re.escape(sign)}(9{{1,2}}|9{{4,}})\s?%?$") for sign in _FORMS}
_PLAIN = re.compile(r"-?9+(\.9+)?")


def found(this: About, column: ColumnFigures, text: TextFigures) -> Iterator[Finding]:
    """At most one per column; keys and codes of digits are no numbers."""
    real = text.looked_at - sum(value.rows for value in text.placeholders)
    if real < ROWS_MIN or column.name in (*this.source.key, this.definition.plan.entity):
        return
    if text.dates >= FITTING_MIN * real:
        yield _dates(this, column, text, real)
        return
    sign = _decimal(text)
    if sign:
        yield _numbers(this, column, text, sign)
    elif _plain(text) and (AMOUNT.search(column.name) or _has_fractions(text, ".")):
        yield _numbers(this, column, text, "")


def _plain(text: TextFigures) -> bool:
    """Whether they are written as engines write numbers, and only what stands beside them made texts of them."""
    return _rows(text.shapes, _PLAIN) >= FITTING_MIN * max(text.shaped, 1)


def _decimal(text: TextFigures) -> str:
    """The sign before the fraction, where numbers are written as people do; empty where they are not."""
    if _plain(text):
        return ""
    for sign, form in _FORMS.items():
        if _rows(text.shapes, form) >= FITTING_MIN * max(text.shaped, 1) and _has_fractions(text, sign):
            return sign
    return ""


def _has_fractions(text: TextFigures, sign: str) -> bool:
    fractions = sum(shape.rows for shape in text.shapes if _FRACTION[sign].search(shape.shape))
    return fractions >= CERTAIN_MIN * max(text.shaped, 1)


def _rows(shapes: tuple[Shape, ...], form: re.Pattern[str]) -> int:
    return sum(shape.rows for shape in shapes if form.fullmatch(shape.shape))


def _numbers(this: About, column: ColumnFigures, text: TextFigures, sign: str) -> Finding:
    form = _FORMS[sign] if sign else _PLAIN
    rows = _rows(text.shapes, form)
    example = next(shape.examples[0].text for shape in text.shapes if form.fullmatch(shape.shape))
    how = {",": ", with a decimal comma", ".": ", with a decimal point and signs between thousands"}.get(sign, "")
    return this.finding(
        "numbers-as-text",
        this.severity(column.name),
        column.name,
        f"{column.name} is text, and {percent(rows / text.shaped)} of what it holds are numbers such as {example!r}"
        f"{how}: it is read as categories.",
        _repair(this, text, sign),
        concerns=rows,
        of=text.shaped,
        sampled=this.figures.sampled,
        decimal=sign,
        missing=[value.text for value in text.placeholders[:_MISSING_MAX]],
    )


def _repair(this: About, text: TextFigures, sign: str) -> str:
    """The options of the source that read them as numbers; of a database its view."""
    if not this.source.files:
        return "Deliver it as a number: cast it in a view, or have the column's type changed."
    written = [repr(value.text) for value in text.placeholders if value.text][:_MISSING_MAX]
    options = [f"`decimal: {sign!r}`"] if sign else []
    options += [f"`missing: [{', '.join(written)}]`"] if written else []
    if not options:
        return "Deliver what is no number as missing, so that the rest is read as numbers."
    return (
        f"Write {' and '.join(options)} under `sources.{this.figures.source}`, then sync: it is read as a number. "
        "Where the app sends it, declare it `number` under `decision.request` too, and take it as an input."
    )


def _dates(this: About, column: ColumnFigures, text: TextFigures, real: int) -> Finding:
    example = text.not_numbers[0].text if text.not_numbers else text.frequent[0].text
    return this.finding(
        "dates-as-text",
        this.severity(column.name),
        column.name,
        f"{column.name} is text, and {percent(text.dates / real)} of what it holds are dates such as {example!r}: "
        "nothing can be ordered by it.",
        "Deliver it as a date, or as text of the form 2024-12-31 in every row.",
        concerns=text.dates,
        of=real,
        sampled=this.figures.sampled,
    )
