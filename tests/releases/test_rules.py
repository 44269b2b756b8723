"""What may follow what is live."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotage.platform.errors import Conflict, InvalidRequest
from pilotage.releases import rules
from pilotage.releases.records import Live, Stage, Version

NOW = datetime(2013, 12, 5, tzinfo=UTC)


def version(number: int) -> Version:
    return Version(f"ver_{number}", "late", number, "boosted", "", "", "", "", NOW, "mara")


def history(*steps: int | str) -> list[Live]:
    """What was live after these steps, newest first: the number of a released version, or "back"."""
    past: list[Live] = []
    for step in steps:
        live = past[0] if past else rules.first("late", "file", NOW, "mara")
        if isinstance(step, int):
            past.insert(0, rules.with_version(live, version(step), "file", "better", NOW, "mara"))
        else:
            past.insert(0, rules.rolled_back(past, "file", "worse", NOW, "mara"))
    return past


def released(*numbers: int) -> Live:
    return history(*numbers)[0] if numbers else rules.first("late", "file", NOW, "mara")


def test_nothing_is_live_at_first() -> None:
    live = rules.first("late", "file", NOW, "")
    assert (live.stage, live.version, live.enabled, live.revision) == (Stage.OFF, None, True, 0)


def test_a_release_keeps_the_stage_and_remembers_the_version_before() -> None:
    live = rules.with_stage(released(1), Stage.SHADOW, 1.0, "look", NOW, "mara")
    after = rules.with_version(live, version(2), "file", "better", NOW, "mara")
    assert (after.stage, after.version, after.previous_version) == (Stage.SHADOW, "ver_2", "ver_1")
    assert after.revision == live.revision + 1


def test_releasing_the_live_version_again_does_not_forget_the_one_before() -> None:
    assert released(1, 2, 2).previous_version == "ver_1"


@pytest.mark.parametrize("stage", [Stage.ASSIST, Stage.AUTOMATE])
def test_another_version_than_the_one_that_answers_people_goes_back_to_shadow(stage: Stage) -> None:
    live = rules.with_stage(released(1), stage, 0.2, "go", NOW, "mara")
    after = rules.with_version(live, version(2), "file", "better", NOW, "mara")
    assert (after.stage, after.share, after.revision) == (Stage.SHADOW, 0.0, live.revision + 1)
    assert rules.stepped_back([after, live]) is stage
    again = rules.with_version(live, version(1), "file", "once more", NOW, "mara")
    assert (again.stage, again.share) == (stage, 0.2)
    assert rules.stepped_back([again, live]) is None


def test_a_roll_back_keeps_the_stage() -> None:
    past = history(1, 2)
    past.insert(0, rules.with_stage(past[0], Stage.ASSIST, 0.2, "go", NOW, "mara"))
    back = rules.rolled_back(past, "file", "misses snow", NOW, "mara")
    assert (back.version, back.stage, back.share) == ("ver_1", Stage.ASSIST, 0.2)


@pytest.mark.parametrize(
    ("steps", "live", "previous"),
    [
        ((1, 2, "back"), 1, None),
        ((1, 2, 3, "back"), 2, 1),
        ((1, 2, 3, "back", "back"), 1, None),
        ((1, 2, 3, "back", 4), 4, 2),
        ((1, 2, 3, "back", 4, "back"), 2, 1),
        ((1, 2, "back", 2, "back"), 1, None),
        ((1, 2, 1), 1, 2),
        ((1, 2, 1, "back"), 2, None),
        ((1, 2, 3, 2, "back"), 3, 1),
    ],
)
def test_a_roll_back_goes_back_and_never_to_what_was_left(
    steps: tuple[int | str, ...], live: int, previous: int | None
) -> None:
    now = history(*steps)[0]
    assert (now.version, now.previous_version) == (f"ver_{live}", f"ver_{previous}" if previous else None)


@given(st.lists(st.sampled_from([1, 2, 3, 4, "back"]), max_size=12))
def test_however_often_one_rolls_back_it_ends_and_no_version_comes_twice(steps: list[int | str]) -> None:
    past: list[Live] = history(1)
    for step in steps:
        if step != "back" or past[0].previous_version:
            live = past[0]
            if isinstance(step, int):
                past.insert(0, rules.with_version(live, version(step), "file", "better", NOW, "mara"))
            else:
                past.insert(0, rules.rolled_back(past, "file", "worse", NOW, "mara"))
    seen = [past[0].version]
    while past[0].previous_version:
        past.insert(0, rules.rolled_back(past, "file", "worse", NOW, "mara"))
        seen.append(past[0].version)
    assert len(seen) == len(set(seen))


def test_without_an_earlier_version_the_switch_is_the_way_out() -> None:
    with pytest.raises(Conflict, match="pilotage disable late"):
        rules.rolled_back([released(1)], "file", "misses snow", NOW, "mara")


def test_no_stage_without_a_version_but_off() -> None:
    with pytest.raises(Conflict, match="no version"):
        rules.with_stage(released(), Stage.SHADOW, 1.0, "look", NOW, "mara")
    assert rules.with_stage(released(), Stage.OFF, 1.0, "stop", NOW, "mara").stage is Stage.OFF


@pytest.mark.parametrize(("stage", "share"), [(Stage.SHADOW, 0.0), (Stage.ASSIST, 0.2), (Stage.AUTOMATE, 0.2)])
def test_a_share_counts_only_where_the_model_answers(stage: Stage, share: float) -> None:
    assert rules.with_stage(released(1), stage, 0.2, "go", NOW, "mara").share == share


@pytest.mark.parametrize("share", [0.0, -0.1, 1.1, float("nan")])
def test_a_share_lies_above_nothing_and_at_most_at_all(share: float) -> None:
    with pytest.raises(InvalidRequest, match="share"):
        rules.with_stage(released(1), Stage.ASSIST, share, "go", NOW, "mara")


def test_the_switch_leaves_the_stage_alone_and_turns_only_once() -> None:
    live = rules.with_stage(released(1), Stage.ASSIST, 0.2, "go", NOW, "mara")
    off = rules.switched(live, False, "feed is wrong", NOW, "mara")
    assert (off.enabled, off.stage, off.share) == (False, Stage.ASSIST, 0.2)
    assert rules.switched(off, True, "feed is right", NOW, "mara").enabled
    with pytest.raises(Conflict, match="already switched off"):
        rules.switched(off, False, "again", NOW, "mara")


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_every_change_wants_a_reason(reason: str) -> None:
    live = released(1, 2)
    changes: list[Callable[[], Live]] = [
        lambda: rules.switched(live, False, reason, NOW, "mara"),
        lambda: rules.rolled_back([live], "file", reason, NOW, "mara"),
        lambda: rules.with_stage(live, Stage.SHADOW, 1.0, reason, NOW, "mara"),
        lambda: rules.with_version(live, version(3), "file", reason, NOW, "mara"),
    ]
    for change in changes:
        with pytest.raises(InvalidRequest, match="reason"):
            change()


def test_a_change_is_told_in_words() -> None:
    numbers = {"ver_1": 1, "ver_2": 2}
    first = released(1)
    assist = rules.with_stage(first, Stage.ASSIST, 0.2, "go", NOW, "mara")
    assert rules.difference(None, first, numbers) == "Stage off, version 1"
    assert rules.difference(first, assist, numbers) == "Stage assist, share 20%"
    assert rules.difference(assist, rules.switched(assist, False, "stop", NOW, "mara"), numbers) == "Switched off"
    assert rules.difference(assist, assist, numbers) == "Confirmed"
