"""What tells the rows of a table apart, judged by what the database declares and by what a sample shows."""

from __future__ import annotations

from collections.abc import Sequence

from pilotage.data.guessing.records import Guess, SeenColumn, SeenTable
from pilotage.data.guessing.words import is_identifier, words
from pilotage.usecase.records import ROW

_LONGEST = 40
_DENSE = 3


def key_of(table: SeenTable) -> Guess | None:
    """The key; None where a database's table has none that could be seen."""
    if table.primary_key:
        return Guess(table.primary_key, "the primary key that the database declares")
    if table.unique:
        names = table.unique[0]
        rows = f"all {table.sampled:,} rows" if table.whole else f"{table.sampled:,} rows looked at"
        declared = "; the database declares no key" if "database" in table.place else ""
        return Guess(names, f"no value twice in {rows}{declared}")
    if "files" in table.place:
        return row_number("no column that looks like an identifier tells rows apart")
    return None


def row_number(why: str) -> Guess:
    """The number of the row in its files, where nothing better is there."""
    return Guess((ROW,), f"{why}: the row's number in its file stands in for a key")


def could_identify(column: SeenColumn) -> bool:
    """Whether a column whose values are all different tells rows apart by nature and not by chance.

    A measurement does not, nor does a long text; a number does where its name says so or it counts the rows.
    """
    if column.fractional and not (is_identifier(column.name) and _is_whole(column)):
        return False
    if is_identifier(column.name):
        return True
    if column.type == "text":
        return 0 < column.longest <= _LONGEST and not column.spaced
    if column.type == "number" and column.lowest is not None and column.highest is not None:
        return column.highest - column.lowest < _DENSE * column.filled
    return False


def could_be_part(column: SeenColumn) -> bool:
    """Whether a column may stand beside another in a key: no measurement, no flag, no long text."""
    if column.type == "flag" or column.fractional or column.distinct < 2:
        return False
    return column.type != "text" or column.longest <= _LONGEST


def could_identify_together(columns: Sequence[SeenColumn]) -> bool:
    """Whether several columns are a key by nature: one is named like an identifier, or one says when."""
    return any(is_identifier(column.name) or column.type == "datetime" for column in columns)


def by_fitness(candidates: Sequence[tuple[str, ...]], table: str) -> list[tuple[str, ...]]:
    """Candidate keys, the likeliest first: few columns, and named like an identifier of the table."""
    return sorted(candidates, key=lambda names: (len(names), -sum(_fitness(name, table) for name in names), names))


def _fitness(name: str, table: str) -> int:
    parts = words(name)
    if not parts:
        return 0
    own = any(part in words(table) or part + "s" in words(table) for part in parts)
    return 3 * is_identifier(name) + 2 * own + (parts == ["id"])


def _is_whole(column: SeenColumn) -> bool:
    """Numbers such as 17850.0, which a column with gaps is often kept as."""
    return all(float(value).is_integer() for value, _ in column.common)
