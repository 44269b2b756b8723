"""What of a file an audit stands on, and which files it still speaks of after its own proposals were written."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from pilotage.usecase.records import Answers, Definition
from pilotage.usecase.rules import substance


class AppliedEdit(Struct, frozen=True):
    """An edit that ``pilotage audit --apply`` made: the substance of the file before and after, and the piece."""

    before: str
    after: str
    piece: str = ""


def substance_of(definition: Definition) -> str:
    """The digest of what the file says without anything that people answer: no figure stands on that."""
    return substance.substance_of(definition.use_case, Answers())


def speaks_of(audited: str, now: str, edits: Iterable[AppliedEdit]) -> bool:
    """Whether an audit of one substance still speaks of another: the same, or led to it by own edits alone."""
    reached, found = {audited}, list(edits)
    while fresh := {edit.after for edit in found if edit.before in reached} - reached:
        reached |= fresh
    return now in reached
