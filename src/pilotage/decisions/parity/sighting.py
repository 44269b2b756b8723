"""How values are shown in examples: those of personal columns are hidden. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pilotage.data.contracts.personal import personal_columns
from pilotage.decisions.parity.comparing import plainly
from pilotage.govern.rules.masking import HIDDEN

__all__ = ["personal_columns", "shown"]


def shown(name: str, personal: frozenset[str]) -> Callable[[Any], str]:
    """How the values of a column are shown."""
    return (lambda value: plainly(value) if value is None else HIDDEN) if name in personal else plainly
