"""Which columns are read elsewhere than from memory, and from where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pilotage.data.places import Reader, source_reader, table_reader
from pilotage.data.places.drivers import dialect_of
from pilotage.data.records import FoundColumn, Snapshot
from pilotage.data.rules.direct import groups
from pilotage.data.rules.direct.rows import KINDS
from pilotage.data.rules.needs import needed_columns
from pilotage.data.sources.asked import asked
from pilotage.platform.errors import Problem, SourceUnavailable
from pilotage.platform.settings import from_environment
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import Definition, Input
from pilotage.usecase.rules.expressions import ExpressionError, to_sql
from pilotage.usecase.rules.live_places import age_max_seconds, placed_columns
from pilotage.usecase.rules.places import Mistake, located
from pilotage.usecase.rules.reading import read

_SHARE_OF_BUDGET = 0.5
"""The part of the answer's time that reading may take; the rest is for the model."""


def readers_of(work: Workspace, definition: Definition, found: Mapping[str, Snapshot]) -> list[Reader]:
    """The readers of a use case: one for each source that is asked live and age, one for each database of tables.

    Raises:
        SettingsError: the variable that holds an address is not set.
        SourceUnavailable: an address is of no database that can be asked live.
    """
    return [*_sources(definition, found), *_tables(work, definition)]


def _wait_seconds(definition: Definition) -> float:
    return definition.use_case.brief.latency_ms / 1000 * _SHARE_OF_BUDGET


def _sources(definition: Definition, found: Mapping[str, Snapshot]) -> list[Reader]:
    use_case = definition.use_case
    placed = {name: entry for name, entry in placed_columns(use_case).items() if entry.live == "source"}
    readers = []
    for age in dict.fromkeys(age_max_seconds(entry) for entry in placed.values()):
        of_age = groups(definition.plan, [name for name, entry in placed.items() if age_max_seconds(entry) == age])
        for source in dict.fromkeys(group.source for group in of_age):
            wanted = asked(use_case, source)
            readers.append(
                source_reader(
                    wanted,
                    from_environment(wanted.source.database, f"Source {source}"),
                    [group for group in of_age if group.source == source],
                    needed_columns(definition)[source],
                    found[source].columns if source in found else (),
                    _wait_seconds(definition),
                    age,
                )
            )
    return readers


def _tables(work: Workspace, definition: Definition) -> list[Reader]:
    placed = {name: entry for name, entry in placed_columns(definition.use_case).items() if entry.live == "table"}
    readers = []
    for place in dict.fromkeys(entry.live_at for entry in placed.values()):
        ages = {name: age_max_seconds(entry) for name, entry in placed.items() if entry.live_at == place}
        address = address_of_tables(work, definition, place)
        of_plan = groups(definition.plan, ages)
        readers.append(table_reader(definition.name, address, of_plan, ages, _wait_seconds(definition)))
    return readers


def address_of_tables(work: Workspace, definition: Definition, place: str) -> str:
    """The address of the database that holds a use case's tables: what env:NAME says, else a file of the home."""
    if place:
        return from_environment(place, f"live_at of {definition.name}")
    return f"sqlite:///{file_of_tables(work, definition.name)}"


def file_of_tables(work: Workspace, use_case: str) -> Path:
    """The SQLite file of a use case's tables where the file names no other database."""
    return work.home / "live" / f"{use_case}.db"


def unfit_places(definition: Definition, found: Mapping[str, Sequence[FoundColumn]]) -> list[Problem]:
    """Inputs that cannot be asked of their source live: its engine is another, or cannot do what ``where`` says.

    ``found`` are the columns of the sources that could be looked at; others are passed over.
    """
    mistakes: list[Mistake] = []
    for key, entry in definition.use_case.inputs.items():
        name = (entry.latest or entry.windows) if isinstance(entry, Input) and entry.live == "source" else ""
        if not isinstance(entry, Input) or name not in found:
            continue
        try:
            dialect = dialect_of(from_environment(definition.use_case.sources[name].database, f"Source {name}"))
            if entry.where:
                to_sql(entry.where, dialect=dialect, kinds={c.name: KINDS[c.type] for c in found[name]})
        except SourceUnavailable as error:
            mistakes.append(Mistake(("inputs", key, "live"), error.message, error.repair))
        except ExpressionError as error:
            mistakes.append(Mistake(("inputs", key, "where"), str(error), "Or use live: snapshot."))
    return located(mistakes, read(definition.text).positions)
