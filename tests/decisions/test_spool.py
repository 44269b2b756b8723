"""The spool: many records share a commit, what is torn ends a segment, what is too late or fails is taken back."""

from __future__ import annotations

import errno
import io
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.decisions.losing import HERE, Told, Waiter, call_all

from pilotage.decisions.durable.disk import SystemDisk
from pilotage.decisions.durable.segments import (
    OPENING_BYTES,
    DamagedSegment,
    NewerSegment,
    claimed,
    framed,
    opening,
    parse,
    segments,
    stream_of,
)
from pilotage.decisions.durable.spool import Spool, SpoolClosed


class FailingDisk(SystemDisk):
    """A disk whose sync fails from the second commit on, until it is repaired."""

    def __init__(self) -> None:
        self.syncs = 0
        self.is_repaired = False

    def sync(self, file: io.FileIO) -> None:
        self.syncs += 1
        if self.syncs > 1 and not self.is_repaired:
            raise OSError(errno.EIO, "the device is gone")
        super().sync(file)


class HangingDisk(SystemDisk):
    """A disk whose sync hangs from when ``lets`` is cleared until it is set again."""

    def __init__(self) -> None:
        self.lets = threading.Event()
        self.lets.set()
        self.is_hanging = threading.Event()

    def sync(self, file: io.FileIO) -> None:
        if not self.lets.is_set():
            self.is_hanging.set()
            assert self.lets.wait(10)
        super().sync(file)


def contents_of(paths: list[Path]) -> list[bytes]:
    return [record for path in paths for record in parse(path.read_bytes()).records]


def test_many_waiting_records_share_commits_and_come_back_in_order(tmp_path: Path) -> None:
    spool, waiter = Spool(tmp_path, 1 << 20, call_all), Waiter()
    contents = [f"record {number}".encode() for number in range(500)]
    for content in contents:
        waiter.hand(spool, content, content)
    waiter.wait_for(500)
    closed = spool.take_closed()
    spool.close()
    assert contents_of(closed) == contents


def test_a_torn_tail_ends_the_segment_and_what_precedes_it_is_read() -> None:
    first = opening(0, 0) + framed(b"first")
    whole = first + framed(b"second")
    for cut in range(len(first), len(whole)):
        found = parse(whole[:cut])
        assert found.records == (b"first",)
        assert found.torn_bytes == len(whole[len(first) : cut].rstrip(b"\0"))


def test_a_long_torn_record_costs_no_more_than_it_is_long() -> None:
    """Each of its bytes could begin a record; that none does is found without copying what follows it."""
    began = time.process_time()
    found = parse(opening(0, 0) + framed(b"whole") + framed(b"lorem ipsum " * 100_000)[:-1])
    assert time.process_time() - began < 10, "by the square of its length it takes minutes"
    assert (found.records, found.is_damaged) == ((b"whole",), False)


def test_a_damaged_record_is_not_read() -> None:
    damaged = bytearray(opening(0, 0) + framed(b"first") + framed(b"second"))
    damaged[-1] ^= 1
    assert parse(bytes(damaged)).records == (b"first",)


def test_a_segment_that_was_torn_before_its_first_sync_is_empty() -> None:
    for cut in range(OPENING_BYTES):
        assert parse(opening(3, 1)[:cut]).records == ()
    assert parse(b"\0" * 100).records == ()


def test_a_flipped_bit_anywhere_in_the_opening_is_noticed() -> None:
    whole = opening(3, 1) + framed(b"first")
    assert (parse(whole).before, parse(whole).lost) == (3, 1)
    for bit in range(OPENING_BYTES * 8):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises((DamagedSegment, NewerSegment)):
            parse(bytes(damaged))


def test_a_segment_of_a_newer_format_says_so() -> None:
    with pytest.raises(NewerSegment, match="version 2; this release reads up to 1"):
        parse(b"PLSPOOL\x02 whatever comes then")


