"""Promise 4: swap and roll back under load. Every question is answered, each by exactly one version."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter

import pytest

from pilotage.data.live import LiveColumns
from pilotage.decisions import store as ledger
from pilotage.decisions.answering.service import Service
from pilotage.decisions.answering.serving import open_serving
from pilotage.decisions.records import Answer
from pilotage.govern.records import SYSTEM, Grant, Principal, Role
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.releases.records import Stage, Version
from tests.decisions.test_service import BODY
from tests.living import NAME
from tests.promises.table import Promise
from tests.releases.distinguishable import SAYS, adopted, version_saying

APP = Principal("key_1", "app", "key", (Grant(Role.APP, NAME),))
ASKERS = 32
FEW, MANY = 600, 100_000
SHOWN = {(probability, probability >= threshold) for probability, threshold in SAYS.values()}


class Swapping:
    """Releases the second version, lets it answer, rolls back to the first, and again; a worker follows each time."""

    def __init__(self, work: Workspace, service: Service, second: Version) -> None:
        self.changes = 0
        self.failed: Exception | None = None
        self._work, self._service, self._second = work, service, second
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Swapping:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        definition = self._service.following.servings[NAME].definition
        try:
            while not self._stop.is_set():
                releasing.release(self._work, definition, self._second, SYSTEM, "swap")
                self._follow()
                releasing.set_stage(self._work, NAME, Stage.ASSIST, 1.0, SYSTEM, "go")
                self._follow()
                releasing.roll_back(self._work, NAME, SYSTEM, "back")
                self._follow()
                self.changes += 2
        except Exception as error:  # noqa: BLE001  raised again by the test
            self.failed = error

    def _follow(self) -> None:
        self._service.following.look_at_switches()
        self._stop.wait(0.01)


def swapped(work: Workspace, count: int) -> tuple[list[Answer | Exception], int]:
    """So many answers, or what was raised in place of one, and how often the version changed meanwhile."""
    definition = adopted(work)
    first, second = (version_saying(work, definition, number) for number in (1, 2))
    releasing.release(work, definition, first, SYSTEM, "first")
    releasing.set_stage(work, NAME, Stage.ASSIST, 1.0, SYSTEM, "go")
    service = Service(work)
    service.following.servings = {NAME: open_serving(work, definition, LiveColumns(definition, [], {}, None))}
    answers: list[Answer | Exception] = []
    left = iter(range(count))

    async def asker() -> None:
        for _ in left:
            try:
                answers.append(await service.answer(NAME, BODY, APP))
            except Exception as error:  # noqa: BLE001  counted by the test
                answers.append(error)

    async def all_of_them() -> None:
        await asyncio.gather(*(asker() for _ in range(ASKERS)))

    with Swapping(work, service, second) as swapping:
        asyncio.run(all_of_them())
    service.drain()
    service.close()
    if swapping.failed is not None:
        raise swapping.failed
    return answers, swapping.changes


def demand_whole(work: Workspace, answers: list[Answer | Exception]) -> Counter[object]:
    """Each answer and each record of one version; how many said what."""
    said: Counter[object] = Counter(
        repr(each) if isinstance(each, Exception) else (each.produced_by, each.probability, each.positive)
        for each in answers
    )
    by_rule = ("rule", None, True)  # in shadow, between a release and its stage
    assert set(said) <= {by_rule} | {("model", *each) for each in SHOWN}, said
    numbers = {each.id: each.number for each in releasing.versions(work, NAME)}
    with work.database.reading() as connection:
        kept = ledger.recent(connection, NAME, len(answers) + 1)
    assert len(kept) == len(answers), "every answer is in the ledger, once"
    for decision in kept:
        probability, threshold = SAYS[numbers[decision.version or ""]]
        assert (decision.probability, decision.model_answer) == (probability, probability >= threshold)
    return said


def test_each_of_some_hundred_answers_is_wholly_of_one_version(work: Workspace, promise: Promise) -> None:
    answers, changes = swapped(work, FEW)
    demand_whole(work, answers)
    assert changes >= 2
    figure = f"0 of two versions, {changes:,} changes"
    promise(4, figure=figure, n=len(answers), passed=len(answers) == FEW)


@pytest.mark.long
def test_a_hundred_thousand_answers_none_failed_and_each_of_one_version(work: Workspace, promise: Promise) -> None:
    answers, changes = swapped(work, MANY)
    said = demand_whole(work, answers)
    failed = sum(isinstance(each, Exception) for each in answers)
    assert changes > 100
    assert {("model", *each) for each in SHOWN} <= set(said), "both versions answered"
    figure = f"{failed} failed, 0 of two versions, {changes:,} changes"
    promise(4, figure=figure, n=len(answers), passed=failed == 0 and len(answers) == MANY)
