"""Texts of one column that do not look like the others: spellings, numbers among words, codes of another shape."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from pilotage.audit.measured.columns import ColumnFigures, Shape, TextFigures
from pilotage.audit.records import Finding
from pilotage.audit.rules.findings.about import About, counted, percent
from pilotage.audit.rules.findings.consistency import as_text
from pilotage.audit.rules.findings.duplicates import is_name
from pilotage.platform.counting import plural

ROWS_MIN = 20
# A text column holds numbers (or dates) with slips when nine in ten read as one.
MIXED_MIN = 0.9
# Codes have a pattern when up to three shapes cover 92 % of rows and each of them more than 5 %; what is left is rare.
SHAPES_MAX = 3
COVERED_MIN = 0.92
MAIN_MIN = 0.055
# What more than one row in thirty has is rather a second kind of code than a slip.
RARE_MAX = 0.03
# Codes this short, of letters and digits in any order, have no shape: 9E, B6 and UA are airlines.
SHORT_MAX = 3
_ELSE = "…"
_LETTER = "A"
_DIGITS = re.compile(r"9+")


def found(this: About) -> Iterator[Finding]:
    """Per text column: spelled several ways, then either mixed types, numbers or dates as text, or off the pattern."""
    for column in this.columns:
        if column.text is None:
            continue
        yield from _spelled(this, column, column.text)
        mixed = list(_mixed(this, column, column.text))
        mixed = mixed or list(as_text.found(this, column, column.text))
        yield from mixed or _off_pattern(this, column, column.text)


def _spelled(this: About, column: ColumnFigures, text: TextFigures) -> Iterator[Finding]:
    spellings = text.spellings
    if spellings is None or is_name(this, column.name):
        return
    examples = "; ".join(" = ".join(repr(value.text) for value in cluster) for cluster in spellings.clusters[:3])
    yield this.finding(
        "spelled-several-ways",
        this.severity(column.name),
        column.name,
        f"{column.name} writes one category in several ways: {examples}. {plural(spellings.rows, 'row')} "
        f"{'does' if spellings.rows == 1 else 'do'} not have the usual spelling.",
        "Agree on one spelling at the source.",
        concerns=spellings.rows,
        of=text.looked_at,
        samples=this.figures.samples.get(f"spelling {column.name}", ()),
        sampled=this.figures.sampled,
        categories=spellings.categories,
        rows=spellings.rows,
    )


def _mixed(this: About, column: ColumnFigures, text: TextFigures) -> Iterator[Finding]:
    real = text.looked_at - sum(value.rows for value in text.placeholders)
    for what, fitting, others in (("numbers", text.numbers, text.not_numbers), ("dates", text.dates, text.not_dates)):
        rest = real - fitting
        if real < ROWS_MIN or not 0 < rest <= (1 - MIXED_MIN) * real or _codes(text, what):
            continue
        yield this.finding(
            "mixed-types",
            this.severity(column.name),
            column.name,
            f"{column.name} holds {what} as text, but in {percent(rest / real)} of rows something else: "
            f"{counted(others)}.",
            f"Deliver {what} as {what}, and these values as missing or in a column of their own.",
            concerns=rest,
            of=real,
            samples=this.figures.samples.get(f"mixed {column.name}", ()),
            sampled=_sampled(this, column, text),
            rows=rest,
        )
        return


def _sampled(this: About, column: ColumnFigures, text: TextFigures) -> int:
    """How many rows were looked at, where that was a part: of a column with very many texts, a part of these."""
    return text.looked_at if text.looked_at < (this.figures.sampled or column.filled) else this.figures.sampled


def _codes(text: TextFigures, what: str) -> bool:
    """Codes of digits, some with letters after them, are no numbers with slips: their digits have one length."""
    if what != "numbers" or not text.shapes:
        return False
    first = text.shapes[0]
    return set(first.shape) == {"9"} and len(first.shape) > 2 and first.rows >= 0.8 * text.shaped


def _off_pattern(this: About, column: ColumnFigures, text: TextFigures) -> Iterator[Finding]:
    shapes = _lengths_aside(text.shapes)
    main = [shape for shape in shapes if shape.rows >= MAIN_MIN * text.shaped]
    others = _others(main, [shape for shape in shapes if shape not in main])
    covered = sum(shape.rows for shape in main)
    if not others or len(main) > SHAPES_MAX or text.shaped < ROWS_MIN or covered < COVERED_MIN * text.shaped:
        return
    usual = {_DIGITS.sub("9", shape.shape) for shape in main if _LETTER in shape.shape}
    # A code with a digit more or less is still such a code; what is built otherwise is another thing.
    others = [shape for shape in others if _DIGITS.sub("9", shape.shape) not in usual]
    if not others:
        return
    rest = sum(shape.rows for shape in others)
    named = ", ".join(f"{shape.examples[0].text!r} ({shape.rows:,})" for shape in others[:5])
    yield this.finding(
        "off-pattern",
        "informs" if rest > RARE_MAX * text.shaped else this.severity(column.name),
        column.name,
        f"{column.name} looks like {' or '.join(repr(shape.examples[0].text) for shape in main)}, but {rest:,} rows do "
        f"not: {named}.",
        "Find out what these are: another kind of thing under the same name, a slip, or an old code.",
        concerns=rest,
        of=text.shaped,
        samples=this.figures.samples.get(f"pattern {column.name}", ()),
        sampled=_sampled(this, column, text),
        rows=rest,
        shapes={shape.shape: shape.rows for shape in others[:10]},
    )


def _others(main: Sequence[Shape], others: Sequence[Shape]) -> list[Shape]:
    """The rare shapes that say something: all beside codes with digits, those with digits beside single words."""
    if any(shape.shape == _ELSE for shape in main):
        return []
    if any("9" in shape.shape for shape in main):
        short = all(len(shape.examples[0].text) <= SHORT_MAX for shape in main)
        return [] if short and any(_LETTER in shape.shape for shape in main) else list(others)
    if any(shape.shape != _LETTER for shape in main):
        return []
    return [shape for shape in others if "9" in shape.shape]


def _lengths_aside(shapes: Sequence[Shape]) -> list[Shape]:
    """Shapes, where runs of digits of several usual lengths are running numbers, whose length says nothing."""
    total = sum(shape.rows for shape in shapes)
    usual = Counter(_DIGITS.sub("9", shape.shape) for shape in shapes if shape.rows >= MAIN_MIN * total)
    merged: dict[str, Shape] = {}
    for shape in shapes:
        plain = _DIGITS.sub("9", shape.shape)
        name = plain if usual[plain] > 1 else shape.shape
        before = merged.get(name)
        rows = shape.rows + (before.rows if before else 0)
        merged[name] = Shape(name, rows, before.examples if before else shape.examples)
    return sorted(merged.values(), key=lambda shape: -shape.rows)
