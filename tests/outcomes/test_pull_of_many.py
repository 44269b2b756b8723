"""Pulling the outcomes of many decisions: in the same memory however many, in short transactions, gone on with."""

from __future__ import annotations

import threading
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.outcomes.many import decided
from tests.review.arranging import NAME

from pilotage.data import flow as data
from pilotage.decisions.records import Said
from pilotage.outcomes import flow, store
from pilotage.outcomes.records import OutcomePull
from pilotage.platform.database import Database
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import Definition

MANY, MEGABYTES_MAX = 30_000, 25.0
WRITES_MS_MAX = 3_000.0


class Writes:
    """How long each write transaction held the lock, in milliseconds."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ms: list[float] = []
        real, held = Database.writing, self.ms

        @contextmanager
        def writing(database: Database) -> Iterator[sa.Connection]:
            with real(database) as connection:
                began = time.perf_counter()
                yield connection
            held.append((time.perf_counter() - began) * 1000)

        monkeypatch.setattr(Database, "writing", writing)


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 1e6


def joined(work: Workspace) -> int:
    with work.database.reading() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(store.outcomes)).scalar_one())


def test_what_is_held_in_memory_does_not_grow_with_the_ledger(
    work: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    definition = decided(work, tmp_path, MANY)
    writes = Writes(monkeypatch)
    tracemalloc.start()
    try:
        found = flow.pull(work, definition)
        megabytes = tracemalloc.get_traced_memory()[1] / 1e6
    finally:
        tracemalloc.stop()

    assert found.known == found.joined == joined(work) > 29_000
    assert found.known + found.waiting + found.missing + found.left == found.decisions == MANY
    assert megabytes < MEGABYTES_MAX
    assert len(writes.ms) > 5, "joined in one transaction, for which every other writer waits"


class Interrupted(Exception):
    """What a worker that is killed raises nowhere, and a test does."""


def test_a_pull_that_was_interrupted_is_gone_on_with(
    work: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "_LOOKED_AT", 100)
    definition, real, asked = decided(work, tmp_path, 1_000), data.reading_outcomes, list[int]()

    @contextmanager
    def cut(work: Workspace, definition: Definition) -> Iterator[data.OutcomesOf]:
        with real(work, definition) as outcomes_of:

            def until_cut(entities: Sequence[str]) -> dict[str, tuple[Said, datetime]]:
                asked.append(len(entities))
                if len(asked) == 4:
                    raise Interrupted
                return outcomes_of(entities)

            yield until_cut

    with monkeypatch.context() as patched:
        patched.setattr(data, "reading_outcomes", cut)
        with pytest.raises(Interrupted):
            flow.pull(work, definition)
    assert asked == [100, 100, 100, 100]
    assert joined(work) == 300

    found = flow.pull(work, definition)
    assert found.known == joined(work) == found.joined + 300
    assert found.known + found.waiting == 1_000


@pytest.mark.both_stores
def test_two_pulls_of_the_same_ledger_at_once_join_each_decision_once(
    work: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "_LOOKED_AT", 150)
    monkeypatch.setattr(flow, "_JOINED_AT_ONCE", 60)
    definition, found = decided(work, tmp_path, 2_000), list[OutcomePull]()
    threads = [threading.Thread(target=lambda: found.append(flow.pull(work, definition))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 3
    assert sum(each.joined for each in found) == joined(work) == found[0].known
    assert {each.revision for each in flow.newest(work, NAME).values()} == {1}
    assert all(each.known + each.waiting + each.missing + each.left == 2_000 for each in found)


@pytest.mark.long
@pytest.mark.only_sqlite
def test_half_a_million_decisions_are_joined_in_bounded_memory_and_short_transactions(
    work: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    n = 500_000
    definition = decided(work, tmp_path, n)
    flow_before, peak, done = resident_mb(), [0.0], threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            peak[0] = max(peak[0], resident_mb())

    writes, watching = Writes(monkeypatch), threading.Thread(target=watch)
    watching.start()
    try:
        found = flow.pull(work, definition)
    finally:
        done.set()
        watching.join()
    grown, longest = peak[0] - flow_before, max(writes.ms)
    with capsys.disabled():
        print(f"\nn = {n:,}: +{grown:.0f} MB, longest write transaction {longest:.0f} ms of {len(writes.ms)}")
    assert found.known == joined(work) > 490_000
    assert grown < 400
    assert longest < WRITES_MS_MAX
