"""A running service and artefacts that somebody made to do harm: the last good version goes on answering."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest
from tests.decisions.test_service import BODY
from tests.decisions.test_service import FILE as SMALL
from tests.living import NAME, measured_as_trained, signed_version

from pilotage.data.live import LiveColumns
from pilotage.decisions.answering.service import Service
from pilotage.decisions.answering.serving import open_serving
from pilotage.decisions.records import Answer
from pilotage.govern.records import SYSTEM, Grant, Principal, Role
from pilotage.models import artefacts
from pilotage.models.records import Manifest
from pilotage.platform.errors import Conflict
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.releases import store as releases
from pilotage.releases.records import Stage, Version
from pilotage.usecase.flow import adopt, parse_definition
from pilotage.usecase.records import Definition

FILE = SMALL.replace("use_case: small", f"use_case: {NAME}").replace("  latency_ms: 50\n", "")
APP = Principal("key_1", "app", "key", (Grant(Role.APP, NAME),))


@pytest.fixture
def definition(work: Workspace) -> Definition:
    return adopt(work, parse_definition(FILE, "small.yaml"), SYSTEM)


@pytest.fixture
def first(work: Workspace, definition: Definition) -> Version:
    """A good version, live for everybody."""
    version = signed_version(work, definition, 1)
    measured_as_trained(work, definition, version)
    releasing.release(work, definition, version, SYSTEM, "good")
    releasing.set_stage(work, NAME, Stage.ASSIST, 1.0, SYSTEM, "go")
    return version


def files_of(work: Workspace, version: Version) -> tuple[Manifest, dict[str, bytes]]:
    return artefacts.load(work, version.artefact, version.signature)


def hostile(work: Workspace, definition: Definition, **put: bytes) -> Version:
    """A second version, signed, in which files hold something else."""
    version = signed_version(work, definition, 2)
    manifest, files = files_of(work, version)
    files |= {name.replace("_json", ".json").replace("_pkl", ".pkl"): content for name, content in put.items()}
    digest = artefacts.keep_manifest(work, msgspec.structs.replace(manifest, files=artefacts.keep_files(work, files)))
    signature = work.signer.sign(work.lake.read(digest, artefacts.MANIFEST_SUFFIX))
    return msgspec.structs.replace(version, artefact=digest, signature=signature)


@pytest.fixture
def service(work: Workspace, definition: Definition, first: Version) -> Service:
    """One that answers by the first version; it looks for changes when it is told to."""
    running = Service(work)
    running.following.servings = {NAME: open_serving(work, definition, LiveColumns(definition, [], {}, None))}
    return running


PUT = [
    {"model_pkl": b"\x80\x04cposix\nsystem\n."},
    {"plan_json": b"\x80\x04cposix\nsystem\n."},
    {"encoder_json": b"[] PK\x03\x04"},
    {"calibration_json": b"{}"},
    {"notes_json": b"{}"},
]


@pytest.mark.parametrize("put", PUT, ids=lambda put: next(iter(put)))
def test_what_is_hostile_is_not_released_and_the_last_good_version_answers(
    work: Workspace, definition: Definition, service: Service, put: dict[str, bytes]
) -> None:
    async def once() -> tuple[Answer, Answer]:
        before = await service.answer(NAME, BODY, APP)
        version = hostile(work, definition, **put)
        with pytest.raises(Conflict, match="Version 2 of late_arrival cannot be loaded: "):
            releasing.release(work, definition, version, SYSTEM, "try")
        service.following.look_at_switches()
        after = await service.answer(NAME, BODY, APP)
        service.close()
        return before, after

    before, after = asyncio.run(once())
    assert (before.produced_by, after.produced_by) == ("model", "model")
    assert releasing.version(work, releasing.live(work, NAME).version or "").number == 1


def test_bytes_changed_under_a_running_service_do_not_take_its_model_away(
    work: Workspace, definition: Definition, service: Service, first: Version
) -> None:
    async def once() -> tuple[Answer, Answer]:
        manifest, _ = files_of(work, first)
        for name, entry in manifest.files.items():
            path = work.lake.path(entry.digest, Path(name).suffix)
            path.write_bytes(b"\x80\x04" + path.read_bytes()[2:])
        releasing.set_stage(work, NAME, Stage.ASSIST, 0.9999, SYSTEM, "another revision of the same version")
        service.following.look_at_switches()
        kept = await service.answer(NAME, BODY, APP)
        releasing.disable(work, NAME, SYSTEM, "off")
        service.following.look_at_switches()
        releasing.enable(work, NAME, SYSTEM, "and on: now it has to be loaded again")
        service.following.look_at_switches()
        loaded = await service.answer(NAME, BODY, APP)
        service.close()
        return kept, loaded

    kept, loaded = asyncio.run(once())
    assert kept.produced_by == "model"
    assert (loaded.produced_by, loaded.reason) == ("rule", "model_refused")


def test_what_somebody_wrote_into_the_database_is_not_loaded(
    work: Workspace, definition: Definition, service: Service, first: Version
) -> None:
    async def once() -> Answer:
        version = msgspec.structs.replace(hostile(work, definition, model_pkl=b"\x80\x04."), id="ver_forged", number=9)
        live = releasing.live(work, NAME)
        with work.database.writing() as connection:
            releases.insert_version(connection, version)
            releases.insert_live(
                connection, msgspec.structs.replace(live, version="ver_forged", revision=live.revision + 1)
            )
        service.following.look_at_switches()
        answer = await service.answer(NAME, BODY, APP)
        service.close()
        return answer

    answer = asyncio.run(once())
    assert answer.produced_by == "model"
    assert service.following.servings[NAME].live.version == first.id
    assert service.following.servings[NAME].is_held_back
