"""The first sync of a large source, piece by piece: what is done is remembered, so that a killed one goes on."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pilotage.data import snapshots, sources, store
from pilotage.data.records import FoundColumn, Progress, Segment, Span
from pilotage.data.rules import pieces
from pilotage.data.sources.asked import Asked
from pilotage.platform.workspace import Workspace


def begin(work: Workspace, use_case: str, wanted: Asked, columns: Sequence[FoundColumn]) -> Progress:
    """Where an earlier first sync of this source stopped, else the pieces of a new one up to now."""
    declared = snapshots.declared(wanted.source)
    with work.database.reading() as control:
        kept = store.progress(control, use_case, wanted.name)
    if kept and (kept.declared, kept.columns) == (declared, tuple(columns)) and _are_there(work, kept.segments):
        return kept
    until = work.clock.now()
    if wanted.source.is_static:
        return Progress(declared, tuple(columns), until, (until,))
    extent = sources.extent(wanted, tuple(columns), Span(None, until))
    ends = pieces.bounds(extent, until, pieces.PIECE_ROWS)
    return Progress(declared, tuple(columns), until, ends)


def advance(work: Workspace, use_case: str, wanted: Asked, made: Progress, new: Segment | None) -> Progress:
    """One more piece is done. Of a sync in one piece nothing is remembered: it is published next."""
    segments = (*made.segments, new) if new else made.segments
    made = msgspec.structs.replace(made, done=made.done + 1, segments=segments)
    if len(made.bounds) > 1:
        with work.database.writing() as control:
            store.keep_progress(control, use_case, wanted.name, made, work.clock.now())
    return made


def _are_there(work: Workspace, segments: Sequence[Segment]) -> bool:
    return all(work.lake.path(segment.digest, snapshots.SEGMENT).exists() for segment in segments)
