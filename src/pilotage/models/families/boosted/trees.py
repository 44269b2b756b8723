"""LightGBM's trees as they are written in its text: splits, leaves, and how many rows each of them saw.

The format is that of ``src/io/tree.cpp`` of LightGBM 4; what may stand there is checked before anything reads it
(``models/rules/tree_text.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pilotage.models.families.candidate import Vector

_TREES_END = "\nend of trees"
_CATEGORICAL, _DEFAULT_LEFT, _MISSING_AT = 1, 2, 2
MISSING_ZERO, MISSING_NAN = 1, 2
Flags = NDArray[np.bool_]
"""One per cell of a slot."""


class UnsupportedTree(Exception):
    """Trees whose signals are left to LightGBM, for their form or their size."""


@dataclass(frozen=True)
class Split:
    """Where rows part. ``codes``: the categories that go left, None of a number, which does up to ``threshold``.

    A child is a split where it is 0 or more, else a leaf: ``-1 - child``. ``left_share`` and ``right_share`` are the
    parts of the rows that the trees were learnt from.
    """

    slot: int
    threshold: float
    codes: frozenset[int] | None
    missing: int
    missing_left: bool
    left: int
    right: int
    left_share: float
    right_share: float


@dataclass(frozen=True)
class Tree:
    """Splits, parents before children, and what each leaf adds to the margin."""

    splits: Sequence[Split]
    values: Vector


def read_trees(text: str) -> list[Tree]:
    """All trees of a model, in order. Raises ``UnsupportedTree`` of means of trees and of trees with linear leaves."""
    head, *blocks = text.partition(_TREES_END)[0].split("\nTree=")
    if "\naverage_output" in head:
        raise UnsupportedTree
    return [_tree(dict(_fields(block))) for block in blocks]


def _fields(block: str) -> Iterator[tuple[str, str]]:
    for line in block.split("\n"):
        name, found, value = line.partition("=")
        if found:
            yield name, value


def _tree(fields: dict[str, str]) -> Tree:
    if fields.get("is_linear", "0") != "0":
        raise UnsupportedTree
    values = np.array(fields["leaf_value"].split(), dtype=np.float64)
    if len(values) == 1:
        return Tree((), values)
    slots, left, right, kinds, rows, leaf_rows, bounds, words = (
        _whole(fields, name)
        for name in (
            "split_feature",
            "left_child",
            "right_child",
            "decision_type",
            "internal_count",
            "leaf_count",
            "cat_boundaries",
            "cat_threshold",
        )
    )
    thresholds = [float(part) for part in fields["threshold"].split()]
    if min(rows) <= 0 or min(leaf_rows) <= 0:
        raise UnsupportedTree

    def share(parent: int, child: int) -> float:
        return (rows[child] if child >= 0 else leaf_rows[~child]) / rows[parent]

    splits = []
    for at, (slot, kind, threshold) in enumerate(zip(slots, kinds, thresholds, strict=True)):
        codes = None
        if kind & _CATEGORICAL:
            begin, end = bounds[int(threshold)], bounds[int(threshold) + 1]
            codes = frozenset(_codes(words[begin:end]))
        splits.append(
            Split(
                slot,
                threshold,
                codes,
                (kind >> _MISSING_AT) & 3,
                bool(kind & _DEFAULT_LEFT),
                left[at],
                right[at],
                share(at, left[at]),
                share(at, right[at]),
            )
        )
    return Tree(splits, values)


def _codes(words: Sequence[int]) -> Iterator[int]:
    """The numbers of the bits that are set."""
    for at, word in enumerate(words):
        yield from (32 * at + bit for bit in range(32) if word >> bit & 1)


def _whole(fields: dict[str, str], name: str) -> list[int]:
    return [int(part) for part in fields.get(name, "").split()]
