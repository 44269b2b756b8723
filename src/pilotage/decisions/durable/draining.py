"""From the spool into the ledger: in bulk, exactly once by decision id, one audit-log entry per batch."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import itertools
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DataError

from pilotage.decisions import store
from pilotage.decisions.durable import tallies
from pilotage.decisions.durable.segments import (
    OPENING_BYTES,
    UNREADABLE,
    UNSEEN,
    DamagedSegment,
    NewerSegment,
    Segment,
    claimed,
    name_of,
    parse,
    segments,
    stream_of,
)
from pilotage.decisions.durable.spool import Spool
from pilotage.decisions.records import Decision
from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM
from pilotage.platform import tracing
from pilotage.platform.identifiers import new_id
from pilotage.platform.workspace import Workspace
from pilotage.webhooks import flow as webhooks
from pilotage.webhooks.records import EventType, Told

_BATCH_ROWS = 2_000
"""Decisions that are decoded and written at once: what they took is not given back when they are gone."""
_UNSEEN_SECONDS = 60

log = structlog.get_logger()


def drain(work: Workspace, spool: Spool[Any]) -> int:
    """Bring all segments into the ledger and remove them; how many decisions were new there.

    A crash between the commit and the removal repeats the segment, and the ledger leaves known decisions alone. Those
    that are closed come first: where the database is down, the present one stays open and no further ones pile up.

    Raises:
        SQLAlchemyError: the database is down; everything stays where it is.
    """
    new = sum(_bring(work, spool, path) for path in spool.closed())
    new += sum(_bring(work, spool, path) for path in spool.take_closed())
    _sweep(spool)
    spool.measure()
    return new


def left_alone(folder: Path) -> list[Path]:
    """Files in a spool folder that this release cannot bring into the ledger: of a newer format, or damaged."""
    return sorted([*folder.glob(f"*{UNREADABLE}"), *(path for path in segments(folder) if _is_newer(path))])


def _bring(work: Workspace, spool: Spool[Any], path: Path) -> int:
    """One segment, unless somebody writes or drains it. What cannot be read is left or set aside, and reported: it does
    not hold up those behind it.
    """
    with claimed(path) as content:
        if content is None:
            return 0
        try:
            segment = parse(content)
            reached = segment.before + len(segment.records)
            source = tallies.Stream(stream_of(path), name_of(path.parent), reached, 0, segment.lost)
            with tracing.span("drain") as span:
                new = keep(work, segment.records, source)
                span.say(pilotage__decisions=new)
        except NewerSegment as newer:
            _report("segment_of_a_newer_release", path, str(newer))
            return 0
        except DataError as error:  # the database is there and refuses this one: a person must look
            _report("segment_refused", path, type(error).__name__)
            return 0
        except (DamagedSegment, msgspec.MsgspecError) as error:
            spool.disk.rename(path, path.with_suffix(UNREADABLE))
            log.error("segment_unreadable", segment=path.name, error=str(error))
            return 0
        _put_away(spool, path, segment)
        return new


def _put_away(spool: Spool[Any], path: Path, segment: Segment) -> None:
    """Remove a segment that is in the ledger; where whole records follow damage, it is kept for a person to look."""
    if segment.is_damaged:
        spool.disk.rename(path, path.with_suffix(UNREADABLE))
        log.error("segment_damaged", segment=path.name, bytes=segment.torn_bytes)
        return
    if segment.torn_bytes:
        log.warning("segment_torn", segment=path.name, bytes=segment.torn_bytes)
    spool.disk.remove(path)


@functools.lru_cache(maxsize=1024)
def _report(event: str, segment: Path, error: str) -> None:
    """Say it once in a process's life, not at each look."""
    log.error(event, segment=segment.name, error=error)


