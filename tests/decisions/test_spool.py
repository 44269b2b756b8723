"""Acknowledged means durable: whatever a crash takes, it takes nothing that was acknowledged."""

from __future__ import annotations

import random
import threading
from pathlib import Path
from typing import BinaryIO

import pytest

from pilotage.decisions.spool import Spool, SpoolClosed, SystemDisk, framed, records, segments

CRASHES = 100


class LosingDisk:
    """Keeps what was written in memory until it is synced; a crash loses the rest, or tears it."""

    def __init__(self) -> None:
        self.durable = b""
        self.unsynced = b""

    def write(self, file: BinaryIO, content: bytes) -> None:
        self.unsynced += content

    def sync(self, file: BinaryIO) -> None:
        self.durable += self.unsynced
        self.unsynced = b""

    def after_crash(self, chance: random.Random) -> bytes:
        """What a restart finds: all that was synced, and any beginning of what was not."""
        return self.durable + self.unsynced[: chance.randrange(len(self.unsynced) + 1)]


class FailingDisk(SystemDisk):
    """A disk whose sync fails from the second commit on."""

    def __init__(self) -> None:
        self.syncs = 0

    def sync(self, file: BinaryIO) -> None:
        self.syncs += 1
        if self.syncs > 1:
            raise OSError("the device is gone")
        super().sync(file)


class Waiter:
    """Collects what the spool said of each record."""

    def __init__(self) -> None:
        self.said: dict[bytes, OSError | None] = {}
        self._changed = threading.Condition()

    def expect(self, content: bytes):  # type: ignore[no-untyped-def]
        def done(error: OSError | None) -> None:
            with self._changed:
                self.said[content] = error
                self._changed.notify_all()

        return done

    def wait_for(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.said) >= count, timeout=10)

    @property
    def acknowledged(self) -> set[bytes]:
        return {content for content, error in self.said.items() if error is None}


@pytest.mark.parametrize("seed", range(CRASHES))
def test_a_crash_at_any_moment_loses_nothing_acknowledged(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    disk = LosingDisk()
    spool = Spool(tmp_path, 1 << 20, disk)
    attempted = [f"{seed}-{number}-{'x' * chance.randrange(60)}".encode() for number in range(chance.randrange(1, 40))]
    waiter = Waiter()
    for content in attempted:
        spool.append(content, waiter.expect(content))
    acknowledged = waiter.acknowledged  # the crash comes now: some commits are through, some are not
    found = list(records(disk.after_crash(chance)))
    spool.close()
    assert acknowledged <= set(found) <= set(attempted)
    assert len(found) == len(set(found))


def test_many_waiting_records_share_commits_and_come_back_in_order(tmp_path: Path) -> None:
    spool, waiter = Spool(tmp_path, 1 << 20), Waiter()
    contents = [f"record {number}".encode() for number in range(500)]
    for content in contents:
        spool.append(content, waiter.expect(content))
    waiter.wait_for(500)
    closed = spool.take_closed()
    spool.close()
    assert [each for path in closed for each in records(path.read_bytes())] == contents


def test_a_torn_tail_ends_the_segment_and_what_precedes_it_is_read() -> None:
    whole = framed(b"first") + framed(b"second")
    for cut in range(len(framed(b"first")), len(whole)):
        assert list(records(whole[:cut])) == [b"first"]


def test_a_damaged_record_is_not_read() -> None:
    damaged = bytearray(framed(b"first") + framed(b"second"))
    damaged[-1] ^= 1
    assert list(records(bytes(damaged))) == [b"first"]


def test_after_a_failed_sync_nothing_more_is_acknowledged(tmp_path: Path) -> None:
    spool, waiter = Spool(tmp_path, 1 << 20, FailingDisk()), Waiter()
    for number, content in enumerate((b"kept", b"lost", b"refused"), start=1):
        spool.append(content, waiter.expect(content))
        waiter.wait_for(number)
    spool.close()
    assert waiter.said[b"kept"] is None
    assert isinstance(waiter.said[b"lost"], OSError)
    assert isinstance(waiter.said[b"refused"], SpoolClosed)


def test_a_full_spool_refuses_and_takes_again_after_draining(tmp_path: Path) -> None:
    spool, waiter = Spool(tmp_path, 100, SystemDisk()), Waiter()
    spool.append(b"a" * 80, waiter.expect(b"a"))
    waiter.wait_for(1)
    spool.append(b"b" * 80, waiter.expect(b"b"))
    waiter.wait_for(2)
    assert isinstance(waiter.said[b"b"], SpoolClosed)
    for path in spool.take_closed():
        size = path.stat().st_size
        path.unlink()
        spool.removed(size)
    spool.append(b"c" * 80, waiter.expect(b"c"))
    waiter.wait_for(3)
    spool.close()
    assert waiter.said[b"c"] is None


def test_the_segment_of_a_living_process_is_left_to_it(tmp_path: Path) -> None:
    ours, theirs, waiter = Spool(tmp_path, 1 << 20), Spool(tmp_path, 1 << 20), Waiter()
    theirs.append(b"being written", waiter.expect(b"being written"))
    waiter.wait_for(1)
    assert ours.take_closed() == []
    theirs.close()  # as when its process ends
    assert ours.take_closed() == segments(tmp_path)
    ours.close()
