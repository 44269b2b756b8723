"""What leaves with long ways add to each slot, computed for the row at hand.

With u = t / (1 - t) the integrand of ``shapley.py`` is ``(1 - t)^(d - 1) · Π_{k ≠ j} (z_k + o_k · u)``: only o changes
from row to row. A way that is shorter than others of its batch has slots more with z = 1 and o = 0, which change
nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pilotage.models.families.boosted.paths import Leaf
from pilotage.models.families.boosted.picking import Entries, Mark, Picked, Picks
from pilotage.models.families.boosted.shapley import Tensor, points, points_needed
from pilotage.models.families.candidate import Matrix, Vector

_BATCH_FLOATS = 50_000
"""As many as stay in a core's own cache."""


@dataclass(frozen=True)
class _Batch:
    """Leaves computed together. ``entries`` and ``shares``: slots × leaves; ``weights``: points × leaves."""

    entries: Entries
    shares: Matrix
    ratios: Tensor
    weights: Matrix

    def __call__(self, picked: Picked) -> Vector:
        passes = picked.take(self.entries).astype(np.float64)
        terms = self.ratios * passes
        terms += self.shares
        product = np.multiply.reduce(terms, axis=1)
        product *= self.weights
        np.divide(product[:, None], terms, out=terms)
        passes -= self.shares
        passes *= np.add.reduce(terms, axis=0)
        return passes.ravel()


class LongWays:
    """All of them, those of about one length together. ``places``: output x slots + slot, or one beyond for nothing."""

    def __init__(self, leaves: Sequence[Leaf], picks: Picks, slots: int, nowhere: int) -> None:
        self._batches = list(_batches(sorted(leaves, key=lambda leaf: len(leaf.steps))))
        never = picks.never()
        self._marks: list[list[Mark]] = []
        places: list[int] = []
        for batch in self._batches:
            found = [_padded(leaf, picks, len(batch[-1].steps), never) for leaf in batch]
            self._marks.append([mark for level in zip(*found, strict=True) for mark in level])
            places += [
                nowhere if mark == never else leaf.output * slots + mark[0]
                for level in zip(*found, strict=True)
                for leaf, mark in zip(batch, level, strict=True)
            ]
        self.places = np.array(places, dtype=np.int64)
        self._parts: list[_Batch] = []

    def placed(self, picks: Picks) -> LongWays:
        """Itself, once all that there is to pick is known."""
        for leaves, marks in zip(self._batches, self._marks, strict=True):
            longest = len(leaves[-1].steps)
            self._parts.append(_batch(leaves, picks.entries(marks).reshape(longest, -1)))
        self._batches, self._marks = [], []
        return self

    def __call__(self, picked: Picked) -> Vector:
        """For each of ``places`` what is added there."""
        return np.concatenate([part(picked) for part in self._parts])


def _batches(leaves: Sequence[Leaf]) -> Iterator[list[Leaf]]:
    batch: list[Leaf] = []
    for leaf in leaves:
        length = len(leaf.steps)
        if (len(batch) + 1) * length * points_needed(length) > _BATCH_FLOATS and batch:
            yield batch
            batch = []
        batch.append(leaf)
    if batch:
        yield batch


def _padded(leaf: Leaf, picks: Picks, length: int, never: Mark) -> list[Mark]:
    found = [picks.add(slot, step.passes.astype(np.int16)) for slot, step in leaf.steps.items()]
    return found + [never] * (length - len(found))


def _batch(leaves: Sequence[Leaf], entries: Entries) -> _Batch:
    longest = len(entries)
    shares = np.ones(entries.shape)
    for at, leaf in enumerate(leaves):
        shares[: len(leaf.steps), at] = [step.share for step in leaf.steps.values()]
    places, weights = points(points_needed(longest))
    lengths = np.array([len(leaf.steps) for leaf in leaves])
    values = np.array([leaf.value for leaf in leaves])
    scaled = values * weights[:, None] * (1 - places[:, None]) ** (lengths - 1)
    return _Batch(entries, shares, (places / (1 - places))[:, None, None], scaled)
