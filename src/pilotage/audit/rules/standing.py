"""What of a file an audit stands on, and which files it still speaks of after its own proposals were written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec
from msgspec import Struct

from pilotage.usecase.records import Answers, Definition


class AppliedEdit(Struct, frozen=True):
    """An edit that ``pilotage audit --apply`` made: the substance of the file before and after, and the piece."""

    before: str
    after: str
    piece: str = ""


def substance_of(definition: Definition) -> str:
    """The SHA-256 of what the file says, without comments, and without what people answer: no figure stands on that."""
    silent = msgspec.structs.replace(definition.use_case, answers=Answers())
    return hashlib.sha256(msgspec.json.encode(silent, order="deterministic")).hexdigest()


def speaks_of(audited: str, now: str, edits: Iterable[AppliedEdit]) -> bool:
    """Whether an audit of one substance still speaks of another: the same, or led to it by own edits alone."""
    reached, found = {audited}, list(edits)
    while fresh := {edit.after for edit in found if edit.before in reached} - reached:
        reached |= fresh
    return now in reached
