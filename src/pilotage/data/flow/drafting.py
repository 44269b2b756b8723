"""Drafting the contract of a source from the rows that were read of it."""

from __future__ import annotations

from collections.abc import Mapping

from pilotage.data import snapshots, store
from pilotage.data.contracts.drafting import Draft, drafted
from pilotage.data.contracts.figures import measure
from pilotage.data.contracts.records import Protection
from pilotage.data.contracts.rendering import rendered
from pilotage.data.contracts.uses import used_columns
from pilotage.data.records import Snapshot
from pilotage.data.sources.asked import asked
from pilotage.platform.errors import EvidenceMissing, NotFound
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import Definition

_HEAD = "# Drafted from what held so far. Turn it into what has to hold, and remove what only happened to be so.\n"


def draft(work: Workspace, definition: Definition, source: str, protections: Mapping[str, Protection]) -> Draft:
    """A contract of what holds in the newest rows of a source, with the figure behind each guess.

    ``protections`` say of columns that may hold personal data how they should be declared.

    Raises:
        NotFound: the use case has no such source.
        EvidenceMissing: it was never synced.
    """
    found = _snapshot(work, definition, source)
    wanted = asked(definition.use_case, source)
    with snapshots.engine(work.lake) as connection:
        relation = snapshots.newest_sql(work.lake, found)
        connection.execute(f"CREATE TEMP TABLE _newest AS SELECT * FROM {relation}")
        figures = measure(connection, "_newest", found.columns, "" if found.is_static else found.known_at)
    used = {use.column for use in used_columns(definition) if use.source == source}
    return drafted(source, wanted.owner, found.key, figures, protections, used, work.clock.now())


def draft_text(work: Workspace, definition: Definition, source: str, protections: Mapping[str, Protection]) -> str:
    """The text of a drafted contract file, each guess with its figure in a comment."""
    made = draft(work, definition, source, protections)
    return rendered(made.contract, made.remarks, _HEAD + "".join(f"# {note}\n" for note in made.notes))


def _snapshot(work: Workspace, definition: Definition, source: str) -> Snapshot:
    if source not in definition.use_case.sources:
        known = ", ".join(definition.use_case.sources)
        raise NotFound(f"{definition.name} has no source {source}.", f"Known: {known}.")
    with work.database.reading() as connection:
        found = store.current_snapshot(connection, definition.name, source)
    if found is None:
        repair = f"Run `pilotage sync {definition.name}` first."
        raise EvidenceMissing(f"Source {source} of {definition.name} was never read.", repair)
    return found
