"""A version that answers its golden vectors otherwise here neither becomes live, nor comes back, nor answers."""

from __future__ import annotations

import asyncio

import pytest
from tests.decisions.test_service import BODY
from tests.living import NAME
from tests.releases.distinguishable import adopted, release_directly, version_saying

from pilotage.data.live import LiveColumns
from pilotage.decisions.answering.service import Service
from pilotage.decisions.answering.serving import open_serving
from pilotage.decisions.http.readiness import readiness
from pilotage.decisions.records import Answer
from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, Grant, Principal, Role
from pilotage.models import artefacts
from pilotage.platform.errors import Conflict, InvalidRequest
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow
from pilotage.releases.records import Stage
from pilotage.usecase.records import Definition

APP = Principal("key_1", "app", "key", (Grant(Role.APP, NAME),))


@pytest.fixture
def definition(work: Workspace) -> Definition:
    return adopted(work)


def in_assist(work: Workspace, definition: Definition, number: int) -> str:
    version = version_saying(work, definition, number)
    flow.release(work, definition, version, SYSTEM, "better")
    flow.set_stage(work, NAME, Stage.ASSIST, 1.0, SYSTEM, "go")
    return version.id


def ask(service: Service) -> Answer:
    return asyncio.run(service.answer(NAME, BODY, APP))


def serve(work: Workspace, definition: Definition) -> Service:
    service = Service(work)
    service.following.servings = {NAME: open_serving(work, definition, LiveColumns(definition, [], {}, None))}
    service.phase = "running"
    return service


def test_it_is_not_released_and_the_message_names_the_libraries(work: Workspace, definition: Definition) -> None:
    version = version_saying(work, definition, 3, golden_off_by=0.001)
    with pytest.raises(Conflict, match=r"Version 3 of late_arrival does not become live here.*numpy 1\.0\.0 then"):
        flow.release(work, definition, version, SYSTEM, "try")
    assert flow.live(work, NAME).version is None


def test_nothing_is_rolled_back_to_it(work: Workspace, definition: Definition) -> None:
    release_directly(work, version_saying(work, definition, 3, golden_off_by=0.001))
    second = in_assist(work, definition, 2)
    revision = flow.live(work, NAME).revision
    with pytest.raises(Conflict, match="Environment differs from training"):
        flow.roll_back(work, NAME, SYSTEM, "back")
    assert (flow.live(work, NAME).version, flow.live(work, NAME).revision) == (second, revision)
    assert not list(governing.entries(work, "version.rolled_back"))


def test_nothing_is_rolled_back_to_a_version_whose_files_are_gone(work: Workspace, definition: Definition) -> None:
    first = flow.version(work, in_assist(work, definition, 1))
    second = in_assist(work, definition, 2)
    manifest = artefacts.read_manifest(work, first.artefact)
    work.lake.path(manifest.files["calibration.json"].digest, ".json").unlink()
    with pytest.raises(Conflict, match="Version 1 of late_arrival cannot be loaded"):
        flow.roll_back(work, NAME, SYSTEM, "back")
    assert flow.live(work, NAME).version == second


def test_a_roll_back_without_a_reason_or_an_earlier_version_loads_nothing(
    work: Workspace, definition: Definition
) -> None:
    in_assist(work, definition, 1)
    with pytest.raises(Conflict, match="no earlier version"):
        flow.roll_back(work, NAME, SYSTEM, "back")
    in_assist(work, definition, 2)
    with pytest.raises(InvalidRequest, match="needs a reason"):
        flow.roll_back(work, NAME, SYSTEM, " ")


def test_model_threshold_and_reasons_come_back_together(work: Workspace, definition: Definition) -> None:
    in_assist(work, definition, 1)
    service = serve(work, definition)
    before = ask(service)
    in_assist(work, definition, 2)
    service.following.look_at_switches()
    between = ask(service)
    flow.roll_back(work, NAME, SYSTEM, "back")
    service.following.look_at_switches()
    after = ask(service)
    service.close()
    assert [(each.probability, each.positive) for each in (before, between, after)] == [
        (0.3, True),
        (0.6, False),
        (0.3, True),
    ]
    assert after.signals == before.signals


def test_a_worker_that_cannot_warm_it_goes_on_with_the_last_good_one_and_says_so(
    work: Workspace, definition: Definition
) -> None:
    first = in_assist(work, definition, 1)
    service = serve(work, definition)
    assert readiness(service).degraded == ()
    release_directly(work, version_saying(work, definition, 3, golden_off_by=0.001))
    service.following.look_at_switches()
    held = service.following.servings[NAME]
    assert held.is_held_back
    assert held.live.version == first
    assert held.live.stage is Stage.SHADOW, "exposure follows what was decided last, where it is less"
    assert (ask(service).produced_by, ask(service).reason) == ("rule", "shadow")
    assert "the last good one answers" in " ".join(readiness(service).degraded)
    flow.set_stage(work, NAME, Stage.ASSIST, 1.0, SYSTEM, "the new version was judged elsewhere")
    service.following.look_at_switches()
    assert service.following.servings[NAME].live.stage is Stage.SHADOW, "no gate judged the old one for more"
    flow.roll_back(work, NAME, SYSTEM, "back")
    service.following.look_at_switches()
    back = ask(service)
    assert (back.produced_by, back.probability, back.stage) == ("model", 0.3, "assist")
    assert readiness(service).degraded == ()
    service.close()


def test_a_worker_that_starts_with_it_goes_by_the_version_before(work: Workspace, definition: Definition) -> None:
    first = in_assist(work, definition, 1)
    release_directly(work, version_saying(work, definition, 3, golden_off_by=0.001))
    opened = open_serving(work, definition, LiveColumns(definition, [], {}, None))
    assert opened.is_held_back
    assert (opened.live.version, opened.live.stage) == (first, Stage.SHADOW)


def test_the_switch_is_followed_while_a_version_is_being_loaded(work: Workspace, definition: Definition) -> None:
    first = in_assist(work, definition, 1)
    service = serve(work, definition)
    second = version_saying(work, definition, 2)
    flow.release(work, definition, second, SYSTEM, "better")
    following = service.following
    with following._warming:  # a version takes its time
        following.look_at_releases()
        assert following.servings[NAME].live.version == first
        flow.disable(work, NAME, SYSTEM, "wrong")
        following.look_at_releases()
        assert ask(service).reason == "disabled"
        flow.enable(work, NAME, SYSTEM, "right")
        following.look_at_releases()
        assert ask(service).reason == "disabled", "until it is loaded nothing but what was quiet is known"
    following.look_at_versions()
    assert following.servings[NAME].live.version == second.id
    service.close()
