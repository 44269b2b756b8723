"""Always an answer, in time, and recorded before it is given: the running service over a real installation."""

from __future__ import annotations

import asyncio
import dataclasses
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from pilotage.data.live import LiveColumns
from pilotage.decisions import flow, store
from pilotage.decisions.answering.scoring import THREADS
from pilotage.decisions.answering.service import Service
from pilotage.decisions.answering.serving import Serving
from pilotage.decisions.contract import Contract
from pilotage.decisions.durable import draining
from pilotage.decisions.durable.segments import framed
from pilotage.decisions.records import Answer
from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, Grant, Principal, Role
from pilotage.models.records import Manifest, Prediction, Signal
from pilotage.platform.errors import NotAllowed, NotFound
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.releases import store as releases
from pilotage.releases.records import Live, Stage
from pilotage.usecase.flow import adopt, parse_definition
from pilotage.usecase.records import Definition
from pilotage.usecase.rules.expressions import compile_row

FILE = """
use_case: small
title: Small
owner: owner@example.com
brief:
  workflow: Somebody decides.
  users: People
  decision: Do it or not.
  kpi: Cost
  latency_ms: 50
  value: {currency: USD, caught: 10, false_alarm: -5}
sources:
  things: {database: env:THINGS, table: things, key: [thing], event_time: at, known_at: at}
decision:
  entity: thing
  source: things
  moment: at
  request: {size: number, at: datetime, colour: {kind: category, required: false}}
outcome: {source: things, positive: size > 3, says: is large}
inputs: {size: request, colour: request}
rule: {positive: "size > 5", says: it is larger than five}
policy:
  actions: {positive: Do it, negative: Leave it}
  default: negative
"""
BODY = b'{"thing": "t1", "size": 7, "at": "2013-12-05T19:00:00Z"}'
MANIFEST = Manifest(
    format=1,
    use_case="small",
    candidate="linear",
    family="linear",
    kind="flag",
    definition="",
    training_set="",
    training_set_fingerprint="",
    code="",
    libraries={},
    parameters={},
    threshold=0.25,
    uncertain_low=0.2,
    uncertain_high=0.3,
    files={},
    made_at=datetime(2013, 12, 1, tzinfo=UTC),
)


class Model:
    """Answers with what the test wants, however the test wants it."""

    manifest = MANIFEST

    def __init__(self, score: Callable[[], float]) -> None:
        self._score = score

    def fits(self, definition: Definition) -> bool:
        return True

    def predict(self, values: dict[str, Any]) -> Prediction:
        score = self._score()
        return Prediction(score >= 0.25, score, review=0.2 <= score <= 0.3)

    def signals(self, values: dict[str, Any]) -> tuple[Signal, ...]:
        return (Signal("size", "7", "Size: 7", 0.4),)

    def unknown_categories(self, values: dict[str, Any]) -> tuple[str, ...]:
        return ("colour",) if values["colour"] == "unheard" else ()


def live(stage: Stage, enabled: bool = True) -> Live:
    at = datetime(2013, 12, 5, tzinfo=UTC)
    share = 1.0 if stage in (Stage.ASSIST, Stage.AUTOMATE) else 0.0
    return Live("small", "", "ver_1", None, stage, share, enabled, "test", 1, at, "test")


def serving(definition: Definition, model: Model | None, stage: Stage = Stage.ASSIST, quiet: str = "") -> Serving:
    return Serving(
        definition=definition,
        live=live(stage),
        contract=Contract(definition.plan),
        columns=LiveColumns(definition, [], {}, None),
        moment=compile_row(definition.plan.moment),
        rule=compile_row(definition.use_case.rule.expression),
        scorer=model,  # type: ignore[arg-type]
        quiet=quiet,
    )


@pytest.fixture
def definition(work: Workspace) -> Definition:
    return adopt(work, parse_definition(FILE, "small.yaml"), SYSTEM)


APP = Principal("key_1", "app", "key", (Grant(Role.APP, "small"),))


@asynccontextmanager
async def running(work: Workspace, ready: Serving) -> AsyncIterator[Service]:
    """A service that answers by this serving and nothing else."""
    service = Service(work)
    service.following.servings = {"small": ready}
    try:
        yield service
    finally:
        service.close()


def ask(work: Workspace, ready: Serving, body: bytes = BODY) -> Answer:
    async def once() -> Answer:
        async with running(work, ready) as service:
            return await service.answer("small", body, APP)

    return asyncio.run(once())


def test_in_assist_the_model_answers_with_its_reasons(work: Workspace, definition: Definition) -> None:
    answer = ask(work, serving(definition, Model(lambda: 0.6)))
    assert (answer.produced_by, answer.action, answer.band) == ("model", "Do it", "high")
    assert answer.signals[0]["sentence"] == "Size: 7"


def test_an_answer_near_the_threshold_goes_to_a_person(work: Workspace, definition: Definition) -> None:
    answer = ask(work, serving(definition, Model(lambda: 0.22)))
    assert (answer.band, answer.review, answer.positive) == ("uncertain", True, False)


