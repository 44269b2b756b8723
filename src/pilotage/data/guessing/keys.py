"""What tells the rows of a table apart, judged by what the database declares and by what a sample shows."""

from __future__ import annotations

from collections.abc import Sequence

from pilotage.data.guessing.records import Guess, SeenTable
from pilotage.data.guessing.words import words
from pilotage.usecase.records import ROW


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
        return Guess((ROW,), "no column tells rows apart: the row's number in its file stands in for a key")
    return None


def by_fitness(candidates: Sequence[tuple[str, ...]], table: str) -> list[tuple[str, ...]]:
    """Candidate keys, the likeliest first: few columns, and named like an identifier of the table."""
    return sorted(candidates, key=lambda names: (len(names), -sum(_fitness(name, table) for name in names), names))


def _fitness(name: str, table: str) -> int:
    parts = words(name)
    if not parts:
        return 0
    identifier = parts[-1] in {"id", "key", "number", "no", "nr", "uuid", "guid", "code"} or name.lower().endswith("id")
    own = any(part in words(table) or part + "s" in words(table) for part in parts)
    return 3 * identifier + 2 * own + (parts == ["id"])