def test_after_a_failed_sync_nothing_more_is_acknowledged(tmp_path: Path) -> None:
    spool, waiter = Spool(tmp_path, 1 << 20, call_all, FailingDisk()), Waiter()
    for number, content in enumerate((b"kept", b"lost", b"refused"), start=1):
        waiter.hand(spool, content, content)
        waiter.wait_for(number)
    spool.close()
    assert waiter.said[b"kept"] is None
    assert isinstance(waiter.said[b"lost"], OSError)
    assert isinstance(waiter.said[b"refused"], SpoolClosed)


def test_a_full_spool_refuses_and_takes_again_after_draining(tmp_path: Path) -> None:
    spool, waiter = Spool(tmp_path, 140, call_all, SystemDisk()), Waiter()
    waiter.hand(spool, b"a" * 80, b"a")
    waiter.wait_for(1)
    waiter.hand(spool, b"b" * 80, b"b")
    waiter.wait_for(2)
    assert isinstance(waiter.said[b"b"], SpoolClosed)
    for path in spool.take_closed():
        path.unlink()
    spool.measure()
    waiter.hand(spool, b"c" * 80, b"c")
    waiter.wait_for(3)
    spool.close()
    assert waiter.said[b"c"] is None


def test_what_an_earlier_process_left_counts_against_the_bound(tmp_path: Path) -> None:
    (tmp_path / "0000000001-dead-00000001.spool").write_bytes(opening(0, 0) + framed(b"x" * 80))
    spool, waiter = Spool(tmp_path, 100, call_all), Waiter()
    waiter.hand(spool, b"y" * 80, b"y")
    waiter.wait_for(1)
    spool.close()
    assert isinstance(waiter.said[b"y"], SpoolClosed)


def test_zeros_after_the_last_record_are_no_records() -> None:
    found = parse(opening(0, 0) + framed(b"first") + b"\0" * 64)
    assert (found.records, found.torn_bytes) == ((b"first",), 0)


def test_the_segment_of_a_living_process_is_left_to_it(tmp_path: Path) -> None:
    ours, theirs, waiter = Spool(tmp_path, 1 << 20, call_all), Spool(tmp_path, 1 << 20, call_all), Waiter()
    waiter.hand(theirs, b"being written", b"being written")
    waiter.wait_for(1)
    (segment,) = ours.take_closed()
    with claimed(segment) as content:
        assert content is None
    theirs.close()  # as when its process ends
    with claimed(segment) as content:
        assert content is not None
        assert parse(content).records == (b"being written",)
        with claimed(segment) as second:
            assert second is None, "two may not drain the same segment"
    segment.unlink()
    with claimed(segment) as content:
        assert content is None
    ours.close()


def test_two_processes_on_one_folder_lose_and_repeat_nothing(tmp_path: Path) -> None:
    spools, waiters = [Spool(tmp_path, 1 << 22, call_all) for _ in range(2)], [Waiter(), Waiter()]
    drained: list[bytes] = []
    stop, lock = threading.Event(), threading.Lock()

    def drain(spool: Spool[Told]) -> None:
        while not stop.is_set():
            for path in spool.take_closed():
                with claimed(path) as content:
                    if content is not None:
                        with lock:
                            drained.extend(parse(content).records)
                        path.unlink()

    drainers = [threading.Thread(target=drain, args=(spool,)) for spool in spools]
    for drainer in drainers:
        drainer.start()
    for number in range(1000):
        for name, (spool, waiter) in enumerate(zip(spools, waiters, strict=True)):
            content = f"{name}-{number}".encode()
            waiter.hand(spool, content, content)
    for waiter in waiters:
        waiter.wait_for(1000)
    stop.set()
    for drainer in drainers:
        drainer.join()
    for spool in spools:
        spool.close()
    drained.extend(contents_of(segments(tmp_path)))
    acknowledged = waiters[0].acknowledged | waiters[1].acknowledged
    assert len(acknowledged) == 2000
    assert sorted(drained) == sorted(acknowledged)


