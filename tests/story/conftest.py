"""The story is lived once, on two months of flights, and every test looks at what came of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
from examples.demo import __main__ as demo
from examples.demo.plan import USE_CASE, Plan, quick
from examples.demo.programs import dispatch, pilotage, running
from examples.demo.replay import Office, act_as_planners


@dataclasses.dataclass(frozen=True)
class Lived:
    """What the story left behind, and the doors to it."""

    plan: Plan
    office: Office
    password: str
    said: dict[str, str]
    feedback: dict[str, int]

    def ask(self, flight: str, **changed: object) -> httpx.Response:
        """Ask about a flight over HTTP, as the app does."""
        request = {
            "flight_id": flight,
            "carrier": "UA",
            "origin": "EWR",
            "destination": "ORD",
            "tail_number": "N14228",
            "distance_miles": 719,
            "scheduled_departure": "2013-05-29T17:00:00Z",
            **changed,
        }
        return self.post(f"/v1/use-cases/{USE_CASE}/decisions", json=request)

    def post(self, path: str, key: str | None = None, **content: object) -> httpx.Response:
        """POST with the app's key, or another."""
        headers = {"authorization": f"Bearer {self.office.app_key if key is None else key}"}
        return httpx.post(self.plan.pilotage_url + path, headers=headers, timeout=30, **content)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """Steps 1 to 11 of the story through the real doors: two programs, their commands and HTTP."""
    plan = quick(tmp_path_factory.mktemp("story"))
    said: dict[str, str] = {}
    dispatch(plan, "load", "--months", plan.months, "--start", plan.start)
    demo.prepare(plan)
    with ExitStack() as programs:
        log = programs.enter_context(running(plan, "pilotage", "serve", url=plan.pilotage_url))
        password = log.read_text().split("shown this once:")[1].split()[0]
        office = demo.make_keys(plan)
        programs.enter_context(demo.office_with_advice(plan, office))
        office.replay(plan.shadow_hours)
        said["gate"] = pilotage(plan, "gate", USE_CASE)
        said["assist"] = pilotage(plan, "stage", USE_CASE, "assist", "--reason", "the gates passed")
        since = office.advance(0.01)
        office.replay(plan.assist_hours)
        feedback = act_as_planners(office, since)
        pilotage(plan, "outcomes", USE_CASE)
        yield Lived(plan, office, password, said, feedback)
