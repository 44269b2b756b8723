"""The nouns of releasing: versions, and what is live."""

from __future__ import annotations

import enum
from datetime import datetime

from msgspec import Struct


class Stage(enum.StrEnum):
    """How far the model's answer reaches: not at all, recorded only, shown to a share, acted on."""

    OFF = "off"
    SHADOW = "shadow"
    ASSIST = "assist"
    AUTOMATE = "automate"


class Version(Struct, frozen=True):
    """A trained model with its policy, signed. ``artefact`` is the digest of its manifest."""

    id: str
    use_case: str
    number: int
    candidate: str
    artefact: str
    signature: str
    comparison: str
    training_set: str
    made_at: datetime
    made_by: str


class Live(Struct, frozen=True):
    """What is live for one use case. ``revision`` grows by one with every change."""

    use_case: str
    definition: str
    version: str | None
    previous_version: str | None
    stage: Stage
    share: float
    enabled: bool
    reason: str
    revision: int
    changed_at: datetime
    changed_by: str