def test_what_a_failed_sync_left_is_cut_off_and_only_what_was_acknowledged_stays(tmp_path: Path) -> None:
    disk = FailingDisk()
    spool, waiter = Spool(tmp_path, 1 << 20, call_all, disk), Waiter()
    for number, content in enumerate((b"kept", b"lost"), start=1):
        waiter.hand(spool, content, content)
        waiter.wait_for(number)
    assert contents_of(spool.take_closed()) == [b"kept"]
    disk.is_repaired = True
    assert spool.can_sync(), "the disk works again"
    waiter.hand(spool, b"later", b"later")
    assert isinstance(waiter.said[b"later"], SpoolClosed), "this process never acknowledges again"
    assert (spool.tally().recorded, spool.tally().lost) == (1, 2)
    spool.close()
    assert [path.suffix for path in tmp_path.iterdir()] == [".spool"]


def test_a_record_that_waits_is_withdrawn_and_never_written(tmp_path: Path) -> None:
    disk = HangingDisk()
    spool, waiter = Spool(tmp_path, 1 << 20, call_all, disk), Waiter()
    disk.lets.clear()
    waiter.hand(spool, b"being written", b"being written")
    assert disk.is_hanging.wait(5)
    waiter.hand(spool, b"too late", b"too late")
    assert spool.withdraw(waiter.told[b"too late"])
    assert not spool.withdraw(waiter.told[b"being written"]), "its write has begun"
    disk.lets.set()
    waiter.wait_for(1)
    assert contents_of(spool.take_closed()) == [b"being written"]
    assert (spool.tally().recorded, spool.tally().lost) == (1, 1)
    waiter.hand(spool, b"next", b"next")
    waiter.wait_for(2)
    spool.close()
    assert waiter.acknowledged == {b"being written", b"next"}


@pytest.mark.parametrize("earlier", [True, False])
def test_a_write_that_hangs_is_given_up_and_cut_off_when_it_ends(tmp_path: Path, earlier: bool) -> None:
    disk = HangingDisk()
    spool, waiter = Spool(tmp_path, 1 << 20, call_all, disk), Waiter()
    if earlier:
        waiter.hand(spool, b"earlier", b"earlier")
        waiter.wait_for(1)
    disk.lets.clear()
    waiter.hand(spool, b"hangs", b"hangs")
    assert disk.is_hanging.wait(5)
    assert spool.written_for() > 0
    spool.give_up(waiter.told[b"hangs"])
    spool.give_up(waiter.told[b"hangs"])
    assert isinstance(waiter.said[b"hangs"], SpoolClosed)
    waiter.hand(spool, b"meanwhile", b"meanwhile")
    assert isinstance(waiter.said[b"meanwhile"], SpoolClosed), "nobody waits behind a disk that hangs"
    assert spool.refusal == "the disk hangs"
    disk.lets.set()
    until = time.monotonic() + 5
    while spool.refusal and time.monotonic() < until:
        time.sleep(0.01)
    waiter.hand(spool, b"after", b"after")
    waiter.wait_for(3 + earlier)
    spool.close()
    assert contents_of(segments(tmp_path)) == [*([b"earlier"] if earlier else []), b"after"]


def test_a_commit_that_is_over_cannot_be_given_up(tmp_path: Path) -> None:
    spool, waiter = Spool(tmp_path, 1 << 20, call_all), Waiter()
    waiter.hand(spool, b"kept", b"kept")
    waiter.wait_for(1)
    spool.give_up(waiter.told[b"kept"])
    assert not spool.withdraw(waiter.told[b"kept"])
    spool.close()
    assert waiter.said == {b"kept": None}


def test_what_is_durable_is_not_given_up_at_the_last_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def given_up_meanwhile(batch: Any, error: OSError | None) -> bool:
        found = settle(batch, error)
        spool.give_up(waiter.told[b"kept"])
        return found

    spool, waiter = Spool(tmp_path, 1 << 20, call_all), Waiter()
    settle = spool._is_acknowledged
    monkeypatch.setattr(spool, "_is_acknowledged", given_up_meanwhile)
    waiter.hand(spool, b"kept", b"kept")
    waiter.wait_for(1)
    spool.close()
    assert waiter.said == {b"kept": None}
    assert (spool.tally().recorded, spool.tally().lost) == (1, 0)


