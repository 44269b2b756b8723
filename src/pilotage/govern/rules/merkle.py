"""The Merkle tree of RFC 6962 (section 2.1) and RFC 9162: roots, inclusion proofs, consistency proofs.

A :class:`CompactRange` is the state from which the next root follows: one hash for each set bit of the size.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(content: bytes) -> bytes:
    """SHA-256 of a leaf: 0x00 and the content, so that no inner node can pass for a leaf."""
    return hashlib.sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of an inner node: 0x01 and both children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class CompactRange:
    """The roots of the full subtrees, largest first, of the first ``size`` leaves."""

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        self.size = size
        self.hashes = list(hashes)
        if len(self.hashes) != size.bit_count():
            raise ValueError(f"a range of {size} leaves has {size.bit_count()} hashes (got {len(self.hashes)})")

    def append(self, leaf: bytes) -> None:
        """Take one more leaf's hash; equal subtrees are joined."""
        self.hashes.append(leaf)
        joins = self.size
        while joins & 1:
            right, left = self.hashes.pop(), self.hashes.pop()
            self.hashes.append(node_hash(left, right))
            joins >>= 1
        self.size += 1

    def root(self) -> bytes:
        """Root hash of the tree over all leaves so far."""
        if not self.hashes:
            return EMPTY_ROOT
        result = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            result = node_hash(left, result)
        return result


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Root hash of the tree over these leaf hashes."""
    tree = CompactRange()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root()


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The siblings from leaf ``index`` (0-based) up to the root."""
    if not 0 <= index < len(leaves):
        raise ValueError(f"index must be 0 to {len(leaves) - 1} (got {index})")
    if len(leaves) == 1:
        return []
    split = _split(len(leaves))
    if index < split:
        return [*inclusion_proof(leaves[:split], index), root_of(leaves[split:])]
    return [*inclusion_proof(leaves[split:], index - split), root_of(leaves[:split])]


def is_included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the proof leads from the leaf at ``index`` to the root of ``size`` leaves (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    position, last, result = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            result = node_hash(sibling, result)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            result = node_hash(result, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and result == root


def consistency_proof(leaves: Sequence[bytes], earlier_size: int) -> list[bytes]:
    """What shows that the tree over ``leaves`` only appended to its first ``earlier_size`` leaves."""
    if not 0 < earlier_size <= len(leaves):
        raise ValueError(f"earlier_size must be 1 to {len(leaves)} (got {earlier_size})")
    return _consistency(leaves, earlier_size, True)


def is_consistent(earlier_size: int, size: int, earlier_root: bytes, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows the later tree to contain the earlier one unchanged (RFC 9162, 2.1.4.2)."""
    if not 0 < earlier_size <= size:
        return False
    if earlier_size == size:
        return not proof and earlier_root == root
    path = [earlier_root, *proof] if earlier_size & (earlier_size - 1) == 0 else list(proof)
    if not path:
        return False
    position, last = earlier_size - 1, size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and old == earlier_root and new == root


def _consistency(leaves: Sequence[bytes], earlier_size: int, is_whole: bool) -> list[bytes]:
    if earlier_size == len(leaves):
        return [] if is_whole else [root_of(leaves)]
    split = _split(len(leaves))
    if earlier_size <= split:
        return [*_consistency(leaves[:split], earlier_size, is_whole), root_of(leaves[split:])]
    return [*_consistency(leaves[split:], earlier_size - split, False), root_of(leaves[:split])]


def _split(size: int) -> int:
    """The largest power of two below ``size``."""
    return 1 << ((size - 1).bit_length() - 1)
