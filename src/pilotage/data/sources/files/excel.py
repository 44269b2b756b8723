"""Sheets of Excel and OpenDocument files, turned into temporary Parquet files.

The header is the first row that is not empty, below a title where there is one: a row or a few with next to nothing in
them, above a row of names that is as wide as the table. Texts stay texts, also those of digits; dates in texts become
instants. A column of numbers and texts is text, with numbers as they read: 5, not 5.0. Columns without a name and
without values are left out.
"""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pilotage.data.rules.keys import key_text
from pilotage.data.sources.files.kinds import column_names
from pilotage.data.sources.files.unreadable import Unreadable

if TYPE_CHECKING:
    import pyarrow as pa

BYTES_MAX = 100 * 1024 * 1024
_UNPACKED_BYTES_MAX = 1024 * 1024 * 1024
_BATCH_ROWS = 20_000
_WHOLE_MAX = 2**53
_LOOKED_AT_ROWS = 50
_TITLE_CELLS_MAX = 2
_UNREAD = "; not read: "
_BY_SHEET = " (a source of its own reads one with `sheet`)"


def as_parquet(files: Mapping[Path, str], folder: Path, sheet: str, missing: Sequence[str] = ()) -> dict[Path, str]:
    """A Parquet file for each file, in ``folder``, with types that hold for all of them.

    Cells that hold a text of ``missing`` are empty in columns that hold something else than texts.

    Raises:
        Unreadable: a file is too large, is no workbook, has a password, or lacks the sheet.
    """
    kinds: dict[str, set[str]] = {}
    headers = {}
    for place, name in files.items():
        header, rows = _sheet(place, name, sheet)
        headers[place] = header
        for row in rows:
            for column, cell in zip(header, row, strict=False):
                if cell != "" and key_text(cell) not in missing:
                    kinds.setdefault(column, set()).add(_kind(cell))
    made = {}
    for number, (place, name) in enumerate(files.items()):
        target = folder / f"sheet-{number}.parquet"
        _write(place, name, sheet, headers[place], kinds, missing, target)
        made[target] = name
    return made


def _sheet(place: Path, name: str, sheet: str) -> tuple[tuple[str, ...], Iterator[list[Any]]]:
    """The header, and the rows below it."""
    _refuse_large(place, name)
    rows = enumerate(_rows(place, name, sheet), 1)
    start = list(islice((numbered for numbered in rows if _filled(numbered[1])), _LOOKED_AT_ROWS))
    if not start:
        which = f"its sheet {sheet}" if sheet else "its first sheet"
        raise Unreadable(f"{name}: {which} is empty.", "Name another with `sheet`.")
    above = titles([row for _, row in start])
    names = column_names([_text(cell) for cell in start[above][1]], name)
    return names, (row for _, row in chain(start[above + 1 :], rows) if _filled(row))


def titles(rows: Sequence[Sequence[Any]]) -> int:
    """How many of the first rows are a title: nearly empty, above a row of names as wide as most rows below it."""
    widths = [_filled(row) for row in rows]
    for above, width in enumerate(widths):
        below = Counter(widths[above + 1 :])
        usual = max(below, key=lambda one: (below[one], one), default=0)
        names = sum(isinstance(cell, str) and cell != "" for cell in rows[above])
        wide = 5 * width >= 4 * usual or (width > _TITLE_CELLS_MAX and 2 * width > usual)
        if above and wide and 2 * names > width:
            return above
        if width > _TITLE_CELLS_MAX or width * (1 if above else 2) >= usual:
            return 0
    return 0


def remarks(place: Path, sheet: str = "") -> tuple[str, ...]:
    """What a reader of a workbook should know: a title above its header, and the sheets that are not read.

    Raises:
        Unreadable: it is no workbook, or has a password.
    """
    _refuse_large(place, place.name)
    rows = enumerate(_rows(place, place.name, sheet), 1)
    start = list(islice((numbered for numbered in rows if _filled(numbered[1])), _LOOKED_AT_ROWS))
    said = []
    if start and (above := titles([row for _, row in start])):
        said.append(f"the columns' names are those of row {start[above][0]}; what stands above it is left out")
    read, *others = sorted(sheets(place), key=lambda name: name != sheet)
    if others:
        named = ", ".join(others)
        said.append(f"only the sheet {read} is read{_UNREAD}{named}{_BY_SHEET}")
    return tuple(said)


def unread_sheets(said: Sequence[str]) -> tuple[str, ...]:
    """The sheets that :func:`remarks` names as not read."""
    named = (one.partition(_UNREAD)[2].removesuffix(_BY_SHEET) for one in said if one.endswith(_BY_SHEET))
    return tuple(sheet for names in named for sheet in names.split(", "))


