"""From the spool into the ledger: in bulk, exactly once by decision id, one audit-log entry per batch."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from pilotage.decisions import store
from pilotage.decisions.records import Decision
from pilotage.decisions.spool import Spool, records, segments
from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM
from pilotage.platform.identifiers import new_id
from pilotage.platform.workspace import Workspace


def drain(work: Workspace, spool: Spool) -> int:
    """Bring all closed segments into the ledger and remove them; how many decisions were new there.

    A crash between the commit and the removal repeats the segment, and the ledger leaves known decisions alone.
    """
    new = 0
    for path in spool.take_closed():
        content = path.read_bytes()
        new += keep(work, records(content))
        path.unlink(missing_ok=True)
        spool.removed(len(content))
    return new


def keep(work: Workspace, contents: Iterable[bytes]) -> int:
    """Write encoded decisions into the ledger, with one audit-log entry per use case; how many were new."""
    by_use_case: dict[str, list[tuple[Decision, bytes]]] = defaultdict(list)
    for content in contents:
        decision = store.decode(content)
        by_use_case[decision.use_case].append((decision, content))
    return sum(_keep_batch(work, use_case, batch) for use_case, batch in by_use_case.items())


def waiting(folder: Path) -> Iterable[Decision]:
    """Decisions that are durable in the spool and not yet in the ledger."""
    for path in segments(folder):
        try:
            content = path.read_bytes()
        except FileNotFoundError:  # drained meanwhile, so it is in the ledger
            continue
        yield from (store.decode(record) for record in records(content))


def digest_of(contents: Sequence[bytes]) -> str:
    """SHA-256 over the SHA-256 of each decision's bytes, in the order of their identifiers."""
    digest = hashlib.sha256()
    for content in contents:
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()


def _keep_batch(work: Workspace, use_case: str, batch: list[tuple[Decision, bytes]]) -> int:
    with work.database.writing() as connection:
        known = store.known_ids(connection, [decision.id for decision, _ in batch])
        fresh = sorted(
            {d.id: (d, content) for d, content in batch if d.id not in known}.values(), key=lambda r: r[0].id
        )
        if not fresh:
            return 0
        name = new_id("bat", work.clock.now())
        store.insert_all(connection, fresh, name)
        detail = {
            "batch": name,
            "decisions": len(fresh),
            "first": fresh[0][0].id,
            "last": fresh[-1][0].id,
            "sha256": digest_of([content for _, content in fresh]),
        }
        governing.record(connection, work, SYSTEM, "decisions.recorded", use_case, detail)
    return len(fresh)
