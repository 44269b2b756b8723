"""Categories as codes: 0 is missing, 1 any level that is rare or was never seen, from 2 on a level each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

MISSING, OTHER, FIRST = 0, 1, 2
ROWS_MIN = 50
"""A level with fewer training rows teaches nothing of its own."""
LEVELS_MAX = 200
"""LightGBM bins 255 codes at most; what comes after the 200 most frequent levels is grouped."""
RARE_MAX = 10_000
"""Beyond this many rare levels the column is open: new levels are its nature and are not reported."""


def rows_min(rows: int) -> int:
    """How many of so many rows a code needs to teach something."""
    return min(ROWS_MIN, max(2, rows // 200))


class CategoryInput(msgspec.Struct, frozen=True, tag="category", dict=True):
    """A category. ``levels`` have codes of their own, most frequent first; ``rare`` ones were seen and are grouped."""

    name: str
    levels: tuple[str, ...]
    rare: tuple[str, ...] = ()
    is_open: bool = False

    @classmethod
    def fitted(cls, name: str, column: pa.ChunkedArray) -> CategoryInput:
        """Learns the levels and how frequent they are."""
        import pyarrow as pa

        counts = column.cast(pa.string()).drop_null().value_counts()
        found = sorted(((one["counts"].as_py(), one["values"].as_py()) for one in counts), key=lambda x: (-x[0], x[1]))
        levels = tuple(level for count, level in found if count >= rows_min(len(column)))[:LEVELS_MAX]
        known = set(levels)
        rare = tuple(sorted(level for _, level in found if level not in known))
        return cls(name, levels, rare[:RARE_MAX], len(rare) > RARE_MAX)

    @property
    def slots(self) -> tuple[tuple[str, int], ...]:
        return ((self.name, FIRST + len(self.levels)),)

    def reader(self) -> Callable[[Any, list[float]], None]:
        """Appends the code of one value to an encoded row."""
        codes = {level: float(FIRST + number) for number, level in enumerate(self.levels)}
        code_of = codes.get

        def read(value: Any, into: list[float]) -> None:
            if value is None:
                into.append(0.0)
            else:
                into.append(code_of(value if type(value) is str else _text(value), 1.0))

        return read

    def columns(self, column: pa.ChunkedArray) -> list[NDArray[np.float64]]:
        """Codes of many values."""
        import pyarrow as pa
        import pyarrow.compute as pc

        text = column.cast(pa.string())
        place = pc.index_in(text, value_set=pa.array(self.levels, pa.string()), skip_nulls=True)
        codes = pc.fill_null(pc.add(place.cast(pa.int64()), FIRST), OTHER)
        return [pc.if_else(text.is_null(), MISSING, codes).cast(pa.float64()).to_numpy()]

    def is_new(self, value: Any) -> bool:
        """Whether a value is a level that never occurred in training."""
        if value is None or self.is_open:
            return False
        seen: frozenset[str] | None = self.__dict__.get("seen")
        if seen is None:
            seen = self.__dict__["seen"] = frozenset(self.levels) | frozenset(self.rare)
        return (value if type(value) is str else _text(value)) not in seen


def _text(value: Any) -> str:
    """A value as the engine casts it to text, so that one row and many agree."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