def _is_newer(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            parse(file.read(OPENING_BYTES))
    except NewerSegment:
        return True
    except (DamagedSegment, FileNotFoundError):
        return False
    return False


def _sweep(spool: Spool[Any]) -> None:
    """Remove what a crash left of segments that nobody ever saw under their name: there is no record in them."""
    for path in spool.folder.glob(f"*{UNSEEN}"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime < _UNSEEN_SECONDS:
                continue
        with claimed(path) as content:
            if content is not None:
                spool.disk.remove(path)


def keep(work: Workspace, contents: Iterable[bytes], source: tallies.Stream | None = None) -> int:
    """Write encoded decisions into the ledger, with one audit-log entry per use case and batch; how many were new.

    Those that were new are counted, in the same transaction, for the writer that they came from.
    """
    new, left = 0, iter(contents)
    while some := list(itertools.islice(left, _BATCH_ROWS)):
        new += keep_decided(work, [(store.decode_slim(content), content) for content in some], source)
    return new


def keep_decided(
    work: Workspace, decided: Iterable[tuple[Decision, bytes]], source: tallies.Stream | None = None
) -> int:
    """The same of decisions that are at hand beside their encoded bytes."""
    by_use_case: dict[str, list[tuple[Decision, bytes]]] = defaultdict(list)
    for decision, content in decided:
        by_use_case[decision.use_case].append((decision, content))
    return sum(
        _keep_batch(work, use_case, batch[start : start + _BATCH_ROWS], source)
        for use_case, batch in by_use_case.items()
        for start in range(0, len(batch), _BATCH_ROWS)
    )


def waiting(folder: Path) -> Iterable[Decision]:
    """Decisions that are durable in the spool and not yet in the ledger."""
    for path in segments(folder):
        try:
            segment = parse(path.read_bytes())
        except (FileNotFoundError, NewerSegment, DamagedSegment):  # the first was drained, so it is in the ledger
            continue
        yield from (store.decode(record) for record in segment.records)


def digest_of(contents: Sequence[bytes]) -> str:
    """SHA-256 over the SHA-256 of each decision's bytes, in the order of their identifiers."""
    digest = hashlib.sha256()
    for content in contents:
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()


class _Overtaken(Exception):
    """Somebody else brought in one of these decisions at the same moment."""


def _keep_batch(
    work: Workspace, use_case: str, batch: list[tuple[Decision, bytes]], source: tallies.Stream | None
) -> int:
    """In one transaction; once more from its beginning where on PostgreSQL another one brought some in meanwhile."""
    while True:
        with contextlib.suppress(_Overtaken):
            return _keep_new(work, use_case, batch, source)


def _keep_new(
    work: Workspace, use_case: str, batch: list[tuple[Decision, bytes]], source: tallies.Stream | None
) -> int:
    with work.database.writing() as connection:
        known = store.known_ids(connection, [decision.id for decision, _ in batch])
        fresh = sorted(
            {d.id: (d, content) for d, content in batch if d.id not in known}.values(), key=lambda r: r[0].id
        )
        if source is not None:
            told_again = _told_again(connection, batch, known)
            if fresh or told_again:
                source = msgspec.structs.replace(source, kept=len(fresh) + told_again)
                tallies.add(connection, source, work.clock.now())
        if not fresh:
            return 0
        name = new_id("bat", work.clock.now())
        if store.insert_all(connection, fresh, name) != len(fresh):
            raise _Overtaken
        detail = {
            "batch": name,
            "decisions": len(fresh),
            "first": fresh[0][0].id,
            "last": fresh[-1][0].id,
            "sha256": digest_of([content for _, content in fresh]),
        }
        governing.record(connection, work, SYSTEM, "decisions.recorded", use_case, detail)
        if webhooks.is_told(connection, EventType.DECISION_ANSWERED, use_case):
            webhooks.emit(connection, work, [_told(decision) for decision, _ in fresh])
    return len(fresh)


def _told_again(connection: sa.Connection, batch: list[tuple[Decision, bytes]], known: set[str]) -> int:
    """How many records have the identifier of another one, as when a request was taken up again after a crash. The
    first one counts; these are accounted for by it. A record that was brought in before is none of them.
    """
    first = store.contents(connection, sorted(known)) if known else {}
    told_again = 0
    for decision, content in batch:
        told_again += first.setdefault(decision.id, content) != content
    return told_again


def _told(decision: Decision) -> Told:
    """What other systems hear of a decision: what was answered and why, nothing of what was asked."""
    data = {
        "use_case": decision.use_case,
        "decision": decision.id,
        "stage": decision.stage,
        "version": decision.version,
        "revision": decision.revision,
        "produced_by": decision.produced_by,
        "reason": decision.reason,
        "answer": decision.answer,
        "action": decision.action,
    }
    return Told(EventType.DECISION_ANSWERED, decision.use_case, decision.id, decision.decided_at, data)
