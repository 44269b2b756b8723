"""What may become live, and many who change it at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from tests.living import NAME, release, signed_version
from tests.review.arranging import FILE, adopt

from pilotage.govern.records import SYSTEM
from pilotage.models.records import Comparison
from pilotage.platform.errors import Conflict
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow
from pilotage.releases.records import Stage
from pilotage.usecase import flow as defining

pytestmark = pytest.mark.both_stores
PEOPLE = 6


def test_a_version_of_another_use_case_is_not_released(work: Workspace) -> None:
    definition = adopt(work)
    version = msgspec.structs.replace(signed_version(work, definition, 1), use_case="another")
    with pytest.raises(Conflict, match="made for another, not for late_arrival"):
        flow.release(work, definition, version, SYSTEM, "try")
    assert flow.live(work, NAME).version is None


def test_a_version_that_cannot_be_loaded_is_not_released(work: Workspace) -> None:
    definition = adopt(work)
    version = signed_version(work, definition, 1)
    forged = msgspec.structs.replace(version, signature="00" * 64)
    with pytest.raises(Conflict, match=r"cannot be loaded.*Run pilotage build late_arrival"):
        flow.release(work, definition, forged, SYSTEM, "try")


def test_a_version_for_other_columns_is_not_released(work: Workspace) -> None:
    version = signed_version(work, adopt(work), 1)
    changed = FILE.replace("  distance_miles: request\n", "")
    definition = defining.adopt(work, defining.parse_definition(changed, "late_arrival.yaml"), SYSTEM)
    with pytest.raises(Conflict, match=r"trained for another use-case file.*pilotage train late_arrival"):
        flow.release(work, definition, version, SYSTEM, "try")


def test_a_release_in_assist_is_one_revision_and_back_in_shadow(work: Workspace) -> None:
    definition = adopt(work)
    release(work, definition, 1)
    before = flow.set_stage(work, NAME, Stage.ASSIST, 0.2, SYSTEM, "go")
    after = release(work, definition, 2)
    assert (after.stage, after.share, after.revision) == (Stage.SHADOW, 0.0, before.revision + 1)


def test_a_stage_that_was_judged_before_a_change_is_not_entered(work: Workspace) -> None:
    definition = adopt(work)
    judged = release(work, definition, 1).revision
    release(work, definition, 2)
    with pytest.raises(Conflict, match="changed meanwhile"):
        flow.set_stage(work, NAME, Stage.ASSIST, 0.2, SYSTEM, "go", judged)
    assert flow.live(work, NAME).stage is Stage.OFF


def disabled(work: Workspace) -> bool:
    try:
        flow.disable(work, NAME, SYSTEM, "all at once")
    except Conflict:
        return False
    return True


def test_of_six_who_switch_off_at_once_one_does_and_versions_are_numbered_in_turn(work: Workspace) -> None:
    definition = adopt(work)
    with ThreadPoolExecutor(PEOPLE) as pool:
        assert sum(pool.map(disabled, [work] * PEOPLE)) == 1
    assert flow.live(work, NAME).revision == 1

    now = work.clock.now()
    first = signed_version(work, definition, 1)
    comparison = Comparison(
        id="cmp_1",
        use_case=NAME,
        training_set="set_1",
        train_to=now,
        calibrate_to=now,
        held_out_to=now,
        rows_train=1,
        rows_calibrate=1,
        rows_held_out=1,
        currency="USD",
        candidates=(),
        best="additive",
        recommended="additive",
        reason="better",
        artefacts={"additive": first.artefact},
        made_at=now,
        verdict="pilot",
    )
    with ThreadPoolExecutor(PEOPLE) as pool:
        made = list(
            pool.map(lambda _: flow.make_version(work, definition, comparison, "additive", SYSTEM), range(PEOPLE))
        )
    assert sorted(version.number for version in made) == list(range(2, 2 + PEOPLE))