def test_in_shadow_the_rule_answers_and_the_model_is_only_recorded(work: Workspace, definition: Definition) -> None:
    answer = ask(work, serving(definition, Model(lambda: 0.1), Stage.SHADOW))
    assert (answer.produced_by, answer.reason, answer.positive) == ("rule", "shadow", True)
    assert answer.probability is None
    assert answer.signals == ()
    assert not msgspec.json.encode(answer).count(b"probability")
    recorded = flow.find(work, answer.id)
    assert (recorded.probability, recorded.model_answer, recorded.rule_answer) == (0.1, False, True)


def raising() -> float:
    raise ValueError("a broken model")


def recursing() -> float:
    return recursing()


def exhausting() -> float:
    raise MemoryError


def slow() -> float:
    time.sleep(3)
    return 0.9


@pytest.mark.parametrize(
    ("score", "reason"),
    [
        (raising, "model_failed"),
        (recursing, "model_failed"),
        (exhausting, "model_failed"),
        (lambda: math.nan, "not_finite"),
        (slow, "too_slow"),
    ],
)
def test_whatever_the_model_does_the_rule_answers_in_time(
    work: Workspace, definition: Definition, score: Callable[[], float], reason: str
) -> None:
    began = time.perf_counter()

    async def once() -> tuple[Answer, float]:
        async with running(work, serving(definition, Model(score))) as service:
            answer = await service.answer("small", BODY, APP)
            return answer, time.perf_counter() - began

    answer, seconds = asyncio.run(once())
    assert (answer.produced_by, answer.reason, answer.positive) == ("rule", reason, True)
    assert seconds < 2


def test_while_scores_overrun_the_next_callers_are_still_answered(work: Workspace, definition: Definition) -> None:
    async def many() -> list[Answer]:
        async with running(work, serving(definition, Model(slow))) as service:
            asked = [service.answer("small", BODY.replace(b"t1", b"t%d" % n), APP) for n in range(20)]
            return await asyncio.wait_for(asyncio.gather(*asked), timeout=2)

    answers = asyncio.run(many())
    reasons = [answer.reason for answer in answers]
    assert reasons.count("too_slow") == THREADS
    assert reasons.count("overloaded") == len(answers) - THREADS, "they waited for their turn in vain"
    assert len({answer.id for answer in answers}) == 20


@pytest.mark.parametrize("quiet", ["disabled", "no_version", "definition_changed"])
def test_a_model_that_may_not_answer_is_not_asked(work: Workspace, definition: Definition, quiet: str) -> None:
    answer = ask(work, serving(definition, None, quiet=quiet))
    assert (answer.produced_by, answer.reason) == ("rule", quiet)
    assert answer.because


def test_where_the_rule_cannot_say_the_declared_default_answers(work: Workspace, definition: Definition) -> None:
    without_rule = msgspec.structs.replace  # the rule's column is null for this request
    body = BODY.replace(b'"size": 7', b'"size": null')
    plan = definition.plan
    size = without_rule(plan.request["size"], required=False)
    loose = without_rule(definition, plan=without_rule(plan, request={**plan.request, "size": size}))
    answer = ask(work, serving(loose, Model(raising)), body)
    assert (answer.produced_by, answer.reason, answer.action) == ("default", "missing_columns", "Leave it")


def test_an_unknown_category_is_answered_and_flagged(work: Workspace, definition: Definition) -> None:
    body = BODY.replace(b"}", b', "colour": "unheard"}')
    answer = ask(work, serving(definition, Model(lambda: 0.6)), body)
    assert answer.produced_by == "model"
    assert answer.flags == ("unknown_category:colour",)


def test_an_answer_is_durable_before_it_is_given(work: Workspace, definition: Definition) -> None:
    async def once() -> None:
        async with running(work, serving(definition, Model(lambda: 0.6))) as service:
            answer = await service.answer("small", BODY, APP)
            assert [each.id for each in draining.waiting(work.home / "spool")] == [answer.id]
            assert flow.find(work, answer.id).entity == "t1"

    asyncio.run(once())
    with work.database.reading() as connection:
        assert len(store.recent(connection, "small", 10)) == 1
    assert list(Path(work.home / "spool").iterdir()) == []


def test_what_a_dead_process_left_in_its_spool_reaches_the_ledger_once(work: Workspace, definition: Definition) -> None:
    answer = ask(work, serving(definition, Model(lambda: 0.6)))
    content = store.encode(flow.find(work, answer.id))
    for _ in range(2):  # the segment comes back twice, as after a crash between commit and removal
        assert draining.keep(work, [content]) == 0
    assert flow.verify_recorded(work).valid
    batches = list(governing.entries(work, "decisions.recorded"))
    assert [batch.detail["decisions"] for batch in batches] == [1]


def test_what_the_columns_tell_otherwise_is_found(work: Workspace, definition: Definition) -> None:
    ask(work, serving(definition, Model(lambda: 0.6)))
    with work.database.writing() as connection:
        connection.execute(store.decisions.update().values(answer=False))
    found = flow.verify_recorded(work)
    assert not found.valid
    assert "is told otherwise in its columns" in found.message


