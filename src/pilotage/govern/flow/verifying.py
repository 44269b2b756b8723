"""Holds the audit log's entries, one after the other, to what was signed about them."""

from __future__ import annotations

import base64
from collections.abc import Iterable

import msgspec

from pilotage.govern.records import Checkpoint, Verification
from pilotage.govern.rules import entries as rules
from pilotage.govern.rules.merkle import CompactRange, leaf_hash
from pilotage.platform.signing import Signer


class Examination:
    """Sees each entry once, in order; remembers the first thing that does not fit."""

    def __init__(self, signer: Signer, checkpoints: Iterable[Checkpoint], anchor_lines: Iterable[str]) -> None:
        self._tree = CompactRange()
        self._expected: dict[int, bytes] = {}
        self._checkpoints = 0
        self._fault = ""
        self._last_good = 0
        for checkpoint in checkpoints:
            self._checkpoints += 1
            self._expect(signer, checkpoint.size, checkpoint.root, checkpoint.signature, "The checkpoint")
        for number, line in enumerate(anchor_lines, start=1):
            self._expect_line(signer, number, line)

    def look_at(self, number: int, content: bytes, stored_hash: bytes) -> bool:
        """Take the next entry; false when something does not fit and no more need be shown."""
        if self._fault:
            return False
        self._fault = self._fault_of(number, content, stored_hash)
        if self._fault:
            return False
        self._tree.append(leaf_hash(content))
        expected = self._expected.get(number)
        if expected is not None and expected != self._tree.root():
            self._fault = f"{self._span(number)} does not fit the checkpoint that was signed at {number} entries."
            return False
        self._last_good = number if expected is not None else self._last_good
        return True

    def finding(self) -> Verification:
        """What was found, as one sentence."""
        size = self._tree.size
        furthest = max(self._expected, default=0)
        if not self._fault and furthest > size:
            self._fault = f"Entry {size + 1} is missing: a checkpoint was signed over {furthest} entries."
        root = base64.b64encode(self._tree.root()).decode()
        return Verification(not self._fault, size, self._checkpoints, root, self._fault or self._praise(furthest))

    def _praise(self, furthest: int) -> str:
        size = self._tree.size
        if size == 0:
            return "The audit log is empty."
        tail = size - furthest
        beyond = "" if tail == 0 else f"; the newest {tail:,} are not yet under a checkpoint"
        signed = "1 signed checkpoint" if self._checkpoints == 1 else f"{self._checkpoints:,} signed checkpoints"
        return f"All {size:,} entries fit their hashes and {signed}{beyond}."

    def _fault_of(self, number: int, content: bytes, stored_hash: bytes) -> str:
        wanted = self._tree.size + 1
        if number != wanted:
            return f"Entry {wanted} is missing: after entry {wanted - 1} comes entry {number}."
        if leaf_hash(content) != stored_hash:
            return f"Entry {number} was changed: its bytes do not have the hash that was stored with them."
        try:
            said = rules.entry_of(content).number
        except msgspec.MsgspecError:
            return f"Entry {number} was changed: its bytes are no entry."
        return "" if said == number else f"Entry {number} was changed: its bytes are those of entry {said}."

    def _expect(self, signer: Signer, size: int, root: bytes, signature: str, what: str) -> None:
        if not signer.is_valid(rules.note(size, root), signature):
            self._fault = self._fault or f"{what} at {size} entries was changed: its signature is not ours."
        elif self._expected.setdefault(size, root) != root:
            self._fault = self._fault or f"{what} at {size} entries contradicts another one of the same size."

    def _expect_line(self, signer: Signer, number: int, line: str) -> None:
        try:
            size, root, signature = rules.read_anchor_line(line)
        except ValueError:
            self._fault = self._fault or f"Line {number} of the anchor file was changed: it is no checkpoint."
            return
        self._expect(signer, size, root, signature, f"Line {number} of the anchor file, the checkpoint")

    def _span(self, number: int) -> str:
        first = self._last_good + 1
        return f"Entry {number}" if first == number else f"An entry from {first} to {number} was changed: it"
