"""Columns as a graph's inputs. One row and many give the same bits.

What is missing is NaN in an input of floats and the empty text in one of strings; an input of whole numbers or flags
has no missing value, so that such a row has no answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pilotage.models.brought.graph.described import Fed, GraphMapping

if TYPE_CHECKING:
    import pyarrow as pa

DTYPES: dict[str, Any] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
    "tensor(string)": np.str_,
}
_NAN = float("nan")
Reader = Callable[[Any], Any]


class Feeder:
    """Fills a graph's inputs from values by column name."""

    def __init__(self, mapping: GraphMapping) -> None:
        self.mapping = mapping
        self._rows = [
            (fed, DTYPES[fed.type], [(name, _reader(fed.type, name, mapping.codes.get(name))) for name in fed.columns])
            for fed in mapping.fed
        ]

    def row(self, values: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        """Every input for one row.

        Raises:
            ValueError: a value does not fit, or is missing where the graph has no missing value.
        """
        inputs = {}
        for fed, dtype, readers in self._rows:
            cells = [read(values.get(name)) for name, read in readers]
            inputs[fed.input] = np.array(cells if fed.flat else [cells], dtype=dtype)
        return inputs

    def table(self, table: pa.Table) -> dict[str, NDArray[Any]]:
        """Every input for many rows.

        Raises:
            ValueError: a value does not fit, or is missing where the graph has no missing value.
        """
        inputs = {}
        for fed, dtype, _ in self._rows:
            columns = [_column(table[name], fed, name, self.mapping.codes.get(name)) for name in fed.columns]
            inputs[fed.input] = (columns[0] if fed.flat else np.column_stack(columns)).astype(dtype)
        return inputs


def _reader(type_: str, name: str, codes: Mapping[str, float] | None) -> Reader:
    if type_ == "tensor(string)":
        return _text
    number = _number if codes is None else lambda value: codes.get(_text(value), _NAN)
    if type_ in ("tensor(float)", "tensor(double)"):
        return number

    def whole(value: Any) -> Any:
        found = number(value)
        if not float(found).is_integer():
            raise ValueError(_unfit(name, type_))
        return bool(found) if type_ == "tensor(bool)" else int(found)

    return whole


def _number(value: Any) -> float:
    number = _NAN if value is None else float(value)
    return number if number - number == 0.0 else _NAN  # infinite − infinite is not 0


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if type(value) is str else str(value)


def _column(column: pa.ChunkedArray, fed: Fed, name: str, codes: Mapping[str, float] | None) -> NDArray[Any]:
    import pyarrow as pa

    if fed.type == "tensor(string)":
        return np.array(column.cast(pa.string()).fill_null("").to_pylist(), dtype=np.str_)
    numbers = _coded(column, codes) if codes is not None else np.array(column.cast(pa.float64()).to_numpy())
    numbers = numbers.astype(np.float64)
    numbers[~np.isfinite(numbers)] = np.nan
    if fed.type not in ("tensor(float)", "tensor(double)") and not (numbers == np.floor(numbers)).all():
        raise ValueError(_unfit(name, fed.type))
    return numbers


def _coded(column: pa.ChunkedArray, codes: Mapping[str, float]) -> NDArray[np.float64]:
    import pyarrow as pa
    import pyarrow.compute as pc

    place = pc.index_in(column.cast(pa.string()).fill_null(""), value_set=pa.array(list(codes), pa.string()))
    numbers = np.append(np.array(list(codes.values()), dtype=np.float64), np.nan)
    return np.asarray(numbers[pc.fill_null(place, len(codes)).to_numpy()])


def _unfit(name: str, type_: str) -> str:
    return f"{name} is missing or no whole number, and the model takes it as {type_}"