def sheets(place: Path) -> list[str]:
    """The sheets of a workbook that can be seen, in its order; all if none can."""
    with _reading(place.name):
        return _visible(_workbook(place))


def _filled(row: Sequence[Any]) -> int:
    return sum(cell != "" for cell in row)


def _refuse_large(place: Path, name: str) -> None:
    size = place.stat().st_size
    if size > BYTES_MAX:
        raise Unreadable(f"{name} has {size:,} bytes; {BYTES_MAX:,} are the most for a workbook.", "Export it as CSV.")
    if zipfile.is_zipfile(place):
        with zipfile.ZipFile(place) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > _UNPACKED_BYTES_MAX:
            raise Unreadable(f"{name} unpacks to {unpacked:,} bytes, too many for a workbook.", "Export it as CSV.")


def _rows(place: Path, name: str, sheet: str) -> Iterator[list[Any]]:
    with _reading(name):
        workbook = _workbook(place)
        if sheet and sheet not in workbook.sheet_names:
            raise Unreadable(f"{name} has no sheet {sheet}.", f"It has {', '.join(workbook.sheet_names)}.")
        return iter(workbook.get_sheet_by_name(sheet or _visible(workbook)[0]).iter_rows())


def _workbook(place: Path) -> Any:
    import python_calamine

    return python_calamine.CalamineWorkbook.from_path(str(place))


def _visible(workbook: Any) -> list[str]:
    import python_calamine

    shown = python_calamine.SheetVisibleEnum.Visible
    return [found.name for found in workbook.sheets_metadata if found.visible == shown] or list(workbook.sheet_names)


@contextmanager
def _reading(name: str) -> Iterator[None]:
    """Says why a workbook cannot be read."""
    try:
        import python_calamine
    except ImportError:
        raise Unreadable(f"{name} needs a library that is not installed.", "pip install 'pilotage[excel]'.") from None
    try:
        yield
    except python_calamine.PasswordError:
        raise Unreadable(f"{name} has a password.", "Save it without one.") from None
    except (python_calamine.CalamineError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise Unreadable(f"{name} is no workbook that can be read: {reason}.", "Save it again as .xlsx.") from None


def _kind(cell: Any) -> str:
    if isinstance(cell, bool):
        return "flag"
    if isinstance(cell, (int, float)):
        whole = float(cell).is_integer() and abs(cell) < _WHOLE_MAX
        return "whole" if whole else "number"
    return "datetime" if isinstance(cell, date) else "text"


def _text(cell: Any) -> str:
    """A cell as it reads."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(" ")
    return cell.isoformat() if isinstance(cell, (date, time)) else str(cell)


def _write(
    place: Path,
    name: str,
    sheet: str,
    header: Sequence[str],
    kinds: Mapping[str, set[str]],
    missing: Sequence[str],
    target: Path,
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    named = {column for column in header if not column.startswith("column_")}
    kept = [(at, column) for at, column in enumerate(header) if column in named or column in kinds]
    schema = pa.schema([(column, _type(kinds.get(column, set()))) for _, column in kept])
    _, rows = _sheet(place, name, sheet)
    with pq.ParquetWriter(target, schema) as writer:
        while part := list(islice(rows, _BATCH_ROWS)):
            arrays = [
                _array([row[at] if at < len(row) else "" for row in part], schema.field(n).type, missing)
                for n, (at, _) in enumerate(kept)
            ]
            writer.write_batch(pa.record_batch(arrays, schema=schema))


def _type(kinds: set[str]) -> pa.DataType:
    import pyarrow as pa

    if kinds == {"whole"}:
        return pa.int64()
    if kinds and kinds <= {"whole", "number"}:
        return pa.float64()
    if kinds == {"flag"}:
        return pa.bool_()
    return pa.timestamp("us") if kinds == {"datetime"} else pa.string()


def _array(cells: Sequence[Any], kind: pa.DataType, missing: Sequence[str]) -> pa.Array:
    import pyarrow as pa

    if pa.types.is_string(kind):
        return pa.array([None if cell == "" else _text(cell) for cell in cells], kind)
    cells = ["" if key_text(cell) in missing else cell for cell in cells] if missing else list(cells)
    if pa.types.is_timestamp(kind):
        return pa.array([_moment(cell) for cell in cells], kind)
    convert = int if pa.types.is_integer(kind) else (lambda cell: cell)
    return pa.array([None if cell == "" else convert(cell) for cell in cells], kind)


def _moment(cell: Any) -> datetime | None:
    if cell == "":
        return None
    return cell if isinstance(cell, datetime) else datetime(cell.year, cell.month, cell.day)  # noqa: DTZ001
