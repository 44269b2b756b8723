"""What a file says, apart from its comments and from what changes no answer: a digest to compare by."""

from __future__ import annotations

import hashlib

import msgspec

from pilotage.usecase.records import Answers, Batch, UseCase


def substance_of(use_case: UseCase, answers: Answers) -> str:
    """The SHA-256 of a use case that has these answers in place of its own; where results go does not count."""
    silent = msgspec.structs.replace(use_case, answers=answers, batch=Batch())
    return hashlib.sha256(msgspec.json.encode(silent, order="deterministic")).hexdigest()
