"""From the spool into the ledger: in bulk, exactly once by decision id, one audit-log entry per batch."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import structlog

from pilotage.decisions import store
from pilotage.decisions.records import Decision
from pilotage.decisions.spool import Spool, claimed, records, segments
from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM
from pilotage.platform.identifiers import new_id
from pilotage.platform.workspace import Workspace

_BATCH_ROWS = 5_000

log = structlog.get_logger()


def drain(work: Workspace, spool: Spool) -> int:
    """Bring all closed segments into the ledger and remove them; how many decisions were new there.

    A crash between the commit and the removal repeats the segment, and the ledger leaves known decisions alone. A
    segment that cannot be read is set aside under another name, so that it does not hold up those behind it.
    """
    new = 0
    for path in spool.take_closed():
        with claimed(path) as content:
            if content is None:
                continue
            try:
                new += keep(work, records(content))
            except msgspec.MsgspecError as error:
                path.rename(path.with_suffix(".unreadable"))
                log.error("segment_unreadable", segment=path.name, error=str(error))
            else:
                path.unlink(missing_ok=True)
    spool.measure()
    return new


def keep(work: Workspace, contents: Iterable[bytes]) -> int:
    """Write encoded decisions into the ledger, with one audit-log entry per use case and batch; how many were new."""
    by_use_case: dict[str, list[tuple[Decision, bytes]]] = defaultdict(list)
    for content in contents:
        decision = store.decode(content)
        by_use_case[decision.use_case].append((decision, content))
    return sum(
        _keep_batch(work, use_case, decided[start : start + _BATCH_ROWS])
        for use_case, decided in by_use_case.items()
        for start in range(0, len(decided), _BATCH_ROWS)
    )


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
