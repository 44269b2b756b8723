"""What groups of leaves add to each slot, looked up in tables made once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pilotage.models.families.boosted.paths import Classes, Group, Leaf
from pilotage.models.families.boosted.picking import Entries, Picked, Picks
from pilotage.models.families.boosted.shapley import Tensor, tables
from pilotage.models.families.candidate import Matrix, Vector

_AT_ONCE = 200
"""Groups whose leaves' tables are made at once: many for numpy's sake, few for the memory's."""


@dataclass(frozen=True)
class _Alike:
    """Groups with as many slots. ``entries``: slots × groups; ``table``: patterns of all groups × slots."""

    entries: Entries
    table: Matrix
    starts: Entries

    def __call__(self, picked: Picked) -> Vector:
        patterns = np.add.reduce(picked.take(self.entries), axis=0, dtype=np.int64)
        patterns += self.starts
        return self.table.take(patterns, axis=0).ravel()


class Lookup:
    """The tables of all groups, those with as many slots in one. ``places``: output x slots + slot."""

    def __init__(self, groups: Sequence[Group], picks: Picks, slots: int) -> None:
        widths = sorted({len(group.classes) for group in groups})
        self._groups = [[group for group in groups if len(group.classes) == width] for width in widths]
        self._marks = [
            [[picks.add(slot, classes) for slot, classes in _strided(group)] for group in alike]
            for alike in self._groups
        ]
        self.places = np.array(
            [group.output * slots + slot for alike in self._groups for group in alike for slot in group.classes],
            dtype=np.int64,
        )
        self._parts: list[_Alike] = []

    def placed(self, picks: Picks) -> Lookup:
        """Itself, once all that there is to pick is known."""
        for groups, marks in zip(self._groups, self._marks, strict=True):
            entries = picks.entries([mark for found in zip(*marks, strict=True) for mark in found])
            starts = np.cumsum([0, *(group.patterns for group in groups[:-1])])
            table = np.concatenate(list(_tables(groups)))
            self._parts.append(_Alike(entries.reshape(-1, len(groups)), table, starts))
        self._groups, self._marks = [], []
        return self

    def __call__(self, picked: Picked) -> Vector:
        """For each of ``places`` what is added there."""
        return np.concatenate([part(picked) for part in self._parts])


def _strided(group: Group) -> list[tuple[int, Classes]]:
    """Of each slot its classes, such that those of all slots add up to the number of the pattern."""
    found, stride = [], 1
    for slot, (count, classes) in group.classes.items():
        found.append((slot, classes * np.int16(stride)))
        stride *= count
    return found


def _tables(groups: Sequence[Group]) -> Iterator[Matrix]:
    """The table of each group: patterns × slots."""
    for begin in range(0, len(groups), _AT_ONCE):
        some = groups[begin : begin + _AT_ONCE]
        of_leaf = _of_leaves([leaf for group in some for leaf in group.leaves])
        yield from (_table(group, of_leaf) for group in some)


def _of_leaves(leaves: Sequence[Leaf]) -> dict[int, Matrix]:
    """The table of each leaf, by its ``id``; those with as many slots are made together."""
    found: dict[int, Matrix] = {}
    for count in {len(leaf.steps) for leaf in leaves}:
        alike = [leaf for leaf in leaves if len(leaf.steps) == count]
        shares = np.array([[step.share for step in leaf.steps.values()] for leaf in alike])
        made: Tensor = tables(shares, np.array([leaf.value for leaf in alike]))
        found.update({id(leaf): table for leaf, table in zip(alike, made, strict=True)})
    return found


def _table(group: Group, of_leaf: dict[int, Matrix]) -> Matrix:
    if len(group.leaves) == 1:
        return of_leaf[id(group.leaves[0])]
    table = np.zeros((group.patterns, len(group.classes)))
    order = {slot: at for at, slot in enumerate(group.classes)}
    for leaf in group.leaves:
        bits = {slot: bit for bit, slot in enumerate(leaf.steps)}
        rows = np.zeros(1, dtype=np.int64)
        for slot, (count, classes) in group.classes.items():
            passes = np.zeros(count, dtype=np.int64)
            if slot in bits:
                passes[classes] = leaf.steps[slot].passes.astype(np.int64) << bits[slot]
            rows = (passes[:, None] + rows).ravel()
        mine = of_leaf[id(leaf)]
        for bit, slot in enumerate(leaf.steps):
            table[:, order[slot]] += mine[rows, bit]
    return table
