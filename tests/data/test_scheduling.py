"""When the job runner reads a source: as often as its file says, less often while it fails, never two at once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
from structlog.testing import capture_logs

from pilotage.data import flow, store
from pilotage.data.flow.leasing import LEASE
from pilotage.data.flow.retrying import Patience
from pilotage.data.records import SourceState, Span
from pilotage.data.rules.refreshing import is_due, wait
from pilotage.data.sources.asked import Asked
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import PilotageError, SourceUnavailable
from pilotage.platform.processes import this_process
from pilotage.platform.workspace import Workspace
from tests.data.conftest import DAY
from tests.data.reading import reads
from tests.data.shop import TEXT, shop
from tests.data.stored import result_of, versions

HOURLY = TEXT.replace("    table: visits\n", "    table: visits\n    refresh: 1 hour\n")
NEVER = Patience(sleep=lambda seconds: None)


def test_each_source_is_read_as_often_as_its_file_says(work: Workspace, shop_path: Path, clock: FixedClock) -> None:
    assert len(flow.sync_due(work, shop(HOURLY))) == 3
    assert flow.sync_due(work, shop(HOURLY)) == []
    clock.advance(timedelta(seconds=30))
    assert [result.source for result in flow.sync_due(work, shop(HOURLY))] == ["orders", "returns"]
    clock.advance(timedelta(hours=1))
    assert len(flow.sync_due(work, shop(HOURLY))) == 3
    clock.advance(timedelta(seconds=1))
    flow.sync(work, shop(HOURLY))
    state = flow.states(work, "returns")["visits"]
    assert state.last_try == state.last_success == state.read_until == clock.now()


def test_a_failing_source_is_tried_ever_more_seldom_and_says_since_when_and_why(
    work: Workspace, shop_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow.sync_due(work, shop())
    shop_path.rename(shop_path.with_name("away.db"))
    clock.advance(timedelta(minutes=1))
    since, tries = clock.now(), 0
    with capture_logs() as logs:
        for _ in range(240):
            try:
                flow.sync_due(work, shop())
            except SourceUnavailable:
                tries += 1
            clock.advance(timedelta(minutes=1))
    state = flow.states(work, "returns")["visits"]
    assert state.failures == tries == 10
    assert (state.failing_since, state.last_success) == (since, since - timedelta(minutes=1))
    assert "no SQLite file" in state.error
    assert len([entry for entry in logs if entry["event"] == "source_failing"]) == 3 * tries
    shop_path.with_name("away.db").rename(shop_path)
    clock.advance(timedelta(hours=1))
    flow.sync_due(work, shop())
    state = flow.states(work, "returns")["visits"]
    assert (state.failures, state.failing_since, state.error) == (0, None, "")


def test_waits_double_up_to_an_hour_and_a_source_read_once_a_day_is_tried_sooner() -> None:
    def failing(times: int) -> SourceState:
        return SourceState("visits", DAY, None, None, times, DAY, "away")

    every = timedelta(days=1)
    assert wait(failing(0), every) == every
    assert [wait(failing(times), every).seconds // 60 for times in (1, 2, 3, 6, 7, 100)] == [1, 2, 4, 32, 60, 60]
    assert wait(failing(1), timedelta(seconds=10)) == timedelta(seconds=10)
    assert is_due(None, every, DAY)
    assert not is_due(failing(1), every, DAY + timedelta(seconds=59))
    assert is_due(failing(1), every, DAY + timedelta(seconds=60))


@pytest.mark.both_stores
def test_two_syncs_at_once_read_every_row_once_and_both_succeed(
    work: Workspace, shop_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results: list[object] = []

    def background() -> None:
        try:
            results.append(flow.sync_due(work, shop()))
        except PilotageError as failure:
            results.append(failure)

    def manual() -> None:
        try:
            results.append(flow.sync(work, shop()))
        except PilotageError as failure:
            results.append(failure)

    threads = [Thread(target=run) for run in (background, manual, manual)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [type(result) for result in results] == [list] * 3
    for source, rows in (("orders", 60), ("visits", 150), ("returns", 60)):
        assert len(versions(work, source)) == rows
    with work.database.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM snapshots").scalar() == 3


@pytest.mark.both_stores
def test_while_one_sync_reads_a_source_another_waits_and_then_says_so(work: Workspace, shop_path: Path) -> None:
    with work.database.writing() as control:
        holder = f"{this_process()}.other"
        store.lease(control, "returns", "visits", holder, work.clock.now(), work.clock.now() + LEASE)
    slept: list[float] = []
    with pytest.raises(SourceUnavailable, match="visits is being read by another sync"):
        flow.sync(work, shop(), Patience(sleep=slept.append))
    assert sum(slept) == pytest.approx(20)
    assert flow.snapshot(work, "returns", "orders").rows == 60
    with work.database.writing() as control:
        control.exec_driver_sql("DELETE FROM snapshots")
        control.exec_driver_sql("UPDATE source_state SET last_try = NULL")
    assert [result.source for result in flow.sync_due(work, shop())] == ["orders", "returns"]


def test_the_lease_of_a_sync_that_died_is_taken_over(work: Workspace, shop_path: Path, clock: FixedClock) -> None:
    machine, boot, number, _ = this_process().split("-")
    died = f"{machine}-{boot}-{number}-other.token"
    elsewhere = f"elsewhere-{boot}-{number}-life.token"
    with work.database.writing() as control:
        store.lease(control, "returns", "visits", died, clock.now(), clock.now() + LEASE)
        store.lease(control, "returns", "orders", elsewhere, clock.now(), clock.now() + LEASE)
    assert {result.source for result in flow.sync_due(work, shop())} == {"visits", "returns"}
    clock.advance(LEASE)
    assert result_of(flow.sync_due(work, shop()), "orders").rows_new == 60


def test_a_sync_that_lost_its_lease_publishes_nothing(
    work: Workspace, shop_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(asked: Asked, span: Span) -> None:
        with work.database.writing() as control:
            control.exec_driver_sql("UPDATE source_state SET leased_by = 'somebody else' WHERE source = 'visits'")

    reads(monkeypatch, lose)
    with pytest.raises(SourceUnavailable, match="another sync of it began"):
        flow.sync(work, shop(), NEVER)
    assert flow.snapshot(work, "returns", "orders").rows == 60
    with pytest.raises(PilotageError, match="never read"):
        flow.snapshot(work, "returns", "visits")
