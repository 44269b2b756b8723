"""Alive, ready, degraded: what programs that watch this one are told."""

from __future__ import annotations

import concurrent.futures
import statistics
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from pilotage.decisions.http import readiness
from pilotage.govern.cookies import SESSION
from pilotage.platform.clock import FixedClock
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.usecase.flow import parse_definition
from pilotage.usecase.records import Definition
from tests.decisions.inference.framing import inputs
from tests.decisions.protocols import application_of, console_of, key_for
from tests.decisions.small import FILE, Model, serving
from tests.living import release
from tests.review.arranging import NAME
from tests.review.arranging import adopt as adopt_flights


@pytest.fixture
def definition() -> Definition:
    return parse_definition(FILE, "small.yaml")


def ready(address: str) -> tuple[int, list[str]]:
    """The status and the reasons; the protocol's own address says the same."""
    reply = httpx.get(f"{address}/readyz")
    assert httpx.get(f"{address}/v2/health/ready").status_code == reply.status_code
    assert reply.json()["ready"] is (reply.status_code == 200)
    return reply.status_code, reply.json()["reasons"]


def test_a_worker_is_ready_when_it_runs_with_something_loaded(work: Workspace, definition: Definition) -> None:
    with console_of(work, serving(definition, Model(lambda: 0.6))) as (address, service):
        assert ready(address) == (200, [])
        assert httpx.get(f"{address}/readyz").json() == {
            "ready": True,
            "use_cases": 1,
            "reasons": [],
            "degraded": [],
        }
        service.phase = "starting"
        assert ready(address) == (503, ["It is starting."])
        service.phase = "draining"
        assert ready(address) == (503, ["It stops, and takes no new questions."])
        service.phase, service.following.servings = "running", {}
        assert ready(address) == (503, ["No use case is loaded: adopt one with pilotage sync FILE."])
        assert httpx.get(f"{address}/healthz").json() == {"status": "alive"}


def test_a_worker_that_cannot_record_stays_ready_and_says_that_it_is_degraded(
    definition: Definition, clock: FixedClock, tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings = Settings(home=tmp_path_factory.mktemp("full") / "home", spool_bytes_max=0)
    work = open_workspace(settings, clock)
    with console_of(work, serving(definition, Model(lambda: 0.6))) as (address, _):
        assert ready(address) == (200, [])
        told = httpx.get(f"{address}/readyz").json()["degraded"]
        assert told == ["Decisions cannot be recorded, and answers say so: the spool is full."]
    work.close()


def test_what_the_default_and_the_rule_have_to_stand_in_for_is_told(work: Workspace, definition: Definition) -> None:
    with console_of(work, serving(definition, None, quiet="model_refused")) as (address, _):
        told = httpx.get(f"{address}/readyz").json()
        assert told["ready"]
        assert told["degraded"] == ["The released model of 1 use cases could not be loaded: the rule answers."]


@pytest.fixture
def without_database(work: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, str]]:
    """The application, whose control database went away after it had started; and a key."""
    monkeypatch.setattr(readiness, "STALE_SECONDS", 0.5)
    release(work, adopt_flights(work), 1)
    key = key_for(work, NAME)
    there, away = work.home / "pilotage.db", work.home / "away.db"
    with application_of(work) as address:
        assert ready(address) == (200, [])
        there.rename(away)
        there.mkdir()
        work.database.close()
        yield address, key
        there.rmdir()
        away.rename(there)


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    """Whether it comes true in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.05)
    return False


def test_without_the_database_a_worker_stays_ready_and_says_that_it_is_degraded(
    without_database: tuple[str, str],
) -> None:
    address, key = without_database

    def told() -> bool:
        degraded = httpx.get(f"{address}/readyz").json()["degraded"]
        return any(each.startswith("The control database was last read") for each in degraded)

    assert within(5, told)
    assert ready(address) == (200, [])
    headers = {"Authorization": f"Bearer {key}"}
    flag = httpx.post(f"{address}/ofrep/v1/evaluate/flags/{NAME}.stage", headers=headers)
    assert (flag.status_code, flag.json()["value"]) == (200, "off")
    assert httpx.get(f"{address}/v2/models/{NAME}/ready", headers=headers).status_code == 200
    assert httpx.get(f"{address}/healthz", cookies={SESSION: "of somebody"}).status_code == 200


def slow() -> float:
    time.sleep(0.5)
    return 0.9


def test_probes_are_answered_while_scoring_is_saturated(work: Workspace, definition: Definition) -> None:
    headers = {"Authorization": f"Bearer {key_for(work)}"}
    with console_of(work, serving(definition, Model(slow))) as (address, _):

        def ask() -> int:
            body = {"inputs": inputs()}
            return httpx.post(f"{address}/v2/models/small/infer", json=body, headers=headers, timeout=20).status_code

        with concurrent.futures.ThreadPoolExecutor(6) as callers:
            asked = [callers.submit(ask) for _ in range(6)]
            taken = []
            with httpx.Client(base_url=address) as probe:
                while not all(each.done() for each in asked):
                    began = time.perf_counter()
                    assert probe.get("/healthz").status_code == 200
                    assert probe.get("/readyz").status_code == 200
                    taken.append(time.perf_counter() - began)
                    time.sleep(0.02)
            assert {each.result() for each in asked} == {200}
        assert len(taken) > 5
        assert statistics.median(taken) < 0.5 / 2, "they wait for no score"


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_there_is_one_address_for_each(work: Workspace, path: str) -> None:
    with console_of(work) as (address, _):
        assert httpx.get(f"{address}{path}").status_code == 404
