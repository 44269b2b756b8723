"""What a file says, apart from its comments and from answers that change nothing: a digest to compare by."""

from __future__ import annotations

import hashlib

import msgspec

from pilotage.usecase.records import Answers, UseCase


def substance_of(use_case: UseCase, answers: Answers) -> str:
    """The SHA-256 of a use case that has these answers in place of its own."""
    silent = msgspec.structs.replace(use_case, answers=answers)
    return hashlib.sha256(msgspec.json.encode(silent, order="deterministic")).hexdigest()
