"""The ledger in PostgreSQL: long segments, repeated ones, and a record that verifies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.postgres import NoPostgres, scratch_cluster

from pilotage.decisions import draining, flow, store
from pilotage.decisions.records import Decision
from pilotage.platform.clock import FixedClock
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace

pytestmark = pytest.mark.postgres
LONG = 12_000


@pytest.fixture
def work(tmp_path: Path, clock: FixedClock) -> Iterator[Workspace]:
    try:
        with scratch_cluster() as url:
            opened = open_workspace(Settings(home=tmp_path / "home", database_url=url), clock)
            yield opened
            opened.close()
    except NoPostgres as reason:
        pytest.skip(str(reason))


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
    with work.database.writing() as connection:
        connection.execute(store.decisions.update().where(store.decisions.c.id == "dec_00000007").values(band="low"))
    assert not flow.verify_recorded(work).valid
