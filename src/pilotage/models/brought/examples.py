"""Example rows with the answers that a model has to give: what shows that it is asked as it was trained."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from pilotage.models.brought.files import read_given
from pilotage.models.brought.refused import ModelRefused
from pilotage.models.brought.wanted import Wanted

if TYPE_CHECKING:
    import pyarrow as pa

EXPECTED = "expected"
_BYTES_MAX = 32 * 1024 * 1024
_ROWS_MAX = 100_000
_REPAIR = (
    f"Write rows with the use case's columns and one more, {EXPECTED}: what the model answered where it was trained."
)


class Examples(Struct, frozen=True):
    """Rows by the use case's columns, and what is expected: outputs, or only the most probable class of each row."""

    file: str
    rows: Any
    outputs: dict[str, NDArray[np.float64]]
    most_probable: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        return int(self.rows.num_rows)


def read_examples(path: Path, wanted: Wanted, who: str) -> Examples:
    """The examples in a CSV, JSON, JSON-lines or Parquet file.

    Raises:
        ModelRefused: there are none, they cannot be read, or they do not say what is expected.
    """
    content = read_given(path, f"{who}: its examples", _BYTES_MAX)
    table = _read(content, path, wanted, who)
    if not 1 <= table.num_rows <= _ROWS_MAX:
        raise ModelRefused(f"{who}: {path.name} has {table.num_rows:,} rows.", f"Give 1 to {_ROWS_MAX:,} examples.")
    outputs, most_probable = _expected(table, path, wanted, who)
    kept = [name for name in table.column_names if name in wanted.columns]
    return Examples(path.name, _typed(table.select(kept), wanted, path, who), outputs, most_probable)


def _read(content: bytes, path: Path, wanted: Wanted, who: str) -> pa.Table:
    import pyarrow as pa
    import pyarrow.csv as pc
    import pyarrow.parquet as pq

    texts = {name: pa.string() for name, kind in wanted.columns.items() if kind in ("category", "text")}
    if wanted.kind == "category":
        texts[EXPECTED] = pa.string()  # 01 is a class, and no number
    try:
        match path.suffix.lower():
            case ".csv":
                options = pc.ConvertOptions(
                    column_types=texts, strings_can_be_null=True, quoted_strings_can_be_null=False
                )
                return pc.read_csv(io.BytesIO(content), convert_options=options)
            case ".parquet":
                return pq.read_table(io.BytesIO(content))
            case ".json" | ".jsonl":
                return pa.Table.from_pylist(_records(content))
    except (pa.ArrowException, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ModelRefused(f"{who}: {path.name} cannot be read: {' '.join(str(error).split())}.", _REPAIR) from None
    raise ModelRefused(f"{who}: {path.name} is none of .csv, .json, .jsonl, .parquet.", _REPAIR)


def _records(content: bytes) -> list[dict[str, Any]]:
    if content.lstrip()[:1] == b"[":
        return msgspec.json.decode(content, type=list[dict[str, Any]])
    return [msgspec.json.decode(line, type=dict[str, Any]) for line in content.splitlines() if line.strip()]


def _expected(
    table: pa.Table, path: Path, wanted: Wanted, who: str
) -> tuple[dict[str, NDArray[np.float64]], tuple[str, ...]]:
    """Outputs by class ('' for the only one), or the most probable classes."""
    prefix = EXPECTED + "_"
    by_class = {name.removeprefix(prefix): name for name in table.column_names if name.startswith(prefix)}
    if wanted.kind == "category" and by_class:
        return {class_: _numbers(table, name, path, who) for class_, name in by_class.items()}, ()
    if EXPECTED not in table.column_names:
        raise ModelRefused(f"{who}: {path.name} has no column {EXPECTED}.", _REPAIR)
    if wanted.kind == "category":
        return {}, tuple(str(one) for one in table[EXPECTED].to_pylist())
    return {"": _numbers(table, EXPECTED, path, who)}, ()


def _numbers(table: pa.Table, name: str, path: Path, who: str) -> NDArray[np.float64]:
    import pyarrow as pa

    try:
        numbers = np.asarray(table[name].cast(pa.float64()).to_numpy(), dtype=np.float64)
    except pa.ArrowException:
        numbers = np.array([np.nan])
    if not np.isfinite(numbers).all():
        raise ModelRefused(f"{who}: in {path.name} {name} is not a number in every row.", _REPAIR)
    return numbers


def _typed(table: pa.Table, wanted: Wanted, path: Path, who: str) -> pa.Table:
    """The columns in the types that the use case's columns have."""
    import pyarrow as pa

    types = {"number": pa.float64(), "flag": pa.bool_(), "datetime": pa.timestamp("us", "UTC")}
    columns = {}
    for name in table.column_names:
        type_ = types.get(wanted.columns[name], pa.string())
        try:
            columns[name] = table[name].cast(type_)
        except pa.ArrowException as error:
            reason = " ".join(str(error).split())
            raise ModelRefused(
                f"{who}: in {path.name} {name} is not a {wanted.columns[name]}: {reason}.", _REPAIR
            ) from None
    return pa.table(columns)
