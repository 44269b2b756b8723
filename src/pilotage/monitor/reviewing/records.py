"""The nouns of review quality: figures of all reviewers together, or of one."""

from __future__ import annotations

from msgspec import Struct

from pilotage.decisions.records import Said
from pilotage.review.records import Opinion
from pilotage.usecase.records import CaseReason


class Judged(Struct, frozen=True):
    """One standing opinion beside what it was about. ``happened`` is the outcome of a known case, else None.

    ``is_random``: the draw of the random share fell on its decision, whatever the case is listed by.
    """

    opinion: Opinion
    why: CaseReason
    given: Said | None
    happened: Said | None
    is_random: bool = False


class Rate(Struct, frozen=True):
    """A share with its 95 % interval; ``of`` nothing there is none."""

    count: int
    of: int
    low: float
    high: float

    @property
    def share(self) -> float | None:
        """0 to 1; None where there was nothing to count."""
        return self.count / self.of if self.of else None


class Difference(Struct, frozen=True):
    """How much higher one share is than another, with its 95 % interval, -1 to 1."""

    value: float
    low: float
    high: float


class Quality(Struct, frozen=True, kw_only=True):
    """How well cases were judged.

    ``alpha`` is Krippendorff's, over the cases that several people judged: 1 is agreement, 0 is chance; None where it
    is undefined: nothing was judged twice, or all said the same. ``seconds`` is the middle time of a case. ``changed``
    are the verdicts against the answer given, among those who saw it, ``reasons`` why, most frequent first, empty for
    those that too few people gave. ``people`` are the names of who judged, for counting only. ``seen``
    and ``blind`` are the shares that agree with the model, of those drawn at random who saw its opinion and of those
    who did not; ``bias`` is what seeing adds. ``missed`` are known cases that were judged wrong.
    """

    opinions: int
    people: frozenset[str]
    alpha: float | None
    twice: int
    seconds: float | None
    changed: Rate
    reasons: tuple[tuple[str, int], ...]
    seen: Rate
    blind: Rate
    bias: Difference | None
    missed: Rate
