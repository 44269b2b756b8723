"""Which files are SQLite databases, whatever their names end in."""

from __future__ import annotations

from pathlib import Path

_BEGINNING = b"SQLite format 3\x00"


def is_sqlite(path: Path) -> bool:
    """Whether a file begins as SQLite files do (section 1.3 of its file format). False where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(len(_BEGINNING)) == _BEGINNING
    except OSError:
        return False
