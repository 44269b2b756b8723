"""Writes deeds to the audit log, makes checkpoints, and verifies all of it from the stored bytes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
import structlog

from pilotage.govern.flow.verifying import Examination
from pilotage.govern.records import AuditEntry, Checkpoint, Principal, Verification
from pilotage.govern.rules import entries as rules
from pilotage.govern.rules.merkle import CompactRange, leaf_hash
from pilotage.govern.store import audit_log as store
from pilotage.platform.errors import CorruptArtefact
from pilotage.platform.workspace import Workspace

log = structlog.get_logger()


def record(
    connection: sa.Connection, work: Workspace, actor: Principal, action: str, subject: str, detail: dict[str, Any]
) -> AuditEntry:
    """Append one deed within the caller's write transaction: both are stored, or neither.

    ``detail`` is anything that msgspec encodes; it must hold no secret. ``detail["use_case"]`` or else the subject
    is what the page filters by.
    """
    store.wait_for_turn(connection)
    number = store.last_number(connection) + 1
    content = rules.entry_bytes(number, work.clock.now(), actor, action, subject, detail)
    store.append(
        connection,
        number=number,
        content=content,
        leaf_hash=leaf_hash(content),
        action=action[:200],
        use_case=rules.use_case_of(subject, detail)[:200],
    )
    return rules.entry_of(content)


def take_turn(connection: sa.Connection) -> None:
    """Wait until no other transaction that records a deed is under way; ours is the next, until it ends.

    For flows that read, decide and record: what they read afterwards cannot change before they are done. SQLite's
    write transactions wait for each other anyway.
    """
    store.wait_for_turn(connection)


def entries(work: Workspace, action: str) -> Iterator[AuditEntry]:
    """All entries of one action, in order."""
    with work.database.reading() as connection:
        for content in store.of_action(connection, action):
            yield rules.entry_of(content)


def last_number(connection: sa.Connection) -> int:
    """The number of the newest entry that this transaction sees, 0 when there is none.

    Entries get their numbers in the order of their commits: none below it appears later.
    """
    return store.last_number(connection)


def deeds_between(connection: sa.Connection, after: int, upto: int, actions: Sequence[str]) -> list[AuditEntry]:
    """The entries of these actions with ``after`` < number <= ``upto``, in order, as far as they can be read."""
    return _readable(store.between(connection, after, upto, actions), after)


def deeds(connection: sa.Connection, actions: Sequence[str]) -> list[AuditEntry]:
    """All entries of these actions, which are rare ones, in order, as far as they can be read."""
    return _readable(store.of_actions(connection, actions))


def _readable(contents: Iterable[bytes], after: int = 0) -> list[AuditEntry]:
    found = []
    for content in contents:
        try:
            found.append(rules.entry_of(content))
        except msgspec.MsgspecError:  # somebody changed it: verify says which
            log.error("audit_entry_unreadable", after=found[-1].number if found else after)
    return found


def anchors(work: Workspace) -> Path:
    """The file that every checkpoint is also written to: copy it elsewhere, and the past is out of our hands."""
    return work.home / "anchors" / "audit-log.txt"


def checkpoint(work: Workspace) -> Checkpoint | None:
    """Sign the log's root as it is now, and write it to the anchor file; None while there are no entries.

    Costs the entries since the last checkpoint. When there are none, that checkpoint is returned.

    Raises:
        CorruptArtefact: the last checkpoint does not carry our signature, so nothing is built on it.
    """
    with work.database.writing() as connection:
        store.wait_for_turn(connection)
        last = store.last_checkpoint(connection)
        tree = CompactRange() if last is None else _continued(work, last)
        for leaf in store.leaf_hashes_after(connection, tree.size):
            tree.append(bytes(leaf))
        if last is not None and last.size == tree.size:
            return last
        if tree.size == 0:
            return None
        signature = work.signer.sign(rules.note(tree.size, tree.root()))
        made = Checkpoint(tree.size, tree.root(), signature, work.clock.now(), tuple(tree.hashes))
        store.keep_checkpoint(connection, made)
    _anchor(anchors(work), rules.anchor_line(made.size, made.root, made.signature))
    return made


def verify(work: Workspace) -> Verification:
    """Recompute every hash from the stored bytes, and hold them to every checkpoint here and in the anchor file.

    Needs no network. Whatever a checkpoint covers cannot be changed, removed or reordered without a word here.
    """
    path = anchors(work)
    anchored = path.read_text().splitlines() if path.exists() else []
    with work.database.reading() as connection:
        known = store.all_checkpoints(connection)
        examination = Examination(work.signer, known, anchored)
        for row in store.in_order(connection):
            if not examination.look_at(row.number, bytes(row.content), bytes(row.leaf_hash)):
                break
    return examination.finding()


def _continued(work: Workspace, last: Checkpoint) -> CompactRange:
    is_ours = work.signer.is_valid(rules.note(last.size, last.root), last.signature)
    if is_ours and len(last.range) == last.size.bit_count():
        tree = CompactRange(last.size, last.range)
        if tree.root() == last.root:
            return tree
    raise CorruptArtefact(
        f"The audit log's checkpoint at {last.size} entries was changed after it was signed.",
        "Run pilotage verify, and restore the database from a backup.",
    )


def _anchor(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
