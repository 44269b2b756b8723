"""Ways to leaves, and leaves that are told together.

Of the way to a leaf only this matters to its Shapley values: which slots it looks at, for each of them the part of
the rows that pass (*share*), and whether the row at hand passes (a flag per cell of the slot). Leaves of one subtree
look at almost the same slots: told together, they need one look-up instead of one each.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pilotage.models.families.boosted.cells import Cells
from pilotage.models.families.boosted.trees import Flags, Tree

Classes = NDArray[np.int16]
"""Of each cell of a slot, its class: all cells of a class mean the same to a group of leaves."""
PATTERNS_MAX = 30_000


@dataclass(frozen=True)
class Step:
    """What a way asks of one slot: which cells pass, and what part of the rows did."""

    passes: Flags
    share: float


@dataclass(frozen=True)
class Leaf:
    """One leaf: what it adds to which output, and the slots on the way to it."""

    output: int
    value: float
    steps: Mapping[int, Step]


@dataclass(frozen=True)
class Group:
    """Leaves under one split, and of each slot on their ways how many classes its cells fall into, and which."""

    output: int
    leaves: tuple[Leaf, ...]
    classes: Mapping[int, tuple[int, Classes]]

    @property
    def patterns(self) -> int:
        """How many rows the leaves can tell apart at most."""
        return math.prod(count for count, _ in self.classes.values())

    @property
    def floats(self) -> int:
        """The size of a table of what they add to each slot for each pattern."""
        return self.patterns * len(self.classes)


def room_of(tree: Tree, cells: Mapping[int, Cells]) -> int:
    """At most how many cells its ways have together."""
    above = {0: 0}
    for at, split in enumerate(tree.splits):
        above[split.left] = above[split.right] = above[at] + len(cells[split.slot])
    return sum(room for child, room in above.items() if child < 0)


def groups_of(tree: Tree, output: int, cells: Mapping[int, Cells], floats_max: int) -> list[Group]:
    """The leaves of a tree in groups whose tables are no larger than ``floats_max`` or than those of their parts."""
    below: dict[int, list[Group]] = {
        -1 - at: [_alone(leaf)] for at, leaf in enumerate(_leaves(tree, output, cells)) if leaf.steps
    }
    for at, split in reversed(list(enumerate(tree.splits))):
        parts = below.pop(split.left) + below.pop(split.right)
        joined = _joined(*parts) if len(parts) == 2 else None
        small = joined and joined.floats <= max(floats_max, sum(part.floats for part in parts))
        below[at] = [joined] if joined and small and joined.patterns <= PATTERNS_MAX else parts
    return below.get(0, [])


def _leaves(tree: Tree, output: int, cells: Mapping[int, Cells]) -> Sequence[Leaf]:
    ways: dict[int, dict[int, Step]] = {0: {}}
    for at, split in enumerate(tree.splits):
        way = ways.pop(at)
        left = cells[split.slot].left(split)
        for child, passes, share in ((split.left, left, split.left_share), (split.right, ~left, split.right_share)):
            before = way.get(split.slot)
            step = Step(passes & before.passes, share * before.share) if before else Step(passes, share)
            ways[child] = way | {split.slot: step}
    return [Leaf(output, float(value), ways.get(-1 - at, {})) for at, value in enumerate(tree.values)]


def _alone(leaf: Leaf) -> Group:
    classes = {slot: (2, step.passes.view(np.int8).astype(np.int16)) for slot, step in leaf.steps.items()}
    return Group(leaf.output, (leaf,), classes)


def _joined(one: Group, other: Group) -> Group:
    classes = dict(one.classes)
    for slot, (count, found) in other.classes.items():
        if slot not in classes:
            classes[slot] = (count, found)
        elif not np.array_equal(classes[slot][1], found):
            pairs = classes[slot][1].astype(np.int64) * count + found
            kinds, inverse = np.unique(pairs, return_inverse=True)
            classes[slot] = (len(kinds), inverse.astype(np.int16))
    return Group(one.output, one.leaves + other.leaves, classes)
