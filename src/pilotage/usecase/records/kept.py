"""A use case as it was read, and what was measured of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct

from pilotage.usecase.records.file import UseCase
from pilotage.usecase.records.plan import Plan


class Definition(Struct, frozen=True):
    """A use case as it was read: the parsed file, its exact text and that text's SHA-256.

    ``substance`` is the SHA-256 of what the file says, without comments and without what people answer in words:
    evidence is of this file as long as that stays the same.
    """

    use_case: UseCase
    text: str
    fingerprint: str
    plan: Plan
    substance: str

    @property
    def name(self) -> str:
        return self.use_case.use_case

    @property
    def shape(self) -> tuple[str, str]:
        """What a version is trained for: the columns, and the kind of the outcome. Only of the same it can answer."""
        return self.plan.fingerprint, self.use_case.kind


class Evidence(Struct, frozen=True):
    """What a phase measured: on which definition, when, by which code; the newest of each kind counts."""

    id: str
    use_case: str
    kind: str
    definition: str
    code: str
    body: dict[str, Any]
    made_at: datetime
