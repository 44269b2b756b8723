"""How a delimited file is written, judged by its first rows: delimiter, quotes, header. Pure.

Engines that guess are misled by ragged rows, by rare quotes and by values that hold delimiters. So the header counts
most: the delimiter is the one that gives most rows as many fields as the header, and ``"`` quotes even if the first
rows have none.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from pilotage.data.sources.files.kinds import COLUMNS_MAX, column_names
from pilotage.data.sources.files.unreadable import Unreadable

_DELIMITERS = (",", ";", "\t", "|")
_TYPED = re.compile(
    r"[-+]?(\d+([.,]\d*)?|[.,]\d+)([eE][-+]?\d+)?|\d{4}-\d\d-\d\d.*|\d{1,2}[./]\d{1,2}[./]\d{2,4}.*|true|false"
)
_SEPARATOR = re.compile(r'"?sep=(.)"?\r?\n?', re.IGNORECASE)
_PREAMBLE_LINES_MAX = 30


class Dialect(Struct, frozen=True):
    """How to read a file. ``skip`` lines come before the header, or before the first row where there is none."""

    delimiter: str
    quote: str
    escape: str
    skip: int
    header: bool
    names: tuple[str, ...]


class _Reading(Struct, frozen=True):
    """A sample read in one way: its rows, most frequent number of fields and the share of rows that have it."""

    delimiter: str
    quote: str
    escape: str
    rows: list[list[str]]
    fields: int
    share: float
    intact: bool

    @property
    def worth(self) -> tuple[bool, bool, float, bool, int]:
        """What is compared: more than one field, a header that fits, rows that agree, intact quotes, many fields."""
        fits = bool(self.rows) and len(self.rows[0]) == self.fields
        return (self.fields > 1, fits, round(self.share, 2), self.intact, self.fields)


def dialect_of(sample: str, whole: bool, name: str, delimiter: str) -> Dialect:
    """The dialect of a file whose text begins with ``sample``; ``whole`` if that is all of it.

    Raises:
        Unreadable: it is empty, has too many columns, or lines before its header.
    """
    skip, sample = _without_blanks(sample)
    if not sample:
        raise Unreadable(f"{name} is empty: it has not even a header.", "Export it again, or remove it.")
    if separator := _SEPARATOR.match(sample):
        delimiter = delimiter or separator[1]
        skip, sample = skip + 1, sample[separator.end() :]
    if not whole and "\n" not in sample and "\r" not in sample:
        most = max(sample.count(one) for one in ([delimiter] if delimiter else _DELIMITERS))
        if most >= COLUMNS_MAX:
            raise Unreadable(f"{name} has more than {COLUMNS_MAX:,} columns.", "Export fewer columns.")
    best = _best(sample, whole, delimiter, name)
    if not best.rows:
        raise Unreadable(f"{name} is empty: it has not even a header.", "Export it again, or remove it.")
    _refuse_preamble(best, name, skip)
    header = _has_header(best.rows)
    cells = best.rows[0] if header else [""] * len(best.rows[0])
    names = column_names(cells, name)
    return Dialect(best.delimiter, best.quote, best.escape, skip, header, names)


def _without_blanks(sample: str) -> tuple[int, str]:
    """How many blank lines a sample begins with, and the rest."""
    rest = sample.lstrip("\r\n")
    blank = sample[: len(sample) - len(rest)]
    return max(blank.count("\n"), blank.count("\r")), rest


def _best(sample: str, whole: bool, delimiter: str, name: str) -> _Reading:
    candidates = [delimiter] if delimiter else list(_DELIMITERS)
    if not delimiter and name.lower().partition(".")[2].startswith(("tsv", "tab")):
        candidates = ["\t", *(one for one in candidates if one != "\t")]
    readings = [
        _read(sample, whole, one, quote, escape) for one in candidates for quote, escape in _quotes(sample, one)
    ]
    best = max(readings, key=lambda reading: reading.worth)  # the first of equals
    if best.fields > 1 or delimiter:
        return best
    return next(reading for reading in readings if reading.delimiter == candidates[0])


def _quotes(sample: str, delimiter: str) -> list[tuple[str, str]]:
    """Ways of quoting that the sample allows, the usual first."""
    ways = [('"', '"')]
    if '\\"' in sample:
        ways.append(('"', "\\"))
    header = sample.splitlines()[0].split(delimiter)
    if all(len(cell) > 1 and cell[0] == cell[-1] == "'" for cell in header):
        ways.insert(0, ("'", "'"))
    if '"' in sample:
        ways.append(("", ""))
    return ways


def _read(sample: str, whole: bool, delimiter: str, quote: str, escape: str) -> _Reading:
    one = delimiter
    if len(delimiter) > 1:  # Python reads only one character: a stand-in that no text has
        one, sample = "\x1f", sample.replace(delimiter, "\x1f")
    rows, trouble = _rows(sample, one, quote, escape, strict=True)
    intact = bool(quote) and trouble in ("", "unexpected end of data")
    if trouble and not intact:
        rows, trouble = _rows(sample, one, quote, escape, strict=False)
    if (not whole or trouble) and len(rows) > 1:
        rows.pop()  # it may be cut
    rows = [row for row in rows if row]
    counts = Counter(len(row) for row in rows)
    fields, count = max(counts.items(), key=lambda found: (found[1], found[0] == len(rows[0]))) if rows else (0, 0)
    return _Reading(delimiter, quote, escape, rows, fields, count / max(len(rows), 1), intact)


def _rows(sample: str, delimiter: str, quote: str, escape: str, strict: bool) -> tuple[list[list[str]], str]:
    """The rows, as far as they can be read, and what ended them early."""
    options: dict[str, Any] = {"delimiter": delimiter, "quotechar": quote or None, "strict": strict}
    if not quote:
        options |= {"quoting": csv.QUOTE_NONE}
    elif escape == "\\":
        options |= {"doublequote": False, "escapechar": "\\"}
    rows = []
    try:
        for row in csv.reader(io.StringIO(sample, newline=""), **options):
            rows.append(row)
    except csv.Error as error:
        return rows, str(error)
    return rows, ""


def _refuse_preamble(reading: _Reading, name: str, skip: int) -> None:
    """A title above the header would be taken for it."""
    rows, fields = reading.rows, reading.fields
    before = next((place for place, row in enumerate(rows) if len(row) == fields), 0)
    if before and fields > 1 and reading.share > 0.5 and before <= _PREAMBLE_LINES_MAX and len(rows[0]) < fields:
        raise Unreadable(
            f"{name}, line {skip + 1}: it has {len(rows[0])} fields and most lines have {fields}: "
            f"something stands above the header.",
            "Remove what stands above the line with the columns' names.",
        )


def _has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row holds names: it does unless a cell of it is a value like those below, and none is a name.

    Years side by side are names, and 0, 1, 2 as data frames write them.
    """
    first, below = rows[0], rows[1:200]
    values = []
    for place, cell in enumerate(first):
        under = [row[place].strip() for row in below if len(row) > place and row[place].strip()]
        typed = bool(under) and all(_TYPED.fullmatch(text) for text in under)
        if typed and not _TYPED.fullmatch(cell.strip()) and cell.strip():
            return True
        if typed and _TYPED.fullmatch(cell.strip()):
            values.append(cell.strip())
    if not values:
        return True
    ascending = all(value == str(at) for at, value in enumerate(values, int(values[0]) if values[0].isdigit() else -1))
    return len(values) > 1 and ascending and (values[0] == "0" or 1800 < int(values[0]) < 2200)
