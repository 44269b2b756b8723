"""The switch on one host: a signed file that survives, and one that nobody signed."""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec
import pytest
from tests.living import NAME
from tests.releases.distinguishable import adopted, version_saying

from pilotage.data.live import LiveColumns
from pilotage.decisions.answering.service import Service
from pilotage.decisions.answering.serving import open_serving
from pilotage.decisions.flags import evaluating as flags
from pilotage.govern.records import SYSTEM
from pilotage.platform.errors import InvalidRequest
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow, hostswitch, switching
from pilotage.releases.hostswitch import SwitchedOff
from pilotage.releases.records import Stage

pytestmark = pytest.mark.both_stores


def off(work: Workspace, use_case: str = NAME) -> SwitchedOff:
    return SwitchedOff(use_case, "wrong weather", "mara", work.clock.now())


def path_of(work: Workspace, use_case: str = NAME) -> Path:
    return work.home / hostswitch.FOLDER / f"{use_case}{hostswitch.SUFFIX}"


def test_what_is_written_is_read_and_cleared(work: Workspace) -> None:
    assert hostswitch.names(work.home) == frozenset()
    hostswitch.write(work.home, work.signer, off(work))
    assert hostswitch.names(work.home) == {NAME}
    assert hostswitch.read(work.home, work.signer, NAME) == off(work)
    assert [each.name for each in (work.home / hostswitch.FOLDER).iterdir()] == [path_of(work).name]
    assert hostswitch.clear(work.home, NAME)
    assert not hostswitch.clear(work.home, NAME)


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "", "A", "x" * 65, "a.b"])
def test_a_name_that_could_lead_elsewhere_writes_nothing(work: Workspace, name: str) -> None:
    with pytest.raises(InvalidRequest, match="no name of a use case"):
        hostswitch.write(work.home, work.signer, off(work, name))
    assert not (work.home / hostswitch.FOLDER).exists()


def test_without_a_reason_nothing_is_written(work: Workspace) -> None:
    with pytest.raises(InvalidRequest, match="needs a reason"):
        hostswitch.write(work.home, work.signer, msgspec.structs.replace(off(work), reason=" "))
    assert hostswitch.names(work.home) == frozenset()


@pytest.mark.parametrize("content", [b"", b"{}", b'{"said": "{}", "signature": "00"}', b"\xff\xfe"])
def test_a_file_that_nobody_signed_switches_off_and_says_nothing(work: Workspace, content: bytes) -> None:
    hostswitch.write(work.home, work.signer, off(work))
    path_of(work).write_bytes(content)
    assert hostswitch.names(work.home) == {NAME}
    assert hostswitch.read(work.home, work.signer, NAME) is None


def test_a_file_copied_from_another_use_case_says_nothing(work: Workspace) -> None:
    hostswitch.write(work.home, work.signer, off(work))
    path_of(work).rename(path_of(work, "another"))
    assert hostswitch.read(work.home, work.signer, "another") is None


def serving(work: Workspace) -> Service:
    definition = adopted(work)
    flow.release(work, definition, version_saying(work, definition, 1), SYSTEM, "first")
    flow.set_stage(work, NAME, Stage.ASSIST, 1.0, SYSTEM, "go")
    service = Service(work)
    service.following.servings = {NAME: open_serving(work, definition, LiveColumns(definition, [], {}, None))}
    return service


def test_a_worker_is_off_while_the_file_is_there_and_as_before_when_it_is_not(work: Workspace) -> None:
    service = serving(work)
    before = service.following.servings[NAME]
    hostswitch.write(work.home, work.signer, off(work))
    service.following.look_at_host_switch()
    assert service.following.servings[NAME].quiet == "disabled"
    assert service.following.servings[NAME].scorer is None
    assert flags.evaluated(service.following.servings[NAME].live, "enabled", {}).value is False, (
        "as OpenFeature sees it"
    )
    hostswitch.clear(work.home, NAME)
    service.following.look_at_switches()
    assert flags.evaluated(service.following.servings[NAME].live, "enabled", {}).value is True
    assert service.following.servings[NAME].scorer is before.scorer
    assert service.following.servings[NAME].quiet == ""
    service.close()


def test_changes_of_stage_under_the_switch_do_not_switch_on(work: Workspace) -> None:
    service = serving(work)
    hostswitch.write(work.home, work.signer, off(work))
    service.following.look_at_host_switch()
    flow.set_stage(work, NAME, Stage.AUTOMATE, 1.0, SYSTEM, "further")
    service.following.look_at_switches()
    assert service.following.servings[NAME].quiet == "disabled"
    hostswitch.clear(work.home, NAME)
    service.following.look_at_switches()
    assert service.following.servings[NAME].live.stage is Stage.AUTOMATE
    assert service.following.servings[NAME].scorer is not None
    service.close()


def test_when_the_database_has_the_switch_and_the_file_goes_nothing_is_on_in_between(work: Workspace) -> None:
    service = serving(work)
    hostswitch.write(work.home, work.signer, off(work))
    service.following.look_at_host_switch()
    flow.disable(work, NAME, SYSTEM, "wrong weather")
    hostswitch.clear(work.home, NAME)
    service.following.look_at_host_switch()
    assert service.following.servings[NAME].quiet == "disabled", "the database was not asked yet"
    service.following.look_at_releases()
    assert service.following.servings[NAME].quiet == "disabled"
    flow.enable(work, NAME, SYSTEM, "right again")
    service.following.look_at_switches()
    assert service.following.servings[NAME].quiet == ""
    service.close()


def test_a_worker_tells_the_database_once_the_command_had_its_time(work: Workspace) -> None:
    service = serving(work)
    hostswitch.write(work.home, work.signer, off(work))
    service.following.look_at_switches()
    assert flow.live(work, NAME).enabled
    long_ago = time.time() - 60
    os.utime(path_of(work), (long_ago, long_ago))
    service.following.look_at_switches()
    live = flow.live(work, NAME)
    assert not live.enabled
    assert live.reason.startswith("wrong weather (by mara on the host at 2013-12-05 20:00:00 UTC")
    service.following.look_at_switches()
    assert hostswitch.names(work.home) == frozenset()
    assert service.following.servings[NAME].quiet == "disabled"
    service.close()


def test_a_file_that_nobody_signed_is_left_until_somebody_switches_on(work: Workspace) -> None:
    service = serving(work)
    hostswitch.write(work.home, work.signer, off(work))
    path_of(work).write_bytes(b"{}")
    os.utime(path_of(work), (0, 0))
    service.following.look_at_switches()
    assert service.following.servings[NAME].quiet == "disabled"
    assert flow.live(work, NAME).enabled
    switching.switch_on(work, NAME, SYSTEM, "looked at")
    service.following.look_at_switches()
    assert service.following.servings[NAME].quiet == ""
    service.close()


def test_with_a_spool_apart_the_file_lies_on_that_hosts_disk(work: Workspace, tmp_path: Path) -> None:
    away = Settings(
        home=work.home, spool=str(tmp_path / "one"), database_url="postgresql+psycopg://nobody@127.0.0.1:1/none"
    )
    assert switching.switch_off(away, NAME, "weather feed is wrong", SYSTEM).live is None
    assert hostswitch.names(tmp_path / "one") == {NAME}
    assert hostswitch.names(work.home) == frozenset()
    assert hostswitch.names(tmp_path / "two") == frozenset()
