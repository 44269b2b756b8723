"""Whether LightGBM's text is what LightGBM writes, before its parser in C sees it.

The parser believes what it reads: sizes that lie, a child that is its own parent or a column that is not there make it
read elsewhere in memory, or never end. Here only numbers are compared. The format is that of ``src/io/tree.cpp`` and
``gbdt_model_text.cpp`` of LightGBM 4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

BEGIN, END = "tree\n", "pandas_categorical:null"
_TREES_END = "end of trees"
_PLAIN = bytes([ord("\n"), *range(32, 127)])
_CATEGORICAL = 1  # the bit of decision_type
_OUTPUTS_MAX, _COLUMNS_MAX = 10_000, 1_000_000


class _Flaw(Exception):
    """What is wrong, in words."""


def flaw(content: bytes) -> str:
    """What is wrong with the text of a model; empty where it is as LightGBM writes it."""
    try:
        _check(content)
    except _Flaw as found:
        return str(found)
    return ""


def _check(content: bytes) -> None:
    if content.translate(None, _PLAIN):
        raise _Flaw("it holds bytes that are no plain text")
    text = content.decode("ascii")
    if not text.startswith(BEGIN) or text.rstrip("\n").rpartition("\n")[2] != END:
        raise _Flaw("it does not begin or end as the text of trees does")
    head, _, rest = text.partition("\n\n")
    trees, ended, _ = rest.partition(f"{_TREES_END}\n")
    fields = _fields(head)
    if not ended or "tree_sizes" not in fields:
        raise _Flaw("its trees have no end")
    columns = _whole(fields, "max_feature_idx") + 1
    outputs = _whole(fields, "num_tree_per_iteration")
    if not (0 < columns <= _COLUMNS_MAX and 0 < outputs <= _OUTPUTS_MAX):
        raise _Flaw(f"it claims {columns:,} columns and {outputs:,} trees for each step")
    if len(fields.get("feature_names", "").split()) != columns:
        raise _Flaw(f"it does not name its {columns:,} columns")
    sizes = _numbers(fields, "tree_sizes")
    if sum(sizes) != len(trees) or any(size <= 0 for size in sizes) or len(sizes) % outputs:
        raise _Flaw("its trees are not as long as it says")
    at = 0
    for number, size in enumerate(sizes):
        _tree(number, trees[at : at + size], columns)
        at += size


def _tree(number: int, text: str, columns: int) -> None:
    if not text.startswith(f"Tree={number}\n"):
        raise _Flaw(f"tree {number} does not begin where it should")
    fields = _fields(text)
    leaves, splits = _whole(fields, "num_leaves"), _numbers(fields, "split_feature")
    if leaves < 1 or len(splits) != leaves - 1 or _count(fields, "leaf_value") != leaves:
        raise _Flaw(f"tree {number} has not as many leaves and splits as it says")
    if any(not 0 <= column < columns for column in splits):
        raise _Flaw(f"tree {number} splits by a column that is not there")
    if fields.get("is_linear", "0") != "0":
        raise _Flaw(f"tree {number} has linear leaves, which are not read here")
    for name in ("threshold", "decision_type", "left_child", "right_child"):
        if _count(fields, name) != leaves - 1:
            raise _Flaw(f"tree {number} has not one {name} for each split")
    _children(number, fields, leaves)
    _categories(number, fields)


def _children(number: int, fields: Mapping[str, str], leaves: int) -> None:
    """Every split but the first and every leaf has one parent, which comes before it: so a walk down ends."""
    reached = []
    for name in ("left_child", "right_child"):
        for parent, child in enumerate(_numbers(fields, name)):
            if 0 <= child <= parent:
                raise _Flaw(f"tree {number} has a way that leads back")
            reached.append(child)
    if sorted(reached) != [*range(-leaves, 0), *range(1, leaves - 1)] and leaves > 1:
        raise _Flaw(f"tree {number} has a way that leads nowhere")


def _categories(number: int, fields: Mapping[str, str]) -> None:
    count = _whole(fields, "num_cat")
    bounds, words = _numbers(fields, "cat_boundaries"), _count(fields, "cat_threshold")
    if count < 0 or (count and (len(bounds) != count + 1 or bounds[0] != 0 or bounds[-1] != words)):
        raise _Flaw(f"tree {number} has not as many categories as it says")
    if any(end < begin for begin, end in pairwise(bounds)):
        raise _Flaw(f"tree {number} has categories that overlap")
    for kind, threshold in zip(_numbers(fields, "decision_type"), fields.get("threshold", "").split(), strict=True):
        if kind & _CATEGORICAL and not (threshold.isdigit() and int(threshold) < count):
            raise _Flaw(f"tree {number} splits by categories that are not there")


def _fields(text: str) -> dict[str, str]:
    return {name: value for name, found, value in (line.partition("=") for line in text.split("\n")) if found}


def _count(fields: Mapping[str, str], name: str) -> int:
    return len(fields.get(name, "").split())


def _numbers(fields: Mapping[str, str], name: str) -> Sequence[int]:
    try:
        return [int(part) for part in fields.get(name, "").split()]
    except ValueError:
        raise _Flaw(f"its {name} are no whole numbers") from None


def _whole(fields: Mapping[str, str], name: str) -> int:
    found = _numbers(fields, name)
    if len(found) != 1:
        raise _Flaw(f"it has no {name}")
    return found[0]
