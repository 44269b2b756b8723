"""Models that are slow, hang, fail or are asked too often: each costs its own callers, and only for a while."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
import time
from collections.abc import Callable, Iterator

import msgspec
import pytest
from tests.decisions import test_service as small

from pilotage.decisions.deadlines import Deadline, deadline
from pilotage.decisions.rules import Opinion
from pilotage.decisions.scoring import CHARGED_MAX, Scoring
from pilotage.decisions.serving import Question, Serving
from pilotage.platform.breaker import Breaker
from pilotage.platform.workspace import Workspace
from pilotage.releases.records import Stage
from pilotage.usecase.records import Definition

definition = small.definition


@pytest.fixture
def scoring() -> Iterator[Scoring]:
    made = Scoring(breaker=lambda: Breaker(failures_max=3, pause_seconds=0.2))
    yield made
    made.close()


def asked(ready: Serving, work: Workspace) -> Question:
    return ready.ask(small.BODY, work.clock.now())


def soon(milliseconds: float = 50) -> Deadline:
    return deadline(time.perf_counter(), milliseconds)


def test_a_quick_model_is_asked_in_the_callers_thread_and_another_one_is_not(
    work: Workspace, definition: Definition, scoring: Scoring
) -> None:
    threads: list[str] = []

    def score() -> float:
        threads.append(threading.current_thread().name)
        return 0.6

    ready = small.serving(definition, small.Model(score))
    for quick in (True, False):
        one = dataclasses.replace(ready, quick=quick)
        said = asyncio.run(scoring.opinion(one, asked(one, work), soon()))
        assert said.said is not None and said.said.score == 0.6
    assert threads[0] == threading.current_thread().name
    assert threads[1].startswith("scoring")


def test_a_quick_model_that_is_slow_three_times_is_no_longer_waited_for(
    work: Workspace, definition: Definition, scoring: Scoring
) -> None:
    def score() -> float:
        time.sleep(0.1)
        return 0.6

    ready = dataclasses.replace(small.serving(definition, small.Model(score)), quick=True)

    async def ask() -> list[str]:
        question = asked(ready, work)
        return [(await scoring.opinion(ready, question, soon())).failure for _ in range(4)]

    assert asyncio.run(ask()) == ["", "", "", "too_slow"]


def test_a_hanging_model_keeps_its_slots_and_the_rest_is_told_at_once(
    work: Workspace, definition: Definition, scoring: Scoring
) -> None:
    hold = threading.Event()

    def score() -> float:
        hold.wait(5)
        return 0.6

    ready = small.serving(definition, small.Model(score))
    other = msgspec.structs.replace(ready.live, version="ver_2")

    async def ask() -> tuple[list[Opinion], Opinion, float]:
        question = asked(ready, work)
        first = [asyncio.create_task(scoring.opinion(ready, question, soon(10_000))) for _ in range(CHARGED_MAX)]
        await asyncio.sleep(0.05)
        began = time.perf_counter()
        late = await scoring.opinion(dataclasses.replace(ready, live=other), question, soon(10_000))
        taken = time.perf_counter() - began
        hold.set()
        return await asyncio.gather(*first), late, taken

    said, late, taken = asyncio.run(ask())
    assert late.failure == "overloaded"
    assert taken < 0.5
    assert {one.failure for one in said} == {""}


def test_after_failures_in_a_row_a_version_is_left_alone_and_then_tried_again(
    work: Workspace, definition: Definition, scoring: Scoring
) -> None:
    answers: list[Callable[[], float]] = [small.raising]
    calls = 0

    def score() -> float:
        nonlocal calls
        calls += 1
        return answers[0]()

    ready = dataclasses.replace(small.serving(definition, small.Model(score)), quick=True)

    async def ask() -> list[str]:
        question, said = asked(ready, work), []
        for _ in range(5):
            said.append((await scoring.opinion(ready, question, soon())).failure)
        answers[0] = lambda: 0.6
        await asyncio.sleep(0.25)
        said.append((await scoring.opinion(ready, question, soon())).failure)
        return said

    assert asyncio.run(ask()) == ["model_failed"] * 3 + ["circuit_open"] * 2 + [""]
    assert calls == 4


def test_a_probe_that_told_nothing_leaves_the_next_one_to_try(
    work: Workspace, definition: Definition, scoring: Scoring
) -> None:
    scores: list[Callable[[], float]] = [small.raising]
    ready = small.serving(definition, small.Model(lambda: scores[0]()))

    def hanging() -> float:
        time.sleep(0.3)
        return 0.6

    async def ask() -> list[str]:
        question = asked(ready, work)
        for _ in range(3):
            await scoring.opinion(ready, question, soon())
        await asyncio.sleep(0.25)
        late = await scoring.opinion(ready, question, deadline(time.perf_counter() - 1, 50))
        scores[0] = hanging
        probe = asyncio.create_task(scoring.opinion(ready, question, soon(5_000)))
        await asyncio.sleep(0.05)
        probe.cancel()
        await asyncio.gather(probe, return_exceptions=True)
        scores[0] = lambda: 0.6
        return [late.failure, (await scoring.opinion(ready, question, soon(5_000))).failure]

    assert asyncio.run(ask()) == ["too_slow", ""]


def test_another_version_is_not_blamed_for_the_one_before(
    work: Workspace, definition: Definition, scoring: Scoring
) -> None:
    broken = dataclasses.replace(small.serving(definition, small.Model(small.raising)), quick=True)
    mended = dataclasses.replace(
        small.serving(definition, small.Model(lambda: 0.6)),
        quick=True,
        live=msgspec.structs.replace(broken.live, version="ver_2"),
    )

    async def ask() -> list[str]:
        question = asked(broken, work)
        said = [(await scoring.opinion(broken, question, soon())).failure for _ in range(4)]
        return [*said, (await scoring.opinion(mended, question, soon())).failure]

    assert asyncio.run(ask())[-2:] == ["circuit_open", ""]


def test_a_caller_whose_time_is_up_does_not_begin_a_score(
    work: Workspace, definition: Definition, scoring: Scoring
) -> None:
    calls: list[int] = []
    ready = small.serving(definition, small.Model(lambda: calls.append(1) or 0.6))  # type: ignore[func-returns-value]
    said = asyncio.run(scoring.opinion(ready, asked(ready, work), deadline(time.perf_counter() - 1, 50)))
    assert (said.failure, calls) == ("too_slow", [])


def test_where_even_the_fallback_fails_nothing_is_decided(
    work: Workspace, definition: Definition, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = small.serving(definition, small.Model(lambda: 0.6), Stage.SHADOW)

    def broken(inputs: object) -> object:
        raise ValueError("a rule that cannot be asked")

    answer = small.ask(work, dataclasses.replace(ready, rule=broken))
    assert (answer.produced_by, answer.reason, answer.action, answer.positive) == ("none", "no_decision", "", None)
    assert answer.because == "Neither model nor rule nor default could be asked: nothing was decided."
