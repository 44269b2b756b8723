"""Gates read what the live version did, and nothing grows without them."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from tests.living import NAME, happened, release
from tests.review.arranging import adopt, recorded

from pilotage.decisions.jobs import store as jobs
from pilotage.decisions.jobs.records import BatchJob
from pilotage.govern.records import SYSTEM
from pilotage.platform.errors import GateClosed
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.releases.records import Stage
from pilotage.rollout import flow
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Definition

pytestmark = pytest.mark.both_stores
IN_SHADOW = {"stage": "shadow", "arm": "rule", "produced_by": "rule", "reason": "shadow"}
SILENT = {**IN_SHADOW, "probability": None, "model_answer": None, "band": None}


def assisting(work: Workspace, share: float = 0.2) -> Definition:
    definition = adopt(work)
    release(work, definition, 1)
    releasing.set_stage(work, NAME, Stage.ASSIST, share, SYSTEM, "by a test")
    return definition


def test_only_what_the_live_version_did_counts(work: Workspace) -> None:
    definition = adopt(work)
    first = release(work, definition, 1).version
    for _ in range(3):
        happened(work, recorded(work, version=first, **IN_SHADOW).id, True, work.clock.now())
    second = release(work, definition, 2).version
    happened(work, recorded(work, version=second, **IN_SHADOW).id, True, work.clock.now())
    recorded(work, version=second, **SILENT, model_failure="too_slow")

    found = flow.gather(work, definition)

    assert found.version is not None and found.version.number == 2
    assert (found.operation.decisions, found.operation.model_asked, found.operation.matured) == (2, 2, 1)
    assert found.operation.failures == {"too_slow": 1}


def test_before_a_release_nothing_counts(work: Workspace) -> None:
    definition = adopt(work)
    recorded(work, version=None, produced_by="rule", reason="no_version", probability=None)
    found = flow.gather(work, definition)
    assert (found.version, found.operation.decisions) == (None, 0)


def test_while_it_was_off_the_model_was_not_asked(work: Workspace) -> None:
    definition = adopt(work)
    version = release(work, definition, 1).version
    recorded(work, version=version, **{**SILENT, "stage": "off", "reason": "off"})
    assert flow.gather(work, definition).operation.model_asked == 0


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_a_larger_share_asks_the_gates_and_beyond_the_agreed_one_the_rollout_gate(
    work: Workspace, share: float
) -> None:
    definition = assisting(work)
    with pytest.raises(GateClosed, match=f"assist for {share:.0%} of entities.*rollout INCONCLUSIVE"):
        flow.advance(work, definition, Stage.ASSIST, SYSTEM, "more", share)
    assert releasing.live(work, NAME).share == 0.2
    evidence = defining.latest_evidence(work, NAME, "gate")
    assert evidence is not None and evidence.body["share"] == share


def test_back_to_the_agreed_share_asks_the_gates_of_assist_only(work: Workspace) -> None:
    definition = assisting(work, share=0.1)
    with pytest.raises(GateClosed) as closed:
        flow.advance(work, definition, Stage.ASSIST, SYSTEM, "as agreed")
    assert "rollout" not in closed.value.message


def test_a_smaller_share_asks_no_gate(work: Workspace) -> None:
    definition = assisting(work, share=1.0)
    assert flow.advance(work, definition, Stage.ASSIST, SYSTEM, "less", 0.5).share == 0.5


def test_rows_of_jobs_count_as_files_and_never_as_questions_of_apps(work: Workspace) -> None:
    definition = adopt(work)
    version = release(work, definition, 1).version
    now = work.clock.now()
    for number, (state, late) in enumerate((("done", False), ("done", True), ("failed", False), ("cancelled", False))):
        job = BatchJob(f"job_{number}", NAME, "key_1", "nightly", "csv", state, now, b"0" * 16, rows_refused=2)
        finished = now + timedelta(hours=2 if late else 0)
        with work.database.writing() as connection:
            jobs.add(connection, msgspec.structs.replace(job, finished_at=finished))
        if state == "done":
            for _ in range(3):
                recorded(work, version=version, job=job.id, **IN_SHADOW)
    recorded(work, version=version, **IN_SHADOW)

    found = flow.gather(work, definition).operation

    assert (found.service.asked, found.runs.rows) == (1, 6)
    assert (found.runs.counted, found.runs.in_time, found.runs.refused) == (3, 1, 6)
