"""From the spool into the ledger, exactly once: whatever is down, killed, repeated or left over meanwhile."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError
from tests.decisions.crashing import a_decision
from tests.decisions.losing import HERE, Told, Waiter, call_all
from tests.decisions.test_spool import FailingDisk
from tests.postgres import NoPostgres, stoppable_cluster

from pilotage.decisions import flow, store
from pilotage.decisions.durable import draining, tallies
from pilotage.decisions.durable.completeness import Bookkeeper, completeness
from pilotage.decisions.durable.disk import SystemDisk
from pilotage.decisions.durable.segments import segments
from pilotage.decisions.durable.spool import Spool
from pilotage.platform.clock import FixedClock
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace

pytestmark = pytest.mark.both_stores
Outage = Callable[[], Callable[[], None]]
"""Takes the database down, and says how it comes back."""


def a_spool(work: Workspace) -> Spool[Told]:
    return Spool(work.home / "spool", 1 << 24, call_all)


def hand(spool: Spool[Told], names: list[str]) -> None:
    """Have these recorded; each is acknowledged."""
    waiter = Waiter()
    for name in names:
        waiter.hand(spool, store.encode(a_decision(name)), name.encode())
    waiter.wait_for(len(names))
    assert waiter.acknowledged == {name.encode() for name in names}


def in_ledger(work: Workspace) -> set[str]:
    with work.database.reading() as connection:
        found = [each.id for each in store.recent(connection, "small", 100_000)]
        assert store.count(connection) == len(found) == len(set(found))
    return set(found)


def locked(work: Workspace) -> Outage:
    """Another process holds SQLite's only write lock."""

    def take() -> Callable[[], None]:
        holder = work.database.engine.connect().execution_options(pilotage_write=True)
        held = holder.begin()

        def give_back() -> None:
            held.rollback()
            holder.close()

        return give_back

    return take


def moved(work: Workspace) -> Outage:
    """The database's file is not where it was."""

    def take() -> Callable[[], None]:
        work.database.close()
        path = Path(str(work.database.url.database))
        path.rename(path.with_suffix(".away"))

        def give_back() -> None:
            work.database.close()
            path.with_suffix(".away").rename(path)

        return give_back

    return take


