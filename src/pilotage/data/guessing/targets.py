"""Outcomes that are one of several categories, or a number: judged by name and by how many values there are."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.data.guessing.naming import column_text
from pilotage.data.guessing.records import LabelGuess, SeenColumn, SeenTable
from pilotage.data.guessing.words import in_ascii, is_identifier, words

_CATEGORIES = {
    word: weight
    for weight, words_ in (
        (5.0, "label target outcome class klasse"),
        (3.5, "category kategorie categorie queue topic thema intent team newsgroup"),
        (2.5, "department abteilung assigned assignee route routing diagnosis disposition"),
        (1.5, "type typ status state reason grund severity priority resolution"),
    )
    for word in words_.split()
}
_NUMBERS = {
    word: weight
    for weight, words_ in (
        (5.0, "label target outcome y zielwert"),
        (3.5, "delay delayed lateness overdue verspatung"),
        (2.5, "demand sales revenue price cost consumption umsatz preis kosten verbrauch bedarf"),
        (2.0, "duration dauer amount betrag"),
    )
    for word in words_.split()
}
_BEFORE = {"planned", "scheduled", "sched", "expected", "estimated", "previous", "last", "prior", "old", "base", "list"}
_PARTS = {"train", "training", "test", "testing", "valid", "validation", "val", "dev", "holdout"}
LEVELS_MIN, LEVELS_MAX = 3, 60
ROWS_A_LEVEL = 20
VALUES_MIN = 20
FILLED_MIN = 0.5


def targets_of(table: SeenTable, column: SeenColumn) -> Iterator[LabelGuess]:
    """The column as a category or as a number, where its name and its values speak for it."""
    if column.filled < FILLED_MIN * table.sampled or is_identifier(column.name):
        return
    if (told := _told(column.name, _CATEGORIES)) and _has_levels(column):
        usual, count = column.common[0]
        name = column_text(column.name)
        why = (
            f"{column.name} is named like what may be predicted and has {column.distinct} values, the most frequent in "
            f"{count / column.filled:.1%} of {column.filled:,} rows"
        )
        expression = name if column.type == "text" else f"CAST({name} AS VARCHAR)"
        usual = usual if column.type == "text" else str(int(float(usual)))
        yield LabelGuess(
            table.name,
            expression,
            (column.name,),
            count / column.filled,
            told,
            why,
            kind="category",
            usual=usual,
            rank=1,
        )
    elif (told := _told(column.name, _NUMBERS)) and _is_measure(column):
        why = f"{column.name} is named like what may be predicted and is a number with {column.distinct:,} values"
        yield LabelGuess(
            table.name,
            column_text(column.name),
            (column.name,),
            0.5,
            told,
            why,
            kind="number",
            usual=_plain(column.middle or 0.0),
            rank=1,
        )


def is_split(column: SeenColumn) -> bool:
    """Whether it parts the rows into those that teach and those that judge."""
    values = {value.strip().lower() for value, _ in column.common}
    return 2 <= column.distinct <= len(_PARTS) and column.distinct == len(column.common) and values <= _PARTS


def speaks_alike(label: LabelGuess, name: str) -> bool:
    """Whether a column is named like a number that is predicted: then it may be another form of it."""
    own = {word for column in label.columns for word in words(in_ascii(column))} & set(_NUMBERS)
    return label.kind == "number" and bool(own & set(words(in_ascii(name))))


def _told(name: str, telling: dict[str, float]) -> float:
    """How much its words speak for it; what was planned or was so before is no outcome."""
    parts = words(in_ascii(name))
    return 0.0 if _BEFORE & set(parts) else max((telling.get(word, 0.0) for word in parts), default=0.0)


def _has_levels(column: SeenColumn) -> bool:
    """A few dozen values, each often there; a number only where all common ones are whole."""
    if not LEVELS_MIN <= column.distinct <= LEVELS_MAX or column.filled < ROWS_A_LEVEL * column.distinct:
        return False
    return column.type == "text" or (
        column.type == "number" and not column.fractional and all(_is_whole(value) for value, _ in column.common)
    )


def _is_whole(value: str) -> bool:
    try:
        return float(value).is_integer()
    except ValueError:
        return False


def _plain(number: float) -> str:
    """Without an exponent, which YAML would read as a text."""
    return f"{number:.4f}".rstrip("0").rstrip(".")


def _is_measure(column: SeenColumn) -> bool:
    return column.type == "number" and column.distinct >= VALUES_MIN and column.middle is not None
