"""Where a table is: its name as the file gives it, found among those that the database has."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from pilotage.data.sources.asked import Asked
from pilotage.platform.quoting import quoted

_PART = r'"(?:[^"]|"")+"|[^".]+'
_NAME = re.compile(rf"(?:(?P<schema>{_PART})\.)?(?P<table>{_PART})", re.DOTALL)
_PLAIN = re.compile(r"[^\W\d][\w$]*")


class Place(Struct, frozen=True):
    """A table or view that exists. ``visible``: its name alone finds it, without its schema."""

    schema: str
    table: str
    visible: bool = True

    @property
    def sql(self) -> str:
        return f"{quoted(self.schema)}.{quoted(self.table)}" if self.schema else quoted(self.table)

    @property
    def named(self) -> str:
        """The name as a use-case file may give it."""
        table = self.table if _PLAIN.fullmatch(self.table) else quoted(self.table)
        if self.visible or not self.schema:
            return table
        return f"{self.schema if _PLAIN.fullmatch(self.schema) else quoted(self.schema)}.{table}"


def parsed(name: str) -> tuple[str, str] | None:
    """Schema and table of ``table``, ``schema.table`` or ``"a.b"``; None where it is none of these.

    Inside double quotes a double quote is doubled, as in SQL.
    """
    match = _NAME.fullmatch(name)
    return (_bare(match["schema"] or ""), _bare(match["table"])) if match else None


def found(asked: Asked, known: Iterable[Place]) -> Place:
    """The table that the source names. A name that no quotes make unambiguous may also be a table's very name.

    Raises:
        NoSuchTable: there is none; the message has the nearest names.
    """
    places = list(known)
    readings = [parsed(asked.source.table), ("", asked.source.table)]
    for schema, table in filter(None, readings):
        for place in places:
            if place.table == table and (place.schema == schema or (not schema and place.visible)):
                return place
    raise asked.no_table(place.named for place in places)


def _bare(part: str) -> str:
    return part[1:-1].replace('""', '"') if part.startswith('"') else part