def impatient(work: Workspace) -> None:
    """Wait for SQLite's lock for a moment only: the test has not half a minute."""

    def prepare(connection: sa.engine.interfaces.DBAPIConnection, record: sa.pool.ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout=50")
        cursor.close()

    sa.event.listen(work.database.engine, "connect", prepare)
    work.database.close()


def outlives(work: Workspace, outage: Outage) -> None:
    """Records go on while the database is away, in few files, and reach the ledger once when it is back."""
    spool = a_spool(work)
    hand(spool, [f"dec_before_{number}" for number in range(3)])
    draining.drain(work, spool)
    back = outage()
    for look in range(6):
        hand(spool, [f"dec_during_{look}_{number}" for number in range(3)])
        with pytest.raises(SQLAlchemyError):
            draining.drain(work, spool)
    assert len(segments(work.home / "spool")) == 2, "one that was closed, and the present one"
    back()
    assert draining.drain(work, spool) == 18
    assert draining.drain(work, spool) == 0
    spool.close()
    assert len(in_ledger(work)) == 21
    assert flow.verify_recorded(work).valid
    found = completeness(work)
    assert (found.answered, found.durable, found.missing) == (21, 21, 0)


@pytest.mark.only_sqlite
@pytest.mark.parametrize("outage", [locked, moved])
def test_what_is_recorded_while_sqlite_is_away_reaches_it_once(
    work: Workspace, outage: Callable[[Workspace], Outage]
) -> None:
    impatient(work)
    outlives(work, outage(work))


@pytest.fixture
def on_postgres(tmp_path: Path, clock: FixedClock) -> Iterator[tuple[Workspace, Outage]]:
    try:
        with stoppable_cluster() as cluster:
            opened = open_workspace(Settings(home=tmp_path / "home", database_url=cluster.url), clock)

            def stop() -> Callable[[], None]:
                cluster.stop()
                return cluster.start

            yield opened, stop
            opened.close()
    except NoPostgres as reason:
        pytest.skip(str(reason))


@pytest.mark.postgres
def test_what_is_recorded_while_postgresql_is_down_reaches_it_once(on_postgres: tuple[Workspace, Outage]) -> None:
    outlives(*on_postgres)


def test_a_segment_that_comes_back_after_its_removal_changes_nothing(work: Workspace) -> None:
    spool = a_spool(work)
    hand(spool, ["dec_1", "dec_2"])
    (path,) = spool.take_closed()
    content = path.read_bytes()
    assert draining.drain(work, spool) == 2
    path.write_bytes(content)  # the removal was not synced when the machine went down
    assert draining.drain(work, spool) == 0
    spool.close()
    assert in_ledger(work) == {"dec_1", "dec_2"}
    assert completeness(work).answered == 2


def test_a_segment_of_a_newer_release_is_left_alone_and_reported(work: Workspace) -> None:
    spool = a_spool(work)
    newer = spool.folder / "0000000001-newer-00000001.spool"
    newer.write_bytes(b"PLSPOOL\x02" + b"what a later release writes" * 10)
    hand(spool, ["dec_1"])
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            draining.drain(work, spool)
    spool.close()
    assert in_ledger(work) == {"dec_1"}
    assert segments(spool.folder) == [newer]
    assert [each["segment"] for each in logs if each["event"] == "segment_of_a_newer_release"] == [newer.name]
    assert completeness(work).left_alone == (newer.name,)


def test_what_a_crash_left_half_made_is_swept_away_and_the_living_are_spared(work: Workspace) -> None:
    spool = a_spool(work)
    old, fresh, held = (spool.folder / f"{name}.new" for name in ("old", "fresh", "held"))
    for path in (old, fresh):
        path.touch()
    holder = SystemDisk().create(held)
    for path in (old, held):
        os.utime(path, (1, 1))
    draining.drain(work, spool)
    spool.close()
    assert sorted(path.name for path in spool.folder.iterdir()) == ["fresh.new", "held.new"]
    holder.close()


def test_a_segment_that_vanishes_is_missing_and_raises_the_alarm_once(work: Workspace) -> None:
    spool = a_spool(work)
    keeper = Bookkeeper(work, spool)
    hand(spool, ["dec_1", "dec_2"])
    draining.drain(work, spool)
    hand(spool, ["dec_3", "dec_4", "dec_5"])
    (path,) = spool.take_closed()
    assert (keeper.check().missing, keeper.check().durable) == (0, 2)
    keeper.tell()
    assert (keeper.check().missing, keeper.check().durable) == (0, 5), "what waits in the spool is durable"
    path.unlink()
    with structlog.testing.capture_logs() as logs:
        found = keeper.check()
        keeper.check()
    spool.close()
    assert (found.answered, found.durable, found.missing) == (5, 2, 3)
    assert [each["missing"] for each in logs if each["event"] == "decisions_missing"] == [3]


def test_a_segment_that_is_damaged_in_its_midst_is_kept_and_what_it_lost_is_missing(work: Workspace) -> None:
    spool = a_spool(work)
    hand(spool, ["dec_1"])
    hand(spool, ["dec_2"])
    hand(spool, ["dec_3"])
    (path,) = spool.take_closed()
    damaged = bytearray(path.read_bytes())
    damaged[damaged.index(b"dec_2")] ^= 1
    path.write_bytes(damaged)
    draining.drain(work, spool)
    Bookkeeper(work, spool).tell()
    spool.close()
    assert in_ledger(work) == {"dec_1"}
    found = completeness(work)
    assert (found.answered, found.durable, found.missing) == (3, 1, 2)
    assert found.left_alone == (path.with_suffix(".unreadable").name,)


def test_a_writer_that_was_killed_before_it_told_is_found_out_by_its_next_segment(work: Workspace) -> None:
    spool = a_spool(work)
    hand(spool, ["dec_1", "dec_2"])
    (path,) = spool.take_closed()
    path.unlink()
    hand(spool, ["dec_3"])
    draining.drain(work, spool)
    spool.close()
    found = completeness(work)
    assert (found.answered, found.durable, found.missing) == (3, 1, 2)


def test_what_was_declared_lost_is_accounted_for(work: Workspace) -> None:
    spool: Spool[Told] = Spool(work.home / "spool", 2_000, call_all)
    waiter = Waiter()
    for number in range(5):
        waiter.hand(spool, store.encode(a_decision(f"dec_{number}")), b"%d" % number)
        waiter.wait_for(number + 1)
    lost = 5 - len(waiter.acknowledged)
    assert 0 < lost < 5
    draining.drain(work, spool)
    Bookkeeper(work, spool).tell()
    spool.close()
    found = completeness(work)
    assert (found.answered, found.durable, found.lost, found.missing) == (5, 5 - lost, lost, 0)


def test_what_another_machine_has_not_brought_in_yet_is_told_apart(work: Workspace, clock: FixedClock) -> None:
    with work.database.writing() as connection:
        tallies.add(connection, tallies.Stream("far-away", "another-folder", 9, 4, 1), clock.now())
    found = completeness(work)
    assert (found.answered, found.durable, found.lost, found.missing, found.elsewhere) == (10, 4, 1, 0, 5)


def test_a_request_that_is_taken_up_again_under_its_identifier_is_not_missing(work: Workspace) -> None:
    for said in ("first", "again"):
        spool, waiter = a_spool(work), Waiter()
        waiter.hand(spool, store.encode(a_decision("dec_1", said)), b"")
        waiter.wait_for(1)
        draining.drain(work, spool)
        spool.close()
    assert flow.find(work, "dec_1").entity == "first"
    found = completeness(work)
    assert (found.answered, found.durable, found.missing) == (2, 2, 0)


def test_after_a_failed_sync_one_worker_asks_for_successors_once_the_disk_works(
    work: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pilotage.decisions.durable.completeness._PROBE_SECONDS", 0.0)
    disks = [FailingDisk(), FailingDisk()]
    spools = [Spool(work.home / "spool", 1 << 20, call_all, disk) for disk in disks]
    asked: list[int] = []

    def asking(number: int) -> bool:
        asked.append(number)
        return True

    keepers = [Bookkeeper(work, spool, partial(asking, number)) for number, spool in enumerate(spools)]
    for name, spool in enumerate(spools):
        waiter = Waiter()
        for number in range(2):
            waiter.hand(spool, store.encode(a_decision(f"dec_{name}_{number}")), b"%d" % number)
            waiter.wait_for(number + 1)
    for keeper in keepers:
        keeper.look()
    assert asked == [], "the disk does not work yet"
    for disk in disks:
        disk.is_repaired = True
    for _ in range(3):
        for keeper in keepers:
            keeper.look()
    assert asked == [0], "one asks for all"
    for spool in spools:
        draining.drain(work, spool)
        spool.close()
    for keeper in keepers:
        keeper.tell()
    assert in_ledger(work) == {"dec_0_0", "dec_1_0"}
    assert (completeness(work).lost, completeness(work).missing) == (2, 0)


def test_without_a_supervisor_a_worker_says_that_it_must_be_restarted(
    work: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUPERVISOR_PID", "1")  # inherited from somebody else's
    disk = FailingDisk()
    spool, waiter = Spool(work.home / "spool", 1 << 20, call_all, disk), Waiter()
    for number in range(2):
        waiter.hand(spool, store.encode(a_decision(f"dec_{number}")), b"%d" % number)
        waiter.wait_for(number + 1)
    disk.is_repaired = True
    with structlog.testing.capture_logs() as logs:
        Bookkeeper(work, spool).look()
    spool.close()
    assert [each["event"] for each in logs] == ["restart_needed"]


WORKER = """
import os, pathlib, random, sys, threading
from pilotage.decisions import store
from pilotage.decisions.durable import draining
from pilotage.platform.logs import configure
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import open_workspace
from pilotage.decisions.durable.spool import Spool
from tests.decisions.crashing import a_decision
home, name = pathlib.Path(sys.argv[1]), sys.argv[2]
configure("CRITICAL")  # what is said here are acknowledgements
work = open_workspace(Settings(home=home))
def committed(waiting, error):
    os.write(1, "".join(f"{each}\\n" for each in waiting if error is None).encode())
spool = Spool(home / "spool", 1 << 26, committed)
os.write(1, b"ready\\n")
def drain():
    while True:
        draining.drain(work, spool)
threading.Thread(target=drain, daemon=True).start()
number = 0
while True:
    number += 1
    spool.append(store.encode(a_decision(f"dec_{name}_{number:06}")), f"dec_{name}_{number:06}")
    threading.Event().wait(random.random() / 500)
"""


@pytest.mark.only_sqlite
def test_workers_killed_while_they_commit_and_drain_lose_and_repeat_nothing(work: Workspace) -> None:
    """``kill -9`` proves less than a lost page cache does; it proves that nothing waits for an orderly end."""
    chance, acknowledged = random.Random(6), set[str]()
    for life in range(2):
        workers = [
            subprocess.Popen(
                [sys.executable, "-c", WORKER, str(work.home), f"{life}_{number}"],
                stdout=subprocess.PIPE,
                text=True,
                env=HERE,
            )
            for number in range(2)
        ]
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "ready\n"
        time.sleep(chance.uniform(0.1, 0.6))
        for worker in workers:
            worker.send_signal(signal.SIGKILL)
        for worker in workers:
            said, _ = worker.communicate(timeout=10)
            acknowledged |= set(said.split("\n")[:-1])
    spool = a_spool(work)  # the next worker, on what they left
    draining.drain(work, spool)
    spool.close()
    assert len(acknowledged) > 50
    assert acknowledged <= in_ledger(work)
    assert segments(work.home / "spool") == []
    assert flow.verify_recorded(work).valid
    assert completeness(work).missing == 0


def test_two_workers_drain_one_folder_at_once_and_nothing_is_counted_twice(work: Workspace) -> None:
    spools = [a_spool(work) for _ in range(2)]
    stop = threading.Event()

    def drain(spool: Spool[Told]) -> None:
        while not stop.is_set():
            draining.drain(work, spool)

    drainers = [threading.Thread(target=drain, args=(spool,)) for spool in spools]
    for drainer in drainers:
        drainer.start()
    for number in range(20):
        for name, spool in enumerate(spools):
            hand(spool, [f"dec_{name}_{number:03}_{each}" for each in range(5)])
    stop.set()
    for drainer in drainers:
        drainer.join()
    for spool in spools:
        spool.close()
        draining.drain(work, spool)
    assert len(in_ledger(work)) == 200
    assert flow.verify_recorded(work).valid
    found = completeness(work)
    assert (found.answered, found.durable, found.missing) == (200, 200, 0)
