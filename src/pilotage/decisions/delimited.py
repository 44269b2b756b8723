"""CSV files of questions: each row as the JSON of a request, or as what is wrong with that row alone.

A cell is the text that stands in the file, as where a source reads one. Its column's kind in the contract says what it
must be: what is no such thing stays a text, which the contract refuses in that row. Only an empty field is unknown; one
in quotes is an empty text, where texts are wanted.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from pilotage.data.sources.files.dialects import Dialect, dialect_of
from pilotage.data.sources.files.unreadable import Unreadable
from pilotage.data.sources.numerals import PLAIN
from pilotage.decisions.contract import Contract
from pilotage.platform.errors import InvalidRequest, Problem
from pilotage.platform.instants import as_utc
from pilotage.usecase.records import ColumnKind

if TYPE_CHECKING:
    import pyarrow.csv as arrow

_SAMPLE_BYTES = 64 * 1024
_BLOCK_BYTES = 4 * 1024 * 1024
_ROWS_AT_ONCE = 2_000
_BYTEWISE = "latin-1"
"""Has a letter for each byte, so that one cell that is not in UTF-8 does not end the reading of a file."""

_NUMBER = re.compile(rf"({PLAIN})([eE][+-]?\d{{1,3}})?", re.ASCII)
_INSTANT = re.compile(
    r"(\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)?) ?(Z|UTC|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)
_FLAGS = {"true": True, "false": False}


def columns_of(file: Path) -> tuple[str, ...]:
    """The names in the first line.

    Raises:
        InvalidRequest: it has none.
    """
    return _opening(file)[0].names


def count_of(file: Path) -> int:
    """How many rows there are, those that cannot be read among them."""
    return sum(1 for _ in _cells(file))


def rows_of(file: Path, contract: Contract) -> Iterator[bytes | InvalidRequest]:
    """The rows, in their order.

    Raises:
        InvalidRequest: no further row can be told from the others.
    """
    names = columns_of(file)
    kinds: list[ColumnKind] = [contract.columns[name].kind if name in contract.columns else "text" for name in names]
    for cells in _cells(file):
        yield cells if isinstance(cells, InvalidRequest) else _request(names, kinds, cells)


def _opening(file: Path) -> tuple[Dialect, bool]:
    """How a file is written, and whether anything follows its header."""
    with file.open("rb") as stream:
        start = stream.read(_SAMPLE_BYTES).removeprefix(codecs.BOM_UTF8)
        whole = not stream.read(1)
    try:
        dialect = dialect_of(start.decode(errors="ignore"), whole, "The file", "")
    except Unreadable as error:
        raise InvalidRequest(error.message, error.repair) from None
    return dialect, not whole or len(start.rstrip(b"\r\n").splitlines()) > dialect.skip + dialect.header


def _cells(file: Path) -> Iterator[Sequence[str | None] | InvalidRequest]:
    """The cells of each row, a letter per byte; of a row that has too many or too few, that."""
    import pyarrow as pa

    dialect, has_rows = _opening(file)
    number = first = dialect.skip + dialect.header
    misfits: list[arrow.InvalidRow] = []
    try:
        for cells in _rows(file, dialect, misfits) if has_rows else ():
            number += 1
            while misfits and misfits[0].number == number:
                yield _misfit(misfits.pop(0))
                number += 1
            yield cells
    except pa.ArrowInvalid:
        raise InvalidRequest(
            f"The file cannot be read after row {number - first + len(misfits):,}: a quote there does not end, or the "
            f"row has more than {_BLOCK_BYTES:,} bytes.",
            "Repair that row and send the file again.",
        ) from None
    yield from map(_misfit, misfits)


def _rows(file: Path, dialect: Dialect, misfits: list[arrow.InvalidRow]) -> Iterator[tuple[str | None, ...]]:
    """The rows that have as many fields as the header; the others are in ``misfits`` before their place is passed."""
    import pyarrow as pa
    import pyarrow.csv as arrow

    def left_out(row: arrow.InvalidRow) -> str:
        misfits.append(row)
        return "skip"

    names = [str(place) for place in range(len(dialect.names))]
    reading = arrow.ReadOptions(
        use_threads=False,
        block_size=_BLOCK_BYTES,
        skip_rows=dialect.skip + dialect.header,
        column_names=names,
        encoding=_BYTEWISE,
    )
    parsing = arrow.ParseOptions(
        delimiter=dialect.delimiter,
        quote_char=dialect.quote or False,
        double_quote=dialect.escape == dialect.quote,
        escape_char="\\" if dialect.escape == "\\" else False,
        newlines_in_values=True,
        invalid_row_handler=left_out,
    )
    converting = arrow.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()),
        strings_can_be_null=True,
        null_values=[""],
        quoted_strings_can_be_null=False,
    )
    for batch in arrow.open_csv(file, reading, parsing, converting):
        for start in range(0, batch.num_rows, _ROWS_AT_ONCE):
            yield from zip(*(column.to_pylist() for column in batch.slice(start, _ROWS_AT_ONCE).columns), strict=True)


def _misfit(row: arrow.InvalidRow) -> InvalidRequest:
    came, wanted = row.actual_columns, row.expected_columns
    message = f"has {came} field{'s' if came != 1 else ''} where the header has {wanted}."
    repair = "A quote in it may not end: then it holds the lines after it, too." if "\n" in row.text else ""
    return InvalidRequest("The row cannot be read.", problems=[Problem("row", message, repair)])


def _request(names: Sequence[str], kinds: Sequence[ColumnKind], cells: Sequence[str | None]) -> bytes | InvalidRequest:
    values: dict[str, Any] = {}
    for name, kind, cell in zip(names, kinds, cells, strict=True):
        try:
            value = None if cell is None else _value(kind, cell.encode(_BYTEWISE).decode())
        except UnicodeDecodeError:
            problem = Problem(name, "must be in UTF-8.", "Save the file as UTF-8.")
            return InvalidRequest("The row cannot be read.", problems=[problem])
        if value is not None:
            values[name] = value
    return msgspec.json.encode(values)


def _value(kind: ColumnKind, text: str) -> Any:
    """What a cell says, or its text where it is nothing of the kind; None where a kind has no empty text."""
    if kind in ("category", "text"):
        return text
    if not text:
        return None
    if kind == "datetime":
        return _instant(text)
    if kind == "flag":
        return _FLAGS.get(text.lower(), text)
    return float(text) if _NUMBER.fullmatch(text) else text


def _instant(text: str) -> datetime | str:
    """An instant in ISO 8601, where day and month cannot be exchanged; without a zone it is UTC, a day its midnight."""
    found = _INSTANT.fullmatch(text)
    if found is None:
        return text
    moment, zone = found.groups()
    try:
        if zone in (None, "Z", "UTC"):
            return datetime.fromisoformat(moment).replace(tzinfo=UTC)
        return as_utc(datetime.fromisoformat(moment + zone))
    except (ValueError, InvalidRequest):
        return text
