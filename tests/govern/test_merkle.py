"""The Merkle tree: against RFC 6962's definition, and its proofs."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotage.govern.rules.merkle import (
    EMPTY_ROOT,
    CompactRange,
    consistency_proof,
    inclusion_proof,
    is_consistent,
    is_included,
    leaf_hash,
    node_hash,
    root_of,
)

LEAVES = st.lists(st.binary(max_size=8), min_size=1, max_size=70).map(lambda contents: [leaf_hash(c) for c in contents])


def by_definition(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, written as the RFC writes it."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(by_definition(leaves[:k]), by_definition(leaves[k:]))


def test_the_known_roots_of_certificate_transparency_come_out() -> None:
    contents = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
    leaves = [leaf_hash(bytes.fromhex(content)) for content in contents]
    assert hashlib.sha256(b"").digest() == EMPTY_ROOT
    assert root_of(leaves[:1]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert root_of(leaves).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


@given(LEAVES)
def test_appending_one_by_one_gives_the_root_by_definition(leaves: list[bytes]) -> None:
    assert root_of(leaves) == by_definition(leaves)


@given(LEAVES, st.data())
def test_a_compact_range_may_be_put_down_and_taken_up_again(leaves: list[bytes], data: st.DataObject) -> None:
    pause = data.draw(st.integers(0, len(leaves)))
    first = CompactRange()
    for leaf in leaves[:pause]:
        first.append(leaf)
    assert len(first.hashes) == pause.bit_count()
    second = CompactRange(first.size, first.hashes)
    for leaf in leaves[pause:]:
        second.append(leaf)
    assert second.root() == by_definition(leaves)


@given(LEAVES, st.data())
def test_every_leaf_is_proved_to_be_in_and_nothing_else_is(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    root, proof = root_of(leaves), inclusion_proof(leaves, index)
    assert is_included(leaves[index], index, len(leaves), proof, root)
    assert not is_included(leaf_hash(b"another leaf"), index, len(leaves), proof, root)
    assert not is_included(leaves[index], index, len(leaves), [*proof, root], root)
    assert not is_included(leaves[index], len(leaves), len(leaves), proof, root)


@given(LEAVES, st.data())
def test_a_grown_tree_is_proved_consistent_and_a_changed_one_is_not(leaves: list[bytes], data: st.DataObject) -> None:
    earlier = data.draw(st.integers(1, len(leaves)))
    old, new, proof = root_of(leaves[:earlier]), root_of(leaves), consistency_proof(leaves, earlier)
    assert is_consistent(earlier, len(leaves), old, new, proof)
    changed = data.draw(st.integers(0, earlier - 1))
    forged = [*leaves[:changed], leaf_hash(b"forged, and longer"), *leaves[changed + 1 :]]
    assert not is_consistent(earlier, len(leaves), old, root_of(forged), consistency_proof(forged, earlier))


def test_a_range_with_the_wrong_number_of_hashes_is_refused() -> None:
    with pytest.raises(ValueError, match="3 leaves has 2 hashes"):
        CompactRange(3, [b"x"])
