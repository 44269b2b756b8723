"""Columns that a database should have given: missing, said to be, and never a reason to fail."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from prometheus_client import REGISTRY
from tests.decisions.test_service import APP, BODY, FILE, Model, serving

from pilotage.data.live import LiveColumns
from pilotage.data.places import Reader
from pilotage.data.places.reading import Read, Session
from pilotage.decisions.answering.service import Service
from pilotage.govern.records import SYSTEM
from pilotage.platform.errors import SourceUnavailable
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import adopt, parse_definition


def gone() -> Session:
    raise SourceUnavailable("There is no such database.", "Start it.")


def test_what_could_not_be_read_is_a_flag_of_the_decision_and_the_rest_is_known() -> None:
    definition = parse_definition(FILE, "small.yaml")
    columns = LiveColumns(definition, [], {}, None, [Reader("gone", ["colour"], gone, (), 5.0)])
    ready = dataclasses.replace(serving(definition, None), columns=columns)
    assert ready.waits
    question = ready.ask(BODY, datetime(2013, 12, 5, 19, tzinfo=UTC))
    assert question.unread == {"colour": "unreachable"}
    assert question.values == {"size": 7.0, "colour": None}
    assert ready._flags(question) == ("not_read:colour:unreachable",)


def test_a_use_case_in_memory_does_not_wait() -> None:
    assert not serving(parse_definition(FILE, "small.yaml"), None).waits


class Hanging:
    """A database that says nothing until it is let go."""

    def __init__(self, gate: threading.Event) -> None:
        self._gate = gate

    def ask(self, request: Mapping[str, Any], moment: datetime) -> Read:
        self._gate.wait(60)
        return Read({})

    def close(self) -> None:
        pass


def test_however_many_wait_for_a_database_that_hangs_each_is_answered_in_its_own_time(work: Workspace) -> None:
    gate, budget_seconds = threading.Event(), 2.0
    definition = adopt(work, parse_definition(FILE.replace("latency_ms: 50", "latency_ms: 2000"), "small.yaml"), SYSTEM)
    columns = LiveColumns(definition, [], {}, None, [Reader("hangs", ["colour"], lambda: Hanging(gate), (), 1.0)])

    async def at_once(count: int) -> float:
        service = Service(work)
        service.following.servings = {
            "small": dataclasses.replace(serving(definition, Model(lambda: 0.6)), columns=columns)
        }
        began = time.perf_counter()
        answers = await asyncio.gather(*(service.answer("small", BODY, APP) for _ in range(count)))
        took = time.perf_counter() - began
        gate.set()
        service.close()
        assert all("not_read:colour:too_slow" in each.flags for each in answers)
        return took

    labels = {"use_case": "small", "column": "colour", "reason": "too_slow"}
    before = REGISTRY.get_sample_value("pilotage_columns_not_read_total", labels) or 0.0
    assert asyncio.run(at_once(128)) < 2 * budget_seconds, "they wait beside each other"
    assert REGISTRY.get_sample_value("pilotage_columns_not_read_total", labels) == before + 128
