"""Figures of a quick model: what a column is worth, in points of AUC."""

from __future__ import annotations

from msgspec import Struct


class ReferenceFigures(Struct, frozen=True):
    """A small model trained on earlier decisions and judged on later ones.

    ``importance`` is, per input, by how much the AUC falls when its values are shuffled among the later decisions. No
    model (``auc`` None): there were too few outcomes.
    """

    auc: float | None = None
    rows: int = 0
    importance: dict[str, float] = {}
    sampled: int = 0
