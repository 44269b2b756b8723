"""Acknowledged means durable: whatever a crash takes, it takes nothing that was acknowledged."""

from __future__ import annotations

import random
import threading
from pathlib import Path
from typing import BinaryIO

import pytest

from pilotage.decisions.spool import Spool, SpoolClosed, SystemDisk, claimed, framed, records, segments

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
        path.unlink()
    spool.measure()
    spool.append(b"c" * 80, waiter.expect(b"c"))
    waiter.wait_for(3)
    spool.close()
    assert waiter.said[b"c"] is None


def test_what_an_earlier_process_left_counts_against_the_bound(tmp_path: Path) -> None:
    (tmp_path / "0000000001-dead-00000001.spool").write_bytes(framed(b"x" * 80))
    spool, waiter = Spool(tmp_path, 100), Waiter()
    spool.append(b"y" * 80, waiter.expect(b"y"))
    waiter.wait_for(1)
    spool.close()
    assert isinstance(waiter.said[b"y"], SpoolClosed)


def test_zeros_after_the_last_record_are_no_records() -> None:
    assert list(records(framed(b"first") + b"\0" * 64)) == [b"first"]


def test_the_segment_of_a_living_process_is_left_to_it(tmp_path: Path) -> None:
    ours, theirs, waiter = Spool(tmp_path, 1 << 20), Spool(tmp_path, 1 << 20), Waiter()
    theirs.append(b"being written", waiter.expect(b"being written"))
    waiter.wait_for(1)
    (segment,) = ours.take_closed()
    with claimed(segment) as content:
        assert content is None
    theirs.close()  # as when its process ends
    with claimed(segment) as content:
        assert content is not None
        assert list(records(content)) == [b"being written"]
        with claimed(segment) as second:
            assert second is None, "two may not drain the same segment"
    segment.unlink()
    with claimed(segment) as content:
        assert content is None
    ours.close()


def test_two_processes_on_one_folder_lose_and_repeat_nothing(tmp_path: Path) -> None:
    spools, waiters = [Spool(tmp_path, 1 << 22) for _ in range(2)], [Waiter(), Waiter()]
    drained: list[bytes] = []
    stop, lock = threading.Event(), threading.Lock()

    def drain(spool: Spool) -> None:
        while not stop.is_set():
            for path in spool.take_closed():
                with claimed(path) as content:
                    if content is not None:
                        with lock:
                            drained.extend(records(content))
                        path.unlink()

    drainers = [threading.Thread(target=drain, args=(spool,)) for spool in spools]
    for drainer in drainers:
        drainer.start()
    for number in range(1000):
        for name, (spool, waiter) in enumerate(zip(spools, waiters, strict=True)):
            content = f"{name}-{number}".encode()
            spool.append(content, waiter.expect(content))
    for waiter in waiters:
        waiter.wait_for(1000)
    stop.set()
    for drainer in drainers:
        drainer.join()
    for spool in spools:
        spool.close()
    for path in segments(tmp_path):
        drained.extend(records(path.read_bytes()))
    acknowledged = waiters[0].acknowledged | waiters[1].acknowledged
    assert len(acknowledged) == 2000
    assert sorted(drained) == sorted(acknowledged)
