"""Numbers, and flags as 0 and 1. What is missing or not finite is NaN."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

_NAN = float("nan")


def numbers(values: Iterable[Any]) -> list[float]:
    """Numbers of several columns that stand side by side, as their readers would append them one by one.

    Raises:
        ValueError: one is a text that is no number.
    """
    return [
        (value if value - value == 0.0 else _NAN) if value.__class__ is float else _number(value) for value in values
    ]


def _number(value: Any) -> float:
    number = _NAN if value is None else float(value)
    return number if number - number == 0.0 else _NAN  # infinite − infinite is not 0


class NumberInput(msgspec.Struct, frozen=True, tag="number"):
    """A number as it is."""

    name: str

    @classmethod
    def fitted(cls, name: str, column: pa.ChunkedArray) -> NumberInput:
        """Nothing is learnt."""
        return cls(name)

    @property
    def slots(self) -> tuple[tuple[str, int], ...]:
        return ((self.name, 0),)

    def reader(self) -> Callable[[Any, list[float]], None]:
        """Appends one value to an encoded row."""

        def read(value: Any, into: list[float]) -> None:
            into.append(_number(value))

        return read

    def columns(self, column: pa.ChunkedArray) -> list[NDArray[np.float64]]:
        """Many values."""
        import pyarrow as pa

        numbers = np.array(column.cast(pa.float64()).to_numpy(), dtype=np.float64)
        numbers[~np.isfinite(numbers)] = np.nan
        return [numbers]
