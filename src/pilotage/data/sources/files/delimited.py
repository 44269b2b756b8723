"""CSV, TSV and their kin as relations. Every value comes as the text that stands in the file.

An empty field is null; an empty field in quotes is an empty text, and missing where its column holds something else
than texts. ``NA``, ``NULL`` and blanks around a value are kept. Files of one pattern may differ in dialect, encoding
and order of columns; a column that a file lacks is null in its rows. A file without header has column_1, column_2, …
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pilotage.data.sources.files.dialects import Dialect, dialect_of
from pilotage.data.sources.files.encodings import LINE_BYTES_MAX, in_utf8
from pilotage.data.sources.files.kinds import COLUMNS_MAX
from pilotage.data.sources.files.unreadable import Unreadable
from pilotage.data.sources.inferring import WRITTEN, Column
from pilotage.data.sources.tables import Table
from pilotage.platform.quoting import literal, quoted

_SAMPLE_BYTES = 256 * 1024


def delimited_table(files: Mapping[Path, str], folder: Path, encoding: str, delimiter: str) -> Table:
    """The rows of all files. ``files`` gives each place the name that people know it by.

    Raises:
        Unreadable: a file is no text, is empty, or has too many columns.
    """
    groups: dict[Dialect, list[Path]] = {}
    names: dict[str, str] = {}
    for place, name in files.items():
        text = in_utf8(place, name, folder, encoding, by_lines=True)
        names[str(text)] = name
        groups.setdefault(_dialect(text, name, delimiter), []).append(text)
    _refuse_half_a_header(groups, names)
    spelled: dict[str, str] = {}
    for dialect in groups:
        for column in dialect.names:
            spelled.setdefault(column.casefold(), column)
    if len(spelled) > COLUMNS_MAX:
        raise Unreadable(f"The files have {len(spelled):,} columns; {COLUMNS_MAX:,} are the most.", "Name fewer files.")
    parts = [_part(dialect, paths, spelled) for dialect, paths in groups.items()]
    columns = tuple(Column(column, may_be=WRITTEN) for column in spelled.values())
    return Table(f"({' UNION ALL '.join(parts)})", columns, names)


def _dialect(place: Path, name: str, delimiter: str) -> Dialect:
    with place.open("rb") as stream:
        start = stream.read(_SAMPLE_BYTES)
        if start.count(b"\n") < 3 and start.count(b"\r") < 3:
            start += stream.read(LINE_BYTES_MAX)
        whole = not stream.read(1)
    return dialect_of(start.decode(errors="ignore"), whole, name, delimiter)


def _refuse_half_a_header(groups: Mapping[Dialect, list[Path]], names: Mapping[str, str]) -> None:
    with_header = [paths[0] for dialect, paths in groups.items() if dialect.header]
    without = [paths[0] for dialect, paths in groups.items() if not dialect.header]
    if with_header and without:
        raise Unreadable(
            f"{names[str(with_header[0])]} begins with names of columns and {names[str(without[0])]} with values.",
            "Give all files a header, or none.",
        )


def _part(dialect: Dialect, paths: Sequence[Path], spelled: Mapping[str, str]) -> str:
    own = {name.casefold(): name for name in dialect.names}
    wanted = ", ".join(
        f"{quoted(own[key]) if key in own else 'CAST(NULL AS VARCHAR)'} AS {quoted(name)}"
        for key, name in spelled.items()
    )
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in dialect.names)
    listed = ", ".join(literal(_escaped(str(path))) for path in paths)
    return (
        f"SELECT {wanted} FROM read_csv([{listed}], auto_detect = false, columns = {{{columns}}}, "
        f"header = {'true' if dialect.header else 'false'}, skip = {dialect.skip}, "
        f"delim = {literal(dialect.delimiter)}, quote = {literal(dialect.quote)}, escape = {literal(dialect.escape)}, "
        f"nullstr = '', allow_quoted_nulls = false, max_line_size = {LINE_BYTES_MAX}, compression = 'none')"
    )


def _escaped(path: str) -> str:
    """A path in which nothing is a pattern."""
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in path)
