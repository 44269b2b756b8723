"""The outcome as it is, and as the yes or no that most measurements of an audit are made with."""

from __future__ import annotations

from msgspec import Struct

from pilotage.usecase.records import OutcomeKind


class Face(Struct, frozen=True):
    """An outcome as yes or no. Of a category: whether it is the most frequent; of a number: whether above its median.

    ``are`` completes "these outcomes are …", ``them`` names the outcomes that are so; ``says`` tells a reader of the
    audit what was done, empty where the outcome is a yes or no by itself.
    """

    kind: OutcomeKind = "flag"
    are: str = "positive"
    them: str = "positives"
    says: str = ""


class ClassFigures(Struct, frozen=True):
    """Categories: how many, the most frequent with their counts, and those with few known outcomes.

    ``rare`` are the names of the rarest first, ``rare_count`` is how many are rare, with ``rare_rows`` outcomes.
    """

    distinct: int = 0
    most: tuple[tuple[str, int], ...] = ()
    rare: tuple[str, ...] = ()
    rare_count: int = 0
    rare_rows: int = 0


class NumberFigures(Struct, frozen=True):
    """A number: its quantiles, its most frequent value, and the values far away from its middle half.

    ``quantiles`` are those of :data:`pilotage.data.records.QUANTILES`, empty where no outcome is known. Far away is
    beyond ``fences``: three times the width of the middle half from its ends (Tukey, 1977: "far out").
    """

    quantiles: tuple[float, ...] = ()
    usual: float = 0.0
    usual_rows: int = 0
    fences: tuple[float, float] = (0.0, 0.0)
    far: int = 0
    samples: tuple[dict[str, str], ...] = ()


class OutcomeShape(Struct, frozen=True):
    """What the outcomes are; of the two figures the one of their kind."""

    face: Face = Face()
    classes: ClassFigures = ClassFigures()
    number: NumberFigures = NumberFigures()
