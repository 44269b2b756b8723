"""The story is lived once, on two months of flights, and every test looks at what came of it.

It begins as a newcomer begins: every command of the tutorial is typed, and the story goes on from there.
"""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from examples.demo import __main__ as demo
from examples.demo.plan import ROOT, USE_CASE, Plan, quick
from examples.demo.programs import pilotage, running
from examples.demo.replay import Office, act_as_planners

TUTORIAL = ROOT / "docs" / "tutorial.md"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The story holds one worker for minutes: it begins first, then the files with most tests; see the Makefile."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        tests = Counter(item.path for item in items)
        here = Path(__file__).parent
        items.sort(key=lambda item: (item.path.parent != here, -tests[item.path], str(item.path)))


class Quiet(Plan):
    """Reads the sources when it is told to: a round every ten seconds is the more work the slower the machine is."""

    def environment(self) -> dict[str, str]:
        """The environment that both programs run in."""
        return {**super().environment(), "PILOTAGE_SYNC_SECONDS": "3600"}


def plan_in(home: Path) -> Plan:
    """The quick demo's story."""
    told = quick(home)
    return Quiet(**{field.name: getattr(told, field.name) for field in dataclasses.fields(told)})


def commands() -> list[str]:
    """Every line after a ``$`` in the tutorial's console blocks."""
    blocks = re.findall(r"```console\n(.*?)```", TUTORIAL.read_text(), re.DOTALL)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def type_tutorial(plan: Plan) -> dict[str, subprocess.CompletedProcess[str]]:
    """Each command with what came of it, up to the first that fails."""
    folder = plan.home / "clone"
    (folder / ".demo" / "tutorial").mkdir(parents=True)
    (folder / "examples").symlink_to(ROOT / "examples")
    environment = {**plan.environment(), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    typed: dict[str, subprocess.CompletedProcess[str]] = {}
    for command in commands():
        typed[command] = subprocess.run(
            command, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        if typed[command].returncode != 0:
            break
    return typed


@dataclasses.dataclass(frozen=True)
class Lived:
    """What the story left behind, and the doors to it."""

    plan: Plan
    office: Office
    password: str
    said: dict[str, str]
    feedback: dict[str, int]
    typed: dict[str, subprocess.CompletedProcess[str]]

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
    plan = plan_in(tmp_path_factory.mktemp("story"))
    typed = type_tutorial(plan)
    last, done = list(typed.items())[-1]
    assert done.returncode == 0, f"{last}\n{done.stdout}{done.stderr}"
    (made,) = (done.stdout for command, done in typed.items() if "key make dispatch" in command)
    (plan.home / "dispatch.key").write_text(next(word for word in made.split() if word.startswith("pk_")))
    said: dict[str, str] = {}
    with ExitStack() as programs:
        log = programs.enter_context(running(plan, "pilotage", "serve", url=plan.pilotage_url))
        password = log.read_text().split("shown this once:")[1].split()[0]
        office = demo.make_keys(plan)
        programs.enter_context(demo.office_with_advice(plan, office))
        # Steps of two hours in shadow, as the full demo has them: each step costs a sync and a reload.
        dataclasses.replace(office, plan=dataclasses.replace(plan, step_hours=2)).replay(plan.shadow_hours)
        pilotage(plan, "outcomes", USE_CASE)  # the server joins them, too, twice a minute
        said["gate"] = pilotage(plan, "gate", USE_CASE)
        said["assist"] = pilotage(plan, "stage", USE_CASE, "assist", "--reason", "the gates passed")
        since = office.advance(0.01)
        office.replay(plan.assist_hours)
        feedback = act_as_planners(office, since)
        pilotage(plan, "outcomes", USE_CASE)
        yield Lived(plan, office, password, said, feedback, typed)
