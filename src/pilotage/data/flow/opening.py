"""Opening the columns for live answers."""

from __future__ import annotations

from datetime import datetime

from pilotage.data import relations, snapshots
from pilotage.data.flow.placing import readers_of
from pilotage.data.flow.syncing import current_snapshots
from pilotage.data.live import LiveColumns, live_columns
from pilotage.data.rules.timelines import timelines
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import Definition


def open_live(
    work: Workspace, definition: Definition, since: datetime | None = None, *, places: bool = True
) -> LiveColumns:
    """The columns as of the current snapshots: for every moment of history, or only from ``since`` on.

    With ``since``, only rows that can still matter are kept: opening is faster and takes little memory. Without
    ``places``, every column comes from the snapshots, whatever the file says.
    """
    found = current_snapshots(work, definition)
    readers = readers_of(work, definition, found) if places else []
    for reader in readers:
        reader.warm()
    with snapshots.engine(work.lake) as connection:
        names = list(dict.fromkeys(line.source for line in timelines(definition.plan)))
        relations.load(connection, work.lake, definition, found, names)
        return live_columns(connection, definition, found, since, readers)
