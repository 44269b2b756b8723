"""From the text of a file to a use case: the document, then the records, all mistakes located."""

from __future__ import annotations

import msgspec

from pilotage.usecase.records import SEEN_AT, Input, UseCase
from pilotage.usecase.rules.columns_files import merged, parted
from pilotage.usecase.rules.conversion import Conversion
from pilotage.usecase.rules.document import UnreadableDocument, read_document
from pilotage.usecase.rules.places import Mistake, Positions


class Reading(msgspec.Struct, frozen=True):
    """What was read. With mistakes, ``use_case`` has stand-ins; it is None when too little could be read."""

    use_case: UseCase | None
    positions: Positions
    mistakes: tuple[Mistake, ...]


def read(text: str) -> Reading:
    """Read the text of a use-case file, with the shared columns that it carries; see ``mistakes`` for what is wrong."""
    text, shared = parted(text)
    try:
        document, mistakes = read_document(text)
    except UnreadableDocument as error:
        return Reading(None, {}, (error.mistake,))
    conversion = Conversion()
    use_case = conversion.converted(document, UseCase)
    found = (*mistakes, *conversion.mistakes)
    if conversion.complete and any(isinstance(entry, Input) and entry.shared for entry in use_case.inputs.values()):
        whole = merged(use_case, shared, conversion.positions)
        return Reading(_with_clocks(whole.use_case), whole.positions, (*found, *whole.mistakes))
    return Reading(_with_clocks(use_case) if conversion.complete else None, conversion.positions, found)


def _with_clocks(use_case: UseCase) -> UseCase:
    """A static source's clocks are when a sync first saw the row: no other room need know of the difference."""
    replace = msgspec.structs.replace
    sources = {
        name: replace(source, event_time=SEEN_AT, known_at=SEEN_AT)
        if source.static and not (source.event_time or source.known_at)
        else source
        for name, source in use_case.sources.items()
    }
    return replace(use_case, sources=sources)
