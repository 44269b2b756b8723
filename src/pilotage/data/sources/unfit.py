"""Texts among a column's dates that are none: named with the column, their rows and what to do, not only refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pilotage.data.records import FoundColumn
from pilotage.data.sources import clocks, numerals
from pilotage.data.sources.asked import Asked
from pilotage.data.sources.inferring import written_as
from pilotage.platform.counting import plural
from pilotage.platform.errors import SourceUnavailable

if TYPE_CHECKING:
    import duckdb

_NAMED_MAX = 3
_LENGTH_MAX = 40


def no_dates(
    connection: duckdb.DuckDBPyConnection, asked: Asked, relation: str, columns: Sequence[FoundColumn]
) -> SourceUnavailable | None:
    """The failure that names the texts which are no dates in the first column that has such; None where none has.

    ``columns`` are those of dates that are texts in the relation.
    """
    connection.execute("SET preserve_insertion_order = true")
    for column in columns:
        form = written_as(connection, relation, column.name, asked) or clocks.ISO
        text = numerals.text_of(column.name, asked.source)
        fits = clocks.is_iso("v") if form == clocks.ISO else form.fits("v")
        odd = f"(SELECT v, n FROM (SELECT {text} AS v, row_number() OVER () AS n FROM {relation}) WHERE "
        odd += f"v IS NOT NULL AND NOT coalesce({fits}, false))"
        found = connection.execute(
            f"SELECT left(v, {_LENGTH_MAX}), min(n), count(*), count(*) OVER () FROM {odd} GROUP BY v ORDER BY 2 "
        ).fetchall()
        if found:
            return _failure(asked, column.name, form, [(v, int(n), int(count)) for v, n, count, _ in found])
    return None


def _failure(asked: Asked, name: str, form: clocks.Form, found: list[tuple[str, int, int]]) -> SourceUnavailable:
    count, named = sum(times for _, _, times in found), found[:_NAMED_MAX]
    texts = ", ".join(f"'{text}' in row {row:,}" for text, row, _ in named)
    more = f", and {len(found) - len(named):,} other texts" if len(found) > len(named) else ""
    verb = "is no date" if count == 1 else "are no dates"
    wanted = ", ".join(f'"{text}"' for text, _, _ in named)
    option = f" Where they stand for no date, say so in the source: missing: [{wanted}]" if asked.source.files else ""
    return asked.failure(
        f"Source {asked.name}: {plural(count, 'value')} of {name} {verb} written {form.says}: first {texts}{more} "
        "(rows counted without the header).",
        f"Correct them.{option}",
    )
