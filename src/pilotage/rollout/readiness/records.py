"""The nouns of readiness: rows of the scorecard, places in the ranking."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from pilotage.usecase.rules.lints import Lint

Light = Literal["green", "yellow", "red"]
Worth = Literal["yes", "promising", "unclear", "not_yet", "no"]


class Row(Struct, frozen=True):
    """One question of the scorecard. ``red``: nothing speaks for it yet, or something against it.

    ``says`` is what came, ``repair`` what would turn it green, ``page`` the last part of the address where to look.
    """

    area: str
    question: str
    light: Light
    says: str
    repair: str = ""
    page: str = ""


class Scorecard(Struct, frozen=True):
    """Everything that has to be there before a use case may act, as it is at one instant."""

    use_case: str
    title: str
    owner: str
    at: datetime
    sentence: str
    rows: tuple[Row, ...]
    lints: tuple[Lint, ...]

    @property
    def green(self) -> int:
        """How many rows are green."""
        return sum(row.light == "green" for row in self.rows)


class Rank(Struct, frozen=True):
    """One candidate use case. ``worth`` says whether it is worth machine learning, ``because`` why, in a sentence.

    ``money_a_year`` is what a model earned more than the rule on held-out time, over the decisions of a year, in
    ``currency``; ``at_stake_a_year`` what answers that are always right would earn more than never acting. Each is None
    where it is not known. ``maturity`` is that of the data, 0 to 100.
    """

    use_case: str
    title: str
    worth: Worth
    because: str
    next: str
    reasons: tuple[str, ...]
    money_a_year: float | None
    at_stake_a_year: float | None
    currency: str
    maturity: float | None
    green: int
    rows: int