def test_what_failed_is_counted_as_lost_once_also_where_it_cannot_be_cut_off(tmp_path: Path) -> None:
    class FullThenHanging(SystemDisk):
        is_full, lets, is_hanging = False, threading.Event(), threading.Event()

        def write(self, file: io.FileIO, content: bytes) -> None:
            if self.is_full:
                raise OSError(errno.ENOSPC, "no space left on device")
            super().write(file, content)

        def truncate(self, file: io.FileIO, size: int) -> None:
            self.is_hanging.set()
            assert self.lets.wait(10)
            super().truncate(file, size)

    disk = FullThenHanging()
    spool, waiter = Spool(tmp_path, 1 << 20, call_all, disk), Waiter()
    waiter.hand(spool, b"kept", b"kept")
    waiter.wait_for(1)
    disk.is_full = True
    waiter.hand(spool, b"too much", b"too much")
    assert disk.is_hanging.wait(5)
    spool.give_up(waiter.told[b"too much"])
    waiter.wait_for(2)
    disk.lets.set()
    spool.close()
    assert waiter.acknowledged == {b"kept"}
    assert (spool.tally().recorded, spool.tally().lost) == (1, 1)


def test_each_segment_opens_with_what_its_writer_did_before_it(tmp_path: Path) -> None:
    spool, waiter = Spool(tmp_path, 500, call_all), Waiter()
    waiter.hand(spool, b"first", b"first")
    waiter.wait_for(1)
    waiter.hand(spool, b"x" * 600, b"too large")
    closed = spool.take_closed()
    waiter.hand(spool, b"second", b"second")
    waiter.wait_for(3)
    (path,) = [path for path in spool.take_closed() if path not in closed]
    spool.close()
    found = parse(path.read_bytes())
    assert (found.before, found.lost) == (1, 1)
    assert stream_of(path) == spool.stream


FILL = """
import resource, signal, sys, pathlib, json
from tests.decisions.losing import Waiter, call_all
from pilotage.decisions.durable.spool import Spool
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
folder = pathlib.Path(sys.argv[1])
spool, waiter = Spool(folder, 1 << 30, call_all), Waiter()
def hand(name, size):
    waiter.hand(spool, name.encode() + b"x" * size, name.encode())
    waiter.wait_for(len(waiter.told))
hand("before", 100)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY))
hand("does not fit", 5000)
hand("fits", 1000)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
hand("after", 5000)
spool.close()
print(json.dumps({name.decode(): str(error or "") for name, error in waiter.said.items()}))
"""


def test_a_file_that_may_not_grow_refuses_what_does_not_fit_and_goes_on(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FILL, str(tmp_path)], capture_output=True, text=True, timeout=60, env=HERE
    )
    assert done.returncode == 0, done.stderr
    assert '"does not fit": "[Errno 27]' in done.stdout
    kept = [content.rstrip(b"x") for content in contents_of(segments(tmp_path))]
    assert kept == [b"before", b"fits", b"after"], "nothing of what was refused is there"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 kilobytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("only root can mount a small disk; run the tests in a container to have this one")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_refuses_and_records_again_when_there_is_room(small_disk: Path) -> None:
    spool, waiter = Spool(small_disk, 1 << 30, call_all), Waiter()
    for number in range(40):
        waiter.hand(spool, b"%d" % number + b"x" * 4000, b"%d" % number)
        waiter.wait_for(number + 1)
    refused = [error for error in waiter.said.values() if error is not None]
    assert {error.errno for error in refused} == {errno.ENOSPC}
    assert 20 < len(refused) < 40
    kept = contents_of(spool.take_closed())
    assert {content.rstrip(b"x") for content in kept} == waiter.acknowledged
    for path in spool.take_closed():
        path.unlink()  # as when it was drained
    waiter.hand(spool, b"again", b"again")
    waiter.wait_for(41)
    spool.close()
    assert waiter.said[b"again"] is None
