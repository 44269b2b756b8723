"""What was released last is taken back when workers crash again and again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, Principal
from pilotage.platform.clock import FixedClock
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.releases.records import Live, Stage
from pilotage.usecase.records import Definition
from pilotage.web.stepping_back import REASON, SUSPECT, step_back
from tests import living
from tests.review.arranging import NAME, adopt

MINUTE = timedelta(minutes=1)


def release(work: Workspace, definition: Definition, number: int) -> str | None:
    """Release a new version and let it run in shadow; its identifier."""
    version = living.release(work, definition, number).version
    if releasing.live(work, NAME).stage is Stage.OFF:
        releasing.set_stage(work, NAME, Stage.SHADOW, 1.0, SYSTEM, "look at it first")
    return version


def test_a_new_version_goes_back_to_the_one_before_with_an_entry(work: Workspace, clock: FixedClock) -> None:
    definition = adopt(work)
    first = release(work, definition, 1)
    clock.advance(3 * SUSPECT)
    release(work, definition, 2)
    clock.advance(MINUTE)
    changed = step_back(work)
    assert changed is not None
    assert (changed.use_case, changed.version, changed.reason) == (NAME, first, REASON)
    assert releasing.live(work, NAME) == changed
    (entry,) = governing.entries(work, "version.rolled_back")
    assert REASON in str(entry)
    assert governing.verify(work)


def test_it_steps_back_once_and_then_it_is_not_the_version(work: Workspace, clock: FixedClock) -> None:
    definition = adopt(work)
    for number in (1, 2, 3):
        release(work, definition, number)
        clock.advance(MINUTE)
    stepped = step_back(work)
    assert step_back(work) is None
    assert releasing.live(work, NAME) == stepped


def test_the_first_version_is_switched_off(work: Workspace) -> None:
    release(work, adopt(work), 1)
    changed = step_back(work)
    assert changed is not None
    assert not changed.enabled
    assert len(list(governing.entries(work, "switch.disabled"))) == 1
    assert step_back(work) is None


def test_what_somebody_else_changes_at_that_moment_is_left_to_them(
    work: Workspace, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    definition = adopt(work)
    first = release(work, definition, 1)
    release(work, definition, 2)
    really = releasing.roll_back

    def overtaken(work: Workspace, name: str, by: Principal, reason: str, judged: int | None = None) -> Live:
        really(work, name, SYSTEM, "another replica was quicker")
        return really(work, name, by, reason, judged)

    monkeypatch.setattr(releasing, "roll_back", overtaken)
    assert step_back(work) is None
    live = releasing.live(work, NAME)
    assert (live.version, live.enabled) == (first, True)


def test_what_has_run_for_long_stays(work: Workspace, clock: FixedClock) -> None:
    definition = adopt(work)
    release(work, definition, 1)
    release(work, definition, 2)
    clock.advance(SUSPECT + MINUTE)
    before = releasing.live(work, NAME)
    assert step_back(work) is None
    assert releasing.live(work, NAME) == before


def test_another_stage_does_not_make_an_old_version_new(work: Workspace, clock: FixedClock) -> None:
    definition = adopt(work)
    release(work, definition, 1)
    release(work, definition, 2)
    clock.advance(SUSPECT + MINUTE)
    releasing.set_stage(work, NAME, Stage.ASSIST, 0.5, SYSTEM, "the gates passed")
    assert step_back(work) is None
