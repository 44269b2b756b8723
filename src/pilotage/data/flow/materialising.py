"""Materialising: all keys' values now, in tables that live answers, or other programs, read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec import Struct

from pilotage.data import places, relations, snapshots
from pilotage.data.flow.placing import address_of_tables
from pilotage.data.flow.syncing import current_snapshots
from pilotage.data.live import as_kind
from pilotage.data.places import Keyed
from pilotage.data.rules.direct import SPELLINGS, Group, for_driver, groups, now_query, relation_rows
from pilotage.data.rules.needs import needed_columns
from pilotage.platform.errors import NotFound, PilotageError, SourceUnavailable
from pilotage.platform.settings import from_environment
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import definitions
from pilotage.usecase.records import Definition
from pilotage.usecase.rules.live_places import age_max_seconds, placed_columns


class Materialised(Struct, frozen=True):
    """A table that was written: its keys, its columns, and the instant that its values are of."""

    table: str
    keys: int
    columns: tuple[str, ...]
    made_at: datetime


def materialise(work: Workspace, definition: Definition, to: str = "", table: str = "") -> list[Materialised]:
    """Write the columns of the file's live tables; with ``to``, an address or env:NAME, all lookups and windows there.

    Values are those of the current snapshots, as of now. Tables are named after ``table``, else after the use case.

    Raises:
        NotFound: there is no column to write.
        EvidenceMissing: a source was never synced.
        Conflict: a table has such a name already and is none of ours.
        SourceUnavailable: the address is of no database that can be written.
    """
    placed = {name: entry for name, entry in placed_columns(definition.use_case).items() if entry.live == "table"}
    if to:
        address = from_environment(to, "--to")
        return _written(work, definition, address, table or definition.name, groups(definition.plan))
    if not placed:
        raise NotFound(
            f"No input of {definition.name} is read from a table.",
            "Write live: table and live_age at an input, or say where to write all of them: --to env:NAME.",
        )
    written = []
    for place in dict.fromkeys(entry.live_at for entry in placed.values()):
        names = [name for name, entry in placed.items() if entry.live_at == place]
        address = address_of_tables(work, definition, place)
        written += _written(work, definition, address, definition.name, groups(definition.plan, names))
    return written


def materialise_due(work: Workspace) -> None:
    """Write the tables of every use case whose age is a third of what an input allows; what a job repeats.

    One that cannot be written does not keep the others from it.

    Raises:
        SourceUnavailable: some could not be written; the message names each use case and what was wrong.
    """
    failures = []
    for definition in definitions(work):
        ages = [age_max_seconds(each) for each in placed_columns(definition.use_case).values() if each.live == "table"]
        try:
            if ages and _age_seconds(work, definition) >= min(ages) / 3:
                materialise(work, definition)
        except PilotageError as error:
            failures.append(f"{definition.name}: {error.message}")
    if failures:
        raise SourceUnavailable(" ".join(failures), "Correct what is named; it is tried again.")


def _age_seconds(work: Workspace, definition: Definition) -> float:
    """The age of the oldest of a use case's tables."""
    places_of = {each.live_at for each in placed_columns(definition.use_case).values() if each.live == "table"}
    made = [places.made_at(address_of_tables(work, definition, place), definition.name) for place in places_of]
    known = [instant for instant in made if instant is not None]
    return (work.clock.now() - min(known)).total_seconds() if len(known) == len(made) else math.inf


def _written(
    work: Workspace, definition: Definition, address: str, name: str, found: Sequence[Group]
) -> list[Materialised]:
    if not found:
        raise NotFound(f"{definition.name} looks nothing up.", "Only inputs with latest or windows have tables.")
    now = work.clock.now()
    keyed = _keyed(work, definition, found, now)
    names = places.replace(address, name, keyed, now)
    return [
        Materialised(table, len(each.rows), tuple(column.name for column in each.group.columns), now)
        for table, each in zip(names, keyed, strict=True)
    ]


def _keyed(work: Workspace, definition: Definition, found: Sequence[Group], now: datetime) -> list[Keyed]:
    current = current_snapshots(work, definition)
    needed = needed_columns(definition)
    spelling = SPELLINGS["duckdb"]
    keyed = []
    with snapshots.engine(work.lake) as connection:
        relations.load(connection, work.lake, definition, current, list(dict.fromkeys(g.source for g in found)))
        for group in found:
            source = definition.use_case.sources[group.source]
            types = {column.name: column for column in current[group.source].columns}
            rows = relation_rows(group.source, source, needed[group.source], types)
            query = for_driver(now_query(group, rows, spelling), "duckdb")
            moment = now.astimezone(UTC).replace(tzinfo=None)
            kinds = [*group.kinds, *(column.kind for column in group.columns)]
            values = connection.execute(query, {"moment": moment}).fetchall()
            typed = [tuple(as_kind(value, kind) for value, kind in zip(row, kinds, strict=True)) for row in values]
            keyed.append(Keyed(group, typed))
    return keyed
