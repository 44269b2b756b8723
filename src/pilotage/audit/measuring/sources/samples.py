"""A few rows to look at, per kind of fault: the same ones at every audit of the same snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pilotage.audit.measured.columns import ColumnFigures, DateFigures, NumberFigures, Spike, TextFigures
from pilotage.audit.measured.repeats import Sample
from pilotage.audit.measured.times import OrderedDates
from pilotage.audit.measuring.sources.place import Place, instant, number
from pilotage.audit.measuring.sources.times import wrong_order
from pilotage.platform.quoting import literal, quoted

ROWS = 5
_COLUMNS = 12
_TEXT = 80
# Each kind of fault in each column is one more look at the rows.
_LOOKS_MAX = 60
# What most rows have is no fault to show rows for.
_RARE = 0.2
_RARE_SHAPE = 0.05


def sample_rows(place: Place, relation: str, condition: str, columns: Sequence[str]) -> tuple[Sample, ...]:
    """Up to five rows as text, the first in the order of their key."""
    names = list(dict.fromkeys([*place.source.key, *columns]))[:_COLUMNS]
    texts = ", ".join(f"left(CAST({quoted(name)} AS VARCHAR), {_TEXT})" for name in names)
    order = ", ".join(str(at + 1) for at in range(len(names)))
    rows = place.all(f"SELECT {texts} FROM {relation} WHERE {condition} ORDER BY {order} LIMIT {ROWS}")
    return tuple({name: value or "" for name, value in zip(names, row, strict=True)} for row in rows)


def measure_samples(
    place: Place, profiles: dict[str, ColumnFigures], ordered: Sequence[OrderedDates]
) -> dict[str, tuple[Sample, ...]]:
    """Rows by kind of fault and column; of a large source from the rows looked at, where these have any."""
    found = {}
    clock = [place.source.event_time] if place.event_time else []
    for kind, columns, condition in list(_looks(place, profiles, ordered))[:_LOOKS_MAX]:
        rows = sample_rows(place, place.looked, condition, [*clock, *columns])
        if not rows and place.sampled:
            rows = sample_rows(place, place.whole, condition, [*clock, *columns])
        found[f"{kind} {', '.join(columns)}"] = rows
    return found


def _looks(
    place: Place, profiles: dict[str, ColumnFigures], ordered: Sequence[OrderedDates]
) -> Iterator[tuple[str, list[str], str]]:
    for pair in ordered:
        if pair.wrong:
            yield "wrong order", [pair.start, pair.end], wrong_order(pair.start, pair.end)
    if place.known_at and place.event_time and place.source.known_at != place.source.event_time:
        yield "early", [place.source.known_at], f"{place.known_at} < {place.event_time}"
    for name, figures in profiles.items():
        for kind, condition in _of_column(name, figures):
            yield kind, [name], condition
    for name, figures in profiles.items():
        if 0 < place.rows - figures.filled <= _RARE * place.rows:
            yield "missing", [name], f"{quoted(name)} IS NULL"


def _of_column(name: str, figures: ColumnFigures) -> Iterator[tuple[str, str]]:
    if figures.number:
        yield from _of_number(number(name), figures.filled, figures.number)
    if figures.dates:
        yield from _of_dates(instant(name), figures.dates)
    if figures.text:
        yield from _of_text(quoted(name), figures.text)


def _of_number(x: str, filled: int, figures: NumberFigures) -> Iterator[tuple[str, str]]:
    for kind, rows, sign in (("negative", figures.negatives, "<"), ("zero", figures.zeros, "=")):
        if 0 < rows <= _RARE * filled:
            yield kind, f"{x} {sign} 0"
    if figures.beyond and figures.beyond <= _RARE * filled:
        low, high = figures.fences
        yield "outlier", f"({x} < {low!r} OR {x} > {high!r}) AND isfinite({x})"
    edges = [edge[0].number for edge in (figures.lowest, figures.highest) if _repeated(edge)]
    if edges:
        yield "placeholder", f"{x} IN ({', '.join(repr(edge) for edge in edges)})"


def _repeated(edge: Sequence[Spike]) -> bool:
    """Whether the outermost value comes more often than the next: it may stand for something else."""
    return len(edge) > 1 and edge[0].rows >= max(3, edge[1].rows)


def _of_dates(at: str, figures: DateFigures) -> Iterator[tuple[str, str]]:
    looks = (
        ("before 1900", figures.before_1900, "< TIMESTAMP '1900-01-01'"),
        ("epoch", figures.epoch, "= TIMESTAMP '1970-01-01'"),
        ("after 2100", figures.after_2100, ">= TIMESTAMP '2100-01-01'"),
        ("future", figures.future, f"> TIMESTAMP '{figures.ahead}'"),
    )
    yield from ((kind, f"{at} {sign}") for kind, rows, sign in looks if rows)
    if figures.placeholders:
        days = ", ".join(f"DATE {literal(value.text)}" for value in figures.placeholders)
        yield "placeholder", f"CAST({at} AS DATE) IN ({days})"


def _of_text(name: str, figures: TextFigures) -> Iterator[tuple[str, str]]:
    def among(texts: list[str]) -> str:
        return f"left(CAST({name} AS VARCHAR), {_TEXT}) IN ({', '.join(literal(text) for text in texts)})"

    if figures.placeholders:
        yield "placeholder", among([value.text for value in figures.placeholders])
    if figures.spellings:
        yield "spelling", among([value.text for cluster in figures.spellings.clusters for value in cluster[1:]])
    others = [value.text for value in (*figures.not_numbers, *figures.not_dates)]
    if others and (figures.numbers or figures.dates) and len(figures.shapes) > 1:
        yield "mixed", among(others)
    rare = [
        value.text for shape in figures.shapes if shape.rows <= _RARE_SHAPE * figures.shaped for value in shape.examples
    ]
    if rare and figures.shapes[0].rows >= 0.5 * figures.shaped:
        yield "pattern", among(rare[:20])
