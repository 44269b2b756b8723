"""Models that are slow, hang, fail or are asked too often: each costs its own callers, and only for a while."""

from __future__ import annotations

import asyncio
import dataclasses
import math
import threading
import time
from collections.abc import Callable, Iterator

import msgspec
import pytest
from tests.decisions import test_service as small

from pilotage.decisions.answering.deadlines import Deadline, deadline
from pilotage.decisions.answering.scoring import CHARGED_MAX, Scoring
from pilotage.decisions.answering.serving import Question, Serving
from pilotage.decisions.rules import Opinion
from pilotage.platform.breaker import Breaker
from pilotage.platform.workspace import Workspace
from pilotage.releases.records import Stage
from pilotage.usecase.records import Definition

definition = small.definition
PAUSE_SECONDS = 30.0
AWAY_SECONDS = 10.0
"""Of a breaker; of a quick model that was slow, until it is tried again."""


class Hands:
    """The clock, and what a test puts it forward by: nobody waits, and a machine that stands still changes nothing."""

    def __init__(self) -> None:
        self._forward = 0.0

    def put_forward(self, seconds: float) -> None:
        self._forward += seconds

    def perf_counter(self) -> float:
        return time.perf_counter() + self._forward


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    made = Hands()
    monkeypatch.setattr("pilotage.decisions.answering.scoring.time", made)
    return made


@pytest.fixture
def scoring(hands: Hands) -> Iterator[Scoring]:
    made = Scoring(breaker=lambda: Breaker(failures_max=3, pause_seconds=PAUSE_SECONDS, clock=hands.perf_counter))
    yield made
    made.close()


def asked(ready: Serving, work: Workspace) -> Question:
    return ready.ask(small.BODY, work.clock.now())


def soon(milliseconds: float = 5_000) -> Deadline:
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
        return [(await scoring.opinion(ready, question, soon(50))).failure for _ in range(4)]

    assert asyncio.run(ask()) == ["", "", "", "too_slow"]


def test_a_quick_model_that_was_slow_is_tried_again_and_left_alone_longer_where_it_still_is(
    work: Workspace, definition: Definition, scoring: Scoring, hands: Hands
) -> None:
    threads: list[bool] = []
    seconds = 0.02

    def score() -> float:
        threads.append(threading.current_thread() is threading.main_thread())
        time.sleep(seconds)
        return 0.6

    ready = dataclasses.replace(small.serving(definition, small.Model(score)), quick=True)

    async def ask(times: int) -> list[bool]:
        threads.clear()
        for _ in range(times):
            await scoring.opinion(ready, asked(ready, work), soon())
        return list(threads)

    async def again() -> list[list[bool]]:
        nonlocal seconds
        said = [await ask(4)]
        hands.put_forward(AWAY_SECONDS * 1.3)
        said.append(await ask(2))
        hands.put_forward(AWAY_SECONDS * 1.3)
        said.append(await ask(1))
        seconds = 0.0
        hands.put_forward(AWAY_SECONDS * 1.3)
        said.append(await ask(2))
        return said

    first, second, third, last = asyncio.run(again())
    assert first == [True, True, True, False]
    assert second == [True, False], "once more is enough"
    assert third == [False], "twice as long"
    assert last == [True, True]


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
    assert taken < 4, "it does not wait until a slot is free"
    assert {one.failure for one in said} == {""}


def test_what_never_had_its_turn_is_no_fault_of_the_model(
    work: Workspace, definition: Definition, scoring: Scoring
) -> None:
    hold = threading.Event()

    def score() -> float:
        hold.wait(10)
        return 0.6

    ready = small.serving(definition, small.Model(score))

    async def ask() -> tuple[list[str], bool, int]:
        question = asked(ready, work)
        running = [asyncio.create_task(scoring.opinion(ready, question, soon(10_000))) for _ in range(2)]
        await asyncio.sleep(0.05)
        late = await asyncio.gather(*(scoring.opinion(ready, question, soon(100)) for _ in range(20)))
        hold.set()
        await asyncio.gather(*running)
        await asyncio.sleep(0)
        return [each.failure for each in late], scoring.breaker(ready).is_open, scoring._charged

    assert asyncio.run(ask()) == (["overloaded"] * 20, False, 0)


@pytest.mark.parametrize(
    ("bad", "failure"), [(small.raising, "model_failed"), (lambda: math.nan, "not_finite")], ids=["raises", "nan"]
)
def test_after_failures_in_a_row_a_version_is_left_alone_and_then_tried_again(
    work: Workspace, definition: Definition, scoring: Scoring, hands: Hands, bad: Callable[[], float], failure: str
) -> None:
    answers = [bad]
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
        hands.put_forward(PAUSE_SECONDS * 1.2)
        said.append((await scoring.opinion(ready, question, soon())).failure)
        return said

    assert asyncio.run(ask()) == [failure] * 3 + ["circuit_open"] * 2 + [""]
    assert calls == 4


def test_a_probe_that_told_nothing_leaves_the_next_one_to_try(
    work: Workspace, definition: Definition, scoring: Scoring, hands: Hands
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
        hands.put_forward(PAUSE_SECONDS * 1.2)
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


def test_a_caller_without_patience_does_not_open_the_breaker_and_an_overrun_of_the_budget_does(
    work: Workspace, definition: Definition, scoring: Scoring
) -> None:
    seconds = 0.03

    def score() -> float:
        time.sleep(seconds)
        return 0.6

    ready = small.serving(definition, small.Model(score))

    async def ask(patience_ms: float, budget_ms: float) -> str:
        due = deadline(time.perf_counter(), budget_ms, patience_ms)
        return (await scoring.opinion(ready, asked(ready, work), due)).failure

    async def hurried_then_patient(budget_ms: float) -> str:
        told: list[str] = []
        while told.count("too_slow") < 3:  # overloaded is what is said where its thread had its turn late
            told.append(await ask(10, budget_ms))
            while scoring._charged or scoring._judging:
                await asyncio.sleep(0.005)
        assert set(told) <= {"too_slow", "overloaded"}
        return await ask(5_000, 5_000)

    assert asyncio.run(hurried_then_patient(5_000)) == ""
    assert asyncio.run(hurried_then_patient(20)) == "circuit_open"
