"""The nouns of releasing: versions, and what is live."""

from __future__ import annotations

import enum
from datetime import datetime

from msgspec import Struct

LIVE_PARITY = "live_parity"
"""The kind of evidence that a version needs before it may become live: a :class:`LiveParity`."""


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


class ParityExample(Struct, frozen=True):
    """One case in which live differed from training; values of personal columns are hidden."""

    entity: str
    moment: datetime
    trained: str
    live: str


class ColumnParity(Struct, frozen=True):
    """How often a column was live what training has, and an example of where it was not.

    ``mismatch``: both know a value, and they differ. ``missing``: only training knows one. ``extra``: only live does.
    Of numbers that are sums of many, ``tolerance`` is the difference that still counts as equal, as a part of the value
    or, where sums cancel, of the column's largest; else 0.
    """

    column: str
    compared: int
    mismatch: int
    missing: int
    extra: int
    tolerance: float
    example: ParityExample | None = None

    @property
    def differing(self) -> int:
        return self.mismatch + self.missing + self.extra

    @property
    def share(self) -> float:
        return self.differing / self.compared if self.compared else 0.0


class Flip(Struct, frozen=True):
    """A row that would be decided otherwise live, and the columns that are not the same there to the last bit."""

    example: ParityExample
    columns: tuple[str, ...]


class LiveParity(Struct, frozen=True):
    """Past rows of a version's training set, asked through the live path as of their time.

    Of the training set's ``rows`` so many were ``asked``, ``near`` of them next to the threshold; the contract of
    requests refused others, counted by field in ``refused``, and for ``unasked`` ones there was no time. ``columns``
    were compared, and ``differing`` names those that were not the same. ``elsewhere`` are columns that live asks a
    database for: here they came from the snapshots. A flip is a decision that differs at the threshold or another
    bound of the policy, or one ulp (unit in the last place) to either side of it.
    """

    version: str
    artefact: str
    training_set: str
    rows: int
    asked: int
    near: int
    refused: dict[str, int]
    columns: int
    differing: tuple[ColumnParity, ...]
    score_difference_max: float
    flips: int
    flip: Flip | None
    seconds: float
    unasked: int = 0
    elsewhere: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return self.asked > 0 and not self.differing and not self.flips


class MeasuredParity(Struct, frozen=True):
    """The newest parity that was measured of a version, and whether it is of the file and the code as they are now.

    Only such a one counts for a release and for the gates; any other is shown for what it is.
    """

    parity: LiveParity
    measured_at: datetime
    of_this_file: bool
    by_this_code: bool
