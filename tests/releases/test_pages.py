"""The versions page and the switch, as people with different roles meet them."""

from __future__ import annotations

import pytest
from tests.living import NAME, release, signed_version, visitor
from tests.review.arranging import FILE, adopt

from pilotage.govern.records import SYSTEM, Role
from pilotage.models import artefacts
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow, rules
from pilotage.releases.records import Stage
from pilotage.usecase import flow as defining

PAGE = f"/use-cases/{NAME}/versions"
SWITCH = f"/use-cases/{NAME}/switch"


def test_before_the_first_version_the_page_names_the_command(work: Workspace) -> None:
    adopt(work)
    with visitor(work, Role.VIEWER) as person:
        page = person.get(PAGE)
    assert page.status_code == 200
    assert f"pilotage train {NAME}" in page.text
    assert "Nothing was ever live" in page.text


def test_the_live_version_and_the_one_before_are_marked(work: Workspace) -> None:
    definition = adopt(work)
    for number in (1, 2):
        release(work, definition, number)
    with visitor(work, Role.OWNER) as person:
        page = person.get(PAGE).text
    assert "Version 2 is live" in page
    assert "Roll back to version 1" in page
    assert page.count(">holds<") == 2
    assert "number 2 is better" in page


def test_a_changed_artefact_is_told_and_cannot_be_released(work: Workspace) -> None:
    definition = adopt(work)
    for number in (1, 2):
        release(work, definition, number)
    first = flow.version_number(work, NAME, 1)
    work.lake.path(first.artefact, artefacts.MANIFEST_SUFFIX).write_bytes(b"{}")
    with visitor(work, Role.OWNER) as person:
        page = person.get(PAGE).text
    assert "does not hold" in page
    assert "cannot be loaded" in page
    assert f"{PAGE}/1/release" not in page


def test_a_viewer_sees_no_button_and_may_press_none(work: Workspace) -> None:
    definition = adopt(work)
    for number in (1, 2):
        release(work, definition, number)
    before = flow.live(work, NAME)
    with visitor(work, Role.VIEWER) as person:
        page = person.get(PAGE).text
        answers = [
            person.post(path, {"reason": "because", "enabled": "false", "revision": "2"}).status_code
            for path in (SWITCH, PAGE, f"{PAGE}/1/release", f"/use-cases/{NAME}/roll-back")
        ]
    assert f'action="/use-cases/{NAME}' not in page
    assert answers == [403, 403, 403, 403]
    assert flow.live(work, NAME) == before


def test_an_owner_rolls_back_and_forth_with_a_reason(work: Workspace) -> None:
    definition = adopt(work)
    for number in (1, 2):
        release(work, definition, number)
    with visitor(work, Role.OWNER) as person:
        back = person.post(f"/use-cases/{NAME}/roll-back", {"reason": "version 2 misses snow", "revision": "2"})
        assert (back.status_code, back.headers["location"]) == (303, PAGE)
        assert flow.version(work, flow.live(work, NAME).version or "").number == 1
        assert person.post(f"{PAGE}/2/release", {"reason": "snow is over", "revision": "3"}).status_code == 303
    live = flow.live(work, NAME)
    assert flow.version(work, live.version or "").number == 2
    assert (live.changed_by, live.reason) == (f"owner of {NAME}", "snow is over")


def test_a_release_in_assist_says_that_the_stage_went_back(work: Workspace) -> None:
    definition = adopt(work)
    for number in (1, 2):
        release(work, definition, number)
    flow.set_stage(work, NAME, Stage.ASSIST, 0.2, SYSTEM, "go")
    with visitor(work, Role.OWNER) as person:
        assert "Releasing another version sets the stage back to shadow" in person.get(PAGE).text
        person.post(f"{PAGE}/1/release", {"reason": "the old one was better", "revision": "3"})
        page = person.get(PAGE).text
    assert "Version 1 replaced one that answered in stage assist, so the stage went back to shadow" in page
    assert flow.live(work, NAME).stage is Stage.SHADOW


@pytest.mark.parametrize("reason", ["", "   "])
def test_the_switch_wants_a_reason(work: Workspace, reason: str) -> None:
    adopt(work)
    with visitor(work, Role.OWNER) as person:
        answer = person.post(SWITCH, {"enabled": "false", "reason": reason})
    assert answer.status_code == 422
    assert "needs a reason" in answer.text
    assert flow.live(work, NAME).enabled


def test_the_switch_returns_to_the_page_that_asked(work: Workspace) -> None:
    adopt(work)
    with visitor(work, Role.OWNER) as person:
        off = person.post(SWITCH, {"enabled": "false", "reason": "feed is wrong", "back": PAGE})
        page = person.get(PAGE).text
    assert (off.status_code, off.headers["location"]) == (303, PAGE)
    assert not flow.live(work, NAME).enabled
    assert "feed is wrong" in page
    assert ">Switch on<" in page


@pytest.mark.parametrize("back", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example"])
def test_the_switch_leads_to_no_other_site(work: Workspace, back: str) -> None:
    adopt(work)
    with visitor(work, Role.OWNER) as person:
        off = person.post(SWITCH, {"enabled": "false", "reason": "feed is wrong", "back": back})
    assert (off.status_code, off.headers["location"]) == (303, "/")


def test_a_form_without_its_token_changes_nothing(work: Workspace) -> None:
    adopt(work)
    with visitor(work, Role.OWNER) as person:
        answer = person.client.post(SWITCH, data={"enabled": "false", "reason": "ridden"}, follow_redirects=False)
    assert answer.status_code == 403
    assert flow.live(work, NAME).enabled


def test_releasing_without_a_comparison_names_the_command(work: Workspace) -> None:
    adopt(work)
    with visitor(work, Role.OWNER) as person:
        answer = person.post(PAGE, {"reason": "first", "revision": "0"})
    assert answer.status_code == 409
    assert f"pilotage train {NAME}" in answer.text


def test_a_version_says_whether_it_answers_as_in_training(work: Workspace) -> None:
    definition = adopt(work)
    release(work, definition, 1)
    signed_version(work, definition, 2)
    with visitor(work, Role.VIEWER) as person:
        page = person.get(PAGE).text
    assert "0 flips in 10,000 rows" in page
    assert page.count("not measured") == 1


def test_what_was_measured_for_an_earlier_text_of_the_file_is_shown_as_that(work: Workspace) -> None:
    release(work, adopt(work), 1)
    later = FILE.replace("arr_delay > 30", "arr_delay > 45")
    definition = defining.adopt(work, defining.parse_definition(later, "late_arrival.yaml"), SYSTEM)
    version = flow.version_number(work, NAME, 1)
    assert flow.parity_of(work, definition, version) is None, "for a release and the gates it does not count"
    with visitor(work, Role.VIEWER) as person:
        page = person.get(PAGE).text
    told = f"0 flips in 10,000 rows; measured {work.clock.now():%Y-%m-%d} for an earlier text of the file"
    assert told in page
    assert "not measured" not in page
    assert rules.parity_in_short(flow.parities(work, definition)[version.id]) == told


@pytest.mark.both_stores
def test_a_version_whose_parity_cannot_be_measured_is_not_released(work: Workspace) -> None:
    definition = adopt(work)
    live = release(work, definition, 1)
    signed_version(work, definition, 2)
    with visitor(work, Role.OWNER) as person:
        answer = person.post(f"{PAGE}/2/release", {"reason": "newer", "revision": "1"})
    assert answer.status_code == 409
    assert "The training set of version 2 is not known here" in answer.text
    assert flow.live(work, NAME).version == live.version
