"""Decisions whose inputs are equal to the last value."""

from __future__ import annotations

from msgspec import Struct


class EqualInputs(Struct, frozen=True):
    """How many decisions have inputs that another one has, too, of how many of which it would mean something."""

    rows: int = 0
    looked_at: int = 0
    samples: tuple[dict[str, str], ...] = ()
    sampled: int = 0

    @property
    def share(self) -> float:
        return self.rows / self.looked_at if self.looked_at else 0.0
