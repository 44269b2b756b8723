"""Records wait for one commit together, each no longer than its own time; bodies are only waited for where need be."""

from __future__ import annotations

import asyncio
import threading
import time
from io import FileIO
from pathlib import Path

import pytest

from pilotage.decisions.durable import recording
from pilotage.decisions.durable.disk import SystemDisk
from pilotage.decisions.durable.recording import Recording
from pilotage.decisions.durable.segments import parse
from pilotage.decisions.durable.spool import SpoolClosed


class Counting(SystemDisk):
    """Counts what is synced, and waits before it while ``held``."""

    def __init__(self) -> None:
        self.synced = 0
        self.free = threading.Event()
        self.free.set()

    def sync(self, file: FileIO) -> None:
        self.free.wait(5)
        self.synced += 1
        super().sync(file)


def records(folder: Path) -> list[bytes]:
    return [each for path in sorted(folder.glob("*.spool")) for each in parse(path.read_bytes()).records]


def test_what_is_recorded_in_one_turn_is_one_commit(tmp_path: Path) -> None:
    disk = Counting()
    kept = Recording(tmp_path, 1 << 20, disk)

    async def ask() -> list[OSError | None]:
        return await asyncio.gather(*(kept.keep(b"%d" % number) for number in range(50)))

    assert asyncio.run(ask()) == [None] * 50
    assert disk.synced == 1
    assert kept.spool.tally().recorded == 50
    kept.close()
    assert records(tmp_path) == [b"%d" % number for number in range(50)]


def test_of_one_turn_those_that_do_not_fit_are_refused_and_counted(tmp_path: Path) -> None:
    kept = Recording(tmp_path, 250)

    async def ask() -> list[OSError | None]:
        return await asyncio.gather(*(kept.keep(b"x" * 100) for _ in range(4)))

    told = asyncio.run(ask())
    assert told[:2] == [None, None]
    assert [type(each) for each in told[2:]] == [SpoolClosed, SpoolClosed]
    assert (kept.spool.tally().recorded, kept.spool.tally().lost) == (2, 2)
    kept.close()


def test_each_is_waited_for_as_long_as_it_may_be_whoever_came_first(tmp_path: Path) -> None:
    disk = Counting()
    kept = Recording(tmp_path, 1 << 20, disk)
    ended: dict[str, float] = {}

    async def one(name: str, left: float) -> OSError | None:
        began = time.perf_counter()
        told = await kept.keep(name.encode(), left, must_settle=False)
        ended[name] = time.perf_counter() - began
        return told

    async def ask() -> None:
        disk.free.clear()
        first = asyncio.create_task(one("written", 0.4))
        await asyncio.sleep(0.05)  # its write has begun; the others wait behind it
        others = [asyncio.create_task(one(name, left)) for name, left in (("long", 0.3), ("short", 0.1))]
        told = await asyncio.gather(first, *others)
        disk.free.set()
        assert [type(each) for each in told] == [TimeoutError] * 3
        assert "withdrawn" in str(told[1])
        assert "withdrawn" in str(told[2])

    asyncio.run(ask())
    assert 0.1 <= ended["short"] < 0.25
    assert 0.3 <= ended["long"] < 0.39
    assert 0.4 <= ended["written"] < 0.6
    kept.close()
    assert records(tmp_path) == [b"written"]
    assert kept.spool.tally().lost == 2


def test_another_event_loop_may_ask_after_the_first_has_ended(tmp_path: Path) -> None:
    kept = Recording(tmp_path, 1 << 20)

    async def leave() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await kept.keep(b"left", 60)

    asyncio.run(leave())
    assert asyncio.run(kept.keep(b"stayed")) is None
    assert asyncio.run(kept.keep(b"late", 0.0)) is None
    kept.close()
    assert records(tmp_path)[-2:] == [b"stayed", b"late"]


def test_alarms_follow_what_event_loops_round_to() -> None:
    assert 0 < recording._TICK_SECONDS < recording.LATENESS_SECONDS / 5
