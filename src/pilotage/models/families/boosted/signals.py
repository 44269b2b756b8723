"""Signals of boosted trees for one row, several times faster than LightGBM's ``pred_contrib``, and equal to it.

Leaves with short ways are told from tables made once: of each group of leaves, what it adds to each slot for every
pattern of cells. Long ways, whose tables would be too large, are computed each time. A row costs a few numpy calls
over all trees together.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pilotage.models.families.boosted.cells import cells_of
from pilotage.models.families.boosted.longways import LongWays
from pilotage.models.families.boosted.lookup import Lookup
from pilotage.models.families.boosted.paths import PATTERNS_MAX, Group, groups_of, room_of
from pilotage.models.families.boosted.picking import Picks
from pilotage.models.families.boosted.trees import UnsupportedTree, read_trees
from pilotage.models.families.candidate import Matrix

TABLES_MAX = 48 * 2**20
"""Bytes of tables of one model."""
WAYS_MAX = 200 * 2**20
"""Bytes of all ways laid out over cells; larger models, as others may bring them, are left to LightGBM."""
JOINED_FLOATS_MAX = 4_096
"""Leaves are told together while their table has no more numbers than so many, or than their own tables have."""


class Signals:
    """What each slot adds to each margin, of one row. Safe for many threads: nothing changes after it is made."""

    def __init__(self, text: str, slots: int, outputs: int) -> None:
        """Raises ``UnsupportedTree`` where only LightGBM can tell."""
        trees = read_trees(text)
        self._shape = (outputs, slots)
        cells = cells_of(trees)
        if sum(room_of(tree, cells) for tree in trees) > WAYS_MAX:
            raise UnsupportedTree
        groups = [
            group for at, tree in enumerate(trees) for group in groups_of(tree, at % outputs, cells, JOINED_FLOATS_MAX)
        ]
        short, long = _parted(groups)
        picks = Picks(cells)
        ways = [leaf for group in long for leaf in group.leaves]
        nowhere = outputs * slots
        parts: list[Lookup | LongWays] = [Lookup(short, picks, slots), LongWays(ways, picks, slots, nowhere)]
        self._pick = picks.done()
        self._parts = [part.placed(picks) for part in parts if len(part.places)]
        self._places = np.concatenate([np.zeros(0, dtype=np.int64), *(part.places for part in self._parts)])

    def __call__(self, row: Sequence[float]) -> Matrix:
        """Of one encoded row: outputs × slots."""
        picked = self._pick(row)
        found = [part(picked) for part in self._parts]
        outputs, slots = self._shape
        weights = np.concatenate([np.zeros(0), *found])
        added = np.bincount(self._places, weights=weights, minlength=outputs * slots)
        return np.asarray(added[: outputs * slots], dtype=np.float64).reshape(outputs, slots)


def _parted(groups: Sequence[Group]) -> tuple[list[Group], list[Group]]:
    """Those whose tables are kept, the smallest first while there is room, and the others."""
    short: list[Group] = []
    long: list[Group] = []
    room = TABLES_MAX
    for group in sorted(groups, key=lambda group: group.floats):
        room -= 8 * group.floats
        (short if room >= 0 and group.patterns <= PATTERNS_MAX else long).append(group)
    return short, long
