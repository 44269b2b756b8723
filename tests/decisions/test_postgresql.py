"""The ledger in PostgreSQL: long segments, repeated ones, and a record that verifies."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import msgspec
import pytest

from pilotage.decisions import flow, store
from pilotage.decisions.durable import draining, tallies
from pilotage.decisions.records import Decision
from pilotage.platform.clock import FixedClock
from pilotage.platform.workspace import Workspace

pytestmark = [pytest.mark.postgres, pytest.mark.parametrize("store", ["postgresql"], indirect=True)]
LONG = 12_000
SHARED, BRINGERS = 300, 4


def a_decision(number: int, clock: FixedClock) -> Decision:
    return Decision(
        id=f"dec_{number:08}",
        use_case="small",
        entity=f"thing {number}",
        moment=clock.now(),
        decided_at=clock.now(),
        stage="assist",
        arm="model",
        version="ver_1",
        revision=1,
        produced_by="model",
        reason="model",
        answer=number % 2 == 0,
        action="Do it",
        probability=0.1 + number / (10 * LONG),
        model_answer=number % 2 == 0,
        rule_answer=None,
        band="high",
        review=False,
        flags=(),
        inputs={"size": number / 7, "colour": None},
        signals=(),
        asked_by="app",
        latency_us=250,
    )


def test_a_long_segment_is_kept_once_and_verifies(work: Workspace, clock: FixedClock) -> None:
    contents = [store.encode(a_decision(number, clock)) for number in range(LONG)]
    assert draining.keep(work, contents) == LONG
    assert draining.keep(work, contents) == 0
    assert flow.verify_recorded(work).valid
    assert flow.find(work, "dec_00000007") == msgspec.json.decode(contents[7], type=Decision)
    assert flow.newest_for(work, "small", "thing 7") == flow.find(work, "dec_00000007")
    with work.database.reading() as connection:
        sampled = store.sample(connection, "small", clock.now(), clock.now(), timedelta(days=1), 100)
    assert sampled is not None
    assert (sampled.count, len(sampled.decisions)) == (LONG, 100)
    with work.database.writing() as connection:
        connection.execute(store.decisions.update().where(store.decisions.c.id == "dec_00000007").values(band="low"))
    assert not flow.verify_recorded(work).valid


def test_of_two_that_bring_the_same_decisions_each_decision_is_recorded_by_one(
    work: Workspace, clock: FixedClock
) -> None:
    """As when a request was taken over from a worker that seemed dead: both made the decision durable."""
    sources = [tallies.Stream(f"writer-{number}", "here", SHARED + 1, 0, 0) for number in range(BRINGERS)]
    shared = [store.encode(a_decision(number, clock)) for number in range(SHARED)]
    barrier = Barrier(BRINGERS)

    def bring(number: int) -> int:
        own = store.encode(a_decision(SHARED + number, clock))
        barrier.wait()
        return draining.keep(work, [*shared, own], sources[number])

    with ThreadPoolExecutor(BRINGERS) as pool:
        assert sum(pool.map(bring, range(BRINGERS))) == SHARED + BRINGERS
    assert flow.verify_recorded(work).valid
    with work.database.reading() as connection:
        assert store.count(connection) == SHARED + BRINGERS
