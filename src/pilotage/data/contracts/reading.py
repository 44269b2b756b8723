"""From the text of a file to a contract: the document, then the records, what must agree, all mistakes located."""

from __future__ import annotations

import hashlib
from functools import lru_cache

import msgspec

from pilotage.data.contracts.consistency import own_mistakes
from pilotage.data.contracts.records import Contract
from pilotage.platform.errors import InvalidFile
from pilotage.usecase.rules.conversion import Conversion
from pilotage.usecase.rules.document import UnreadableDocument, read_document
from pilotage.usecase.rules.places import Mistake, Positions, located

FILE_BYTES_MAX = 1024 * 1024
"""A contract that was imported keeps all of a document that may be long."""
DEPTH_MAX = 60


class Reading(msgspec.Struct, frozen=True):
    """What was read. With mistakes, ``contract`` has stand-ins; it is None when too little could be read."""

    contract: Contract | None
    positions: Positions
    mistakes: tuple[Mistake, ...]


@lru_cache(maxsize=256)
def read(text: str) -> Reading:
    """Read the text of a contract file. Never raises for what a user wrote: see ``mistakes``."""
    try:
        document, mistakes = read_document(text, DEPTH_MAX)
    except UnreadableDocument as error:
        return Reading(None, {}, (error.mistake,))
    conversion = Conversion()
    contract: Contract = conversion.converted(document, Contract)
    found = [*mistakes, *conversion.mistakes]
    if not conversion.complete:
        return Reading(None, conversion.positions, tuple(found))
    known = {mistake.path for mistake in found}
    found += [mistake for mistake in own_mistakes(contract) if mistake.path not in known]
    return Reading(contract, conversion.positions, tuple(found))


def parsed(text: str, file: str) -> Contract:
    """The contract in a text; ``file`` names it in messages.

    Raises:
        InvalidFile: it has mistakes; ``problems`` names all of them.
    """
    reading = read(text)
    problems = located(reading.mistakes, reading.positions)
    if problems or reading.contract is None:
        count = "a mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
        raise InvalidFile(f"{file} has {count}.", "Correct what is named.", problems)
    return reading.contract


def fingerprint(text: str) -> str:
    """SHA-256 of a contract's text."""
    return hashlib.sha256(text.encode()).hexdigest()