def test_a_decision_that_nobody_vouched_for_is_found(work: Workspace, definition: Definition) -> None:
    answer = ask(work, serving(definition, Model(lambda: 0.6)))
    forged = msgspec.structs.replace(flow.find(work, answer.id), id="dec_forged")
    with work.database.writing() as connection:
        store.insert_all(connection, [(forged, store.encode(forged))], "bat_forged")
    found = flow.verify_recorded(work)
    assert not found.valid
    assert found.message == "The ledger holds 2 decisions; the audit log vouches for 1."


def test_an_unreadable_segment_is_set_aside_and_does_not_hold_up_the_others(
    work: Workspace, definition: Definition
) -> None:
    folder = work.home / "spool"
    folder.mkdir(parents=True)
    (folder / "0000000001-dead-00000001.spool").write_bytes(framed(b"no decision at all"))
    answer = ask(work, serving(definition, Model(lambda: 0.6)))
    with work.database.reading() as connection:
        assert [each.id for each in store.recent(connection, "small", 10)] == [answer.id]
    assert [path.suffix for path in folder.iterdir()] == [".unreadable"]


def test_what_fails_in_shadow_is_counted_against_the_model(work: Workspace, definition: Definition) -> None:
    answer = ask(work, serving(definition, Model(raising), Stage.SHADOW))
    assert (answer.produced_by, answer.reason) == ("rule", "shadow")
    assert flow.find(work, answer.id).model_failure == "model_failed"


def test_without_columns_the_default_still_answers(work: Workspace, definition: Definition) -> None:
    blind = dataclasses.replace(serving(definition, Model(lambda: 0.6)), columns=None)
    answer = ask(work, blind)
    assert (answer.produced_by, answer.reason, answer.action) == ("default", "missing_columns", "Leave it")


def test_the_switch_takes_although_the_columns_cannot_be_reloaded(work: Workspace, definition: Definition) -> None:
    ready = serving(definition, Model(lambda: 0.6))
    ready = dataclasses.replace(ready, live=msgspec.structs.replace(ready.live, revision=0))

    async def once() -> tuple[Answer, Answer]:
        async with running(work, ready) as service:
            before = await service.answer("small", BODY, APP)
            releasing.disable(work, "small", SYSTEM, "a test")
            service.following.look_at_sources()  # its sources were never read: this fails, and is logged
            service.following.look_at_switches()
            return before, await service.answer("small", BODY, APP)

    before, after = asyncio.run(once())
    assert before.produced_by == "model"
    assert (after.produced_by, after.reason) == ("rule", "disabled")


@pytest.mark.both_stores
def test_that_a_new_use_case_waits_for_its_first_sync_is_no_error(work: Workspace, definition: Definition) -> None:
    service = Service(work)
    with capture_logs() as logged:
        for _ in range(2):
            service.following._retry_at.clear()
            service.following.look_at_sources()
    service.close()
    assert [(each["event"], each["log_level"]) for each in logged] == [("columns_await_first_sync", "info")]


@pytest.mark.parametrize(("model", "reason"), [(Model(lambda: 0.6), "model"), (None, "model_refused")])
def test_a_version_whose_files_are_gone_leaves_the_last_good_one_and_without_one_the_rule(
    work: Workspace, definition: Definition, model: Model | None, reason: str
) -> None:
    async def once() -> Answer:
        async with running(work, serving(definition, model, quiet="" if model else "off")) as service:
            with work.database.writing() as connection:
                other = msgspec.structs.replace(live(Stage.ASSIST), version="ver_2", revision=2)
                releases.insert_live(connection, other)
            service.following.look_at_switches()
            return await service.answer("small", BODY, APP)

    assert asyncio.run(once()).reason == reason


def test_who_may_not_know_of_a_use_case_is_told_that_there_is_none(work: Workspace, definition: Definition) -> None:
    async def once() -> None:
        async with running(work, serving(definition, Model(lambda: 0.6))) as service:
            stranger, told = Principal("key_2", "other", "key", (Grant(Role.APP, "elsewhere"),)), []
            for name in ("small", "absent"):
                with pytest.raises(NotFound) as refused:
                    service.serving(name, stranger)
                told.append((refused.value.message.replace(name, "it"), refused.value.repair))
            assert told[0] == told[1], "whether it exists is not told"
            assert "an administrator grants it on the keys page" in told[0][1]
            with pytest.raises(NotAllowed):
                service.serving("small", Principal("key_3", "viewer", "key", (Grant(Role.VIEWER, "small"),)))

    asyncio.run(once())


@pytest.mark.parametrize(("stage", "producer"), [(Stage.ASSIST, "model"), (Stage.AUTOMATE, "rule")])
def test_what_cannot_be_recorded_is_said_so_and_never_automated(
    work: Workspace, definition: Definition, stage: Stage, producer: str
) -> None:
    tiny = msgspec.structs.replace(work.settings, spool_bytes_max=10)
    full = Workspace(tiny, work.clock, work.database, work.lake, work.signer)
    answer = ask(full, serving(definition, Model(lambda: 0.6), stage))
    assert answer.produced_by == producer
    assert "not_recorded" in answer.flags
