"""When a disk is full, fails or hangs: in shadow nobody notices, in assist it is said, and nothing acts unrecorded."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from tests.decisions.test_service import APP, BODY, Model, definition, running, serving
from tests.decisions.test_spool import FailingDisk, HangingDisk

from pilotage.decisions import flow, rules
from pilotage.decisions.answering.service import Service
from pilotage.decisions.durable import draining
from pilotage.decisions.durable.completeness import completeness
from pilotage.decisions.durable.disk import Disk
from pilotage.decisions.durable.recording import LATENESS_SECONDS, WRITE_SECONDS, Recording
from pilotage.decisions.records import Answer
from pilotage.platform.errors import NotFound
from pilotage.platform.workspace import Workspace
from pilotage.releases.records import Stage
from pilotage.usecase.records import Definition

__all__ = ["definition"]
BUDGET_SECONDS = 0.05
SLACK_SECONDS = 0.5
"""For a machine that is busy elsewhere."""


async def ask(service: Service) -> tuple[Answer, float]:
    began = time.perf_counter()
    answer = await service.answer("small", BODY, APP)
    return answer, time.perf_counter() - began


def on(disk: Disk, service: Service) -> Service:
    """The same service over this disk."""
    service._recording.close()
    service._recording = Recording(service.work.home / "spool", 1 << 24, disk)
    service._bookkeeper._spool = service._recording.spool
    return service


def kept(work: Workspace, answer: Answer) -> Answer | None:
    try:
        return rules.answer_of(flow.find(work, answer.id))
    except NotFound:
        return None


@pytest.mark.parametrize(
    ("stage", "producer"), [(Stage.SHADOW, "rule"), (Stage.ASSIST, "model"), (Stage.AUTOMATE, "rule")]
)
def test_after_a_failed_sync_each_stage_does_what_it_says(
    work: Workspace, definition: Definition, stage: Stage, producer: str
) -> None:
    async def three() -> list[Answer]:
        async with running(work, serving(definition, Model(lambda: 0.6), stage)) as service:
            on(FailingDisk(), service)
            return [(await ask(service))[0] for _ in range(3)]

    first, *later = asyncio.run(three())
    assert "not_recorded" not in first.flags
    assert kept(work, first) == first
    for answer in later:
        assert answer.produced_by == producer
        assert "not_recorded" in answer.flags
        assert answer.reason == ("not_recorded" if stage is Stage.AUTOMATE else first.reason)
        assert kept(work, answer) is None
    found = completeness(work)
    assert (found.answered, found.durable, found.lost, found.missing) == (3, 1, 2, 0)


@pytest.mark.parametrize("stage", [Stage.SHADOW, Stage.ASSIST, Stage.AUTOMATE])
def test_a_record_that_waits_too_long_is_withdrawn_at_the_deadline(
    work: Workspace, definition: Definition, stage: Stage
) -> None:
    async def behind_another() -> tuple[Answer, float]:
        async with running(work, serving(definition, Model(lambda: 0.6), stage)) as service:
            disk = HangingDisk()
            on(disk, service)
            disk.lets.clear()
            earlier = asyncio.create_task(ask(service))
            await asyncio.to_thread(disk.is_hanging.wait, 5)
            late = await ask(service)
            disk.lets.set()
            await earlier
            return late

    answer, seconds = asyncio.run(behind_another())
    assert BUDGET_SECONDS <= seconds < BUDGET_SECONDS + LATENESS_SECONDS + SLACK_SECONDS
    assert answer.produced_by == ("model" if stage is Stage.ASSIST else "rule")
    assert "not_recorded" in answer.flags
    assert kept(work, answer) is None


@pytest.mark.parametrize(("stage", "producer"), [(Stage.ASSIST, "model"), (Stage.AUTOMATE, "rule")])
def test_a_write_that_hangs_is_waited_for_a_second_and_never_becomes_durable_as_something_else(
    work: Workspace, definition: Definition, stage: Stage, producer: str
) -> None:
    async def hanging() -> tuple[Answer, float]:
        async with running(work, serving(definition, Model(lambda: 0.6), stage)) as service:
            disk = HangingDisk()
            on(disk, service)
            disk.lets.clear()
            found = await ask(service)
            again, seconds = await ask(service)
            assert "not_recorded" in again.flags
            assert seconds < SLACK_SECONDS, "nobody waits behind a disk that is known to hang"
            disk.lets.set()
            return found

    answer, seconds = asyncio.run(hanging())
    assert WRITE_SECONDS * 0.9 <= seconds < WRITE_SECONDS + SLACK_SECONDS
    assert answer.produced_by == producer
    assert "not_recorded" in answer.flags
    assert kept(work, answer) is None


def test_in_shadow_a_slow_write_is_not_waited_for_and_says_what_was_answered(
    work: Workspace, definition: Definition
) -> None:
    async def slow() -> tuple[Answer, float]:
        async with running(work, serving(definition, Model(lambda: 0.6), Stage.SHADOW)) as service:
            disk = HangingDisk()
            on(disk, service)
            disk.lets.clear()
            found = await ask(service)
            disk.lets.set()
            return found

    answer, seconds = asyncio.run(slow())
    assert seconds < BUDGET_SECONDS + LATENESS_SECONDS + SLACK_SECONDS
    assert (answer.produced_by, answer.flags) == ("rule", ("not_recorded",))
    landed = kept(work, answer)
    assert landed is not None
    assert (landed.positive, landed.action, landed.reason) == (answer.positive, answer.action, answer.reason)


def test_a_write_that_is_slower_than_the_deadline_is_still_recorded_where_the_model_answers(
    work: Workspace, definition: Definition
) -> None:
    async def slow() -> Answer:
        async with running(work, serving(definition, Model(lambda: 0.6), Stage.AUTOMATE)) as service:
            disk = HangingDisk()
            on(disk, service)
            disk.lets.clear()
            asyncio.get_running_loop().call_later(0.2, disk.lets.set)
            return (await ask(service))[0]

    answer = asyncio.run(slow())
    assert (answer.produced_by, answer.flags) == ("model", ())
    assert kept(work, answer) == answer


@pytest.mark.only_sqlite
def test_a_service_that_closes_while_the_database_is_away_leaves_its_spool_for_the_next(
    work: Workspace, definition: Definition
) -> None:
    database = Path(str(work.database.url.database))
    away = database.with_suffix(".away")

    async def without_database() -> Answer:
        async with running(work, serving(definition, Model(lambda: 0.6))) as service:
            answer, _ = await ask(service)
            work.database.close()
            database.rename(away)
            return answer

    answer = asyncio.run(without_database())
    work.database.close()
    away.rename(database)
    assert [each.id for each in draining.waiting(work.home / "spool")] == [answer.id]
    assert kept(work, answer) == answer
