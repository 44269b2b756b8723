"""The rows of a source as questions: what an app would have sent, kept as a Parquet file before it is answered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pilotage.data import sources
from pilotage.data.records import FoundColumn, Span
from pilotage.data.rules.keys import as_text
from pilotage.data.rules.timelines import cast
from pilotage.data.sources.asked import asked
from pilotage.platform.engine import analytical
from pilotage.platform.errors import InvalidRequest
from pilotage.platform.instants import as_utc
from pilotage.platform.quoting import literal, quoted
from pilotage.usecase.records import Definition
from pilotage.usecase.rules.expansion import request_columns, source_columns
from pilotage.usecase.rules.expressions import columns_of, to_sql

if TYPE_CHECKING:
    import pyarrow as pa

_GROUP_ROWS = 50_000


def keep_questions(definition: Definition, source: str, span: Span, path: Path) -> None:
    """Read a source now and write a row per question; memory stays flat. The file is whole or not there.

    Of the decision's source only its cases count (``decision.where``), under the names that the request has.

    Raises:
        SourceUnavailable: it cannot be read.
        InvalidRequest: it lacks columns that a request needs, or has no clock that the span could bound.
    """
    wanted = asked(definition.use_case, source)
    found = {column.name: column for column in sources.introspect(wanted)}
    fields = _fields(definition, source, found)
    bounds = _bounds(definition, source, span)
    where = definition.use_case.decision.where if source == definition.use_case.decision.source else ""
    read = {column for column, _ in fields.values()} | (columns_of(where) if where else set())
    read |= {wanted.source.known_at} if bounds else set()
    columns = tuple(column for name, column in found.items() if name in read)
    made = ", ".join(f"{sql} AS {quoted(name)}" for name, (_, sql) in fields.items())
    conditions = " AND ".join([*bounds, *([f"({to_sql(where)})"] if where else [])]) or "true"
    unseen = path.with_suffix(".new")
    with analytical() as engine:
        batches = sources.read(wanted, columns, span)
        engine.register("incoming", _reader(batches, columns))
        engine.execute(
            f"COPY (SELECT {made} FROM incoming WHERE {conditions}) TO {literal(str(unseen))} "
            f"(FORMAT parquet, ROW_GROUP_SIZE {_GROUP_ROWS})"
        )
    unseen.rename(path)


def _fields(definition: Definition, source: str, found: dict[str, FoundColumn]) -> dict[str, tuple[str, str]]:
    """Of each field of a request the source's column and its SQL; optional ones that it lacks are left out."""
    use_case, entity = definition.use_case, definition.plan.entity
    names = source_columns(use_case) if source == use_case.decision.source else {}
    fields = {entity: (entity, as_text(quoted(entity)))}
    needed = {entity}
    for name, column in request_columns(use_case).items():
        there = names.get(name, name)
        fields[name] = (there, cast(quoted(there), column.kind))
        needed |= {name} if column.required else set()
    missing = [fields[name][0] for name in fields if name in needed and fields[name][0] not in found]
    if missing:
        raise InvalidRequest(
            f"The source {source} cannot be asked about: it has no column {', '.join(missing)}.",
            "Name a source that has what a request needs, or upload the questions.",
        )
    return {name: field for name, field in fields.items() if field[0] in found}


def _bounds(definition: Definition, source: str, span: Span) -> list[str]:
    declared = definition.use_case.sources[source]
    given = [(">=", span.after), ("<=", span.until)]
    if (span.after or span.until) and (declared.is_static or not declared.known_at):
        raise InvalidRequest(
            f"The source {source} has no clock: its rows cannot be told apart by when they became known.",
            "Leave known_since and known_until out.",
        )
    known_at = f"CAST({quoted(declared.known_at)} AS TIMESTAMP)"
    return [f"{known_at} {sign} TIMESTAMP '{as_utc(at):%Y-%m-%d %H:%M:%S.%f}'" for sign, at in given if at is not None]


def _reader(batches: Iterator[pa.RecordBatch], columns: tuple[FoundColumn, ...]) -> pa.RecordBatchReader:
    """The batches as one stream; without any, a stream of these columns that has no row."""
    import pyarrow as pa

    first = next(batches, None)
    if first is None:
        schema = pa.schema([(column.name, pa.string()) for column in columns])
        return pa.RecordBatchReader.from_batches(schema, iter(()))

    def following() -> Iterator[pa.RecordBatch]:
        yield first
        yield from batches

    return pa.RecordBatchReader.from_batches(first.schema, following())
