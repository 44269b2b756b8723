"""Datetimes as hour of the day and day of the week, in UTC.

The place in the year is left out on purpose: with less than two years of history the held-out time would ask for
seasons that training never saw.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

_NAN = float("nan")


class DatetimeInput(msgspec.Struct, frozen=True, tag="datetime"):
    """An instant; a text is read as RFC 3339, an instant without a zone as UTC."""

    name: str

    @classmethod
    def fitted(cls, name: str, column: pa.ChunkedArray) -> DatetimeInput:
        """Nothing is learnt."""
        return cls(name)

    @property
    def slots(self) -> tuple[tuple[str, int], ...]:
        return ((f"{self.name}.hour", 0), (f"{self.name}.weekday", 0))

    def reader(self) -> Callable[[Any, list[float]], None]:
        """Appends hour (with minutes as a fraction) and weekday (Monday is 0) to an encoded row."""

        def read(value: Any, into: list[float]) -> None:
            if value is None:
                into += (_NAN, _NAN)
                return
            instant: datetime = datetime.fromisoformat(value) if isinstance(value, str) else value
            if instant.tzinfo is not None:
                instant = instant.astimezone(UTC)
            into += (instant.hour + instant.minute / 60.0, float(instant.weekday()))

        return read

    def columns(self, column: pa.ChunkedArray) -> list[NDArray[np.float64]]:
        """Hours and weekdays of many instants."""
        import pyarrow as pa
        import pyarrow.compute as pc

        instants = column.cast(pa.timestamp("us", column.type.tz))
        if column.type.tz is not None:
            instants = instants.cast(pa.timestamp("us", "UTC"))
        hours = np.array(pc.hour(instants).cast(pa.float64()).to_numpy(), dtype=np.float64)
        minutes = np.array(pc.minute(instants).cast(pa.float64()).to_numpy(), dtype=np.float64)
        weekdays = np.array(pc.day_of_week(instants).cast(pa.float64()).to_numpy(), dtype=np.float64)
        return [hours + minutes / 60.0, weekdays]
