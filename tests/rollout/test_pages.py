"""The list of use cases, the home of one, its stage and how to integrate it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.living import NAME, happened, release, visitor
from tests.review.arranging import adopt, recorded

from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.platform.settings import read_settings
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.releases.records import Stage
from pilotage.web.commands import serve

HOME = f"/use-cases/{NAME}"
STAGE = f"{HOME}/stage"


def test_an_empty_installation_names_the_first_command(work: Workspace) -> None:
    with visitor(work, Role.VIEWER, "*") as person:
        page = person.get("/")
    assert page.status_code == 200
    assert "pilotage sync" in page.text


def test_the_list_shows_only_what_the_reader_may_see(work: Workspace) -> None:
    adopt(work)
    with visitor(work, Role.VIEWER) as mine:
        assert "Late arrivals" in mine.get("/").text
    with visitor(work, Role.VIEWER, "another") as other:
        assert "Late arrivals" not in other.get("/").text
        assert other.get(HOME).status_code == 404


def test_the_home_of_a_new_use_case_says_what_to_do_first(work: Workspace) -> None:
    adopt(work)
    with visitor(work, Role.OWNER) as person:
        page = person.get(HOME).text
    assert "Nothing can go wrong yet" in page
    assert "What keeps it from shadow" in page
    assert f"Run pilotage audit {NAME}." in page
    assert page.count('<details id="gate-') == 7
    assert 'name="stage"' not in page


def test_money_so_far_stands_beside_the_rules(work: Workspace) -> None:
    adopt(work)
    decision = recorded(work, answer=True, rule_answer=False)
    happened(work, decision.id, True, work.clock.now())
    with visitor(work, Role.VIEWER) as person:
        page = person.get("/").text
    assert "180\u202fUSD</strong> so far from 1 decisions" in page
    assert "today's rule alone 0\u202fUSD" in page


def test_a_closed_gate_comes_back_as_a_list_and_changes_nothing(work: Workspace) -> None:
    release(work, adopt(work), 1)
    with visitor(work, Role.OWNER) as person:
        assert ">Advance to shadow" in person.get(HOME).text
        answer = person.post(STAGE, {"stage": "shadow", "reason": "eager", "revision": "1"})
    assert answer.status_code == 409
    assert "may not enter shadow yet" in answer.text
    assert "Nothing was changed" in answer.text
    assert releasing.live(work, NAME).stage is Stage.OFF


def test_stepping_back_asks_no_gate(work: Workspace) -> None:
    release(work, adopt(work), 1)
    releasing.set_stage(work, NAME, Stage.ASSIST, 0.5, SYSTEM, "tried")
    with visitor(work, Role.OWNER) as person:
        answer = person.post(STAGE, {"stage": "shadow", "reason": "snow storm", "revision": "2"})
    assert (answer.status_code, answer.headers["location"]) == (303, HOME)
    live = releasing.live(work, NAME)
    assert (live.stage, live.reason, live.changed_by) == (Stage.SHADOW, "snow storm", f"owner of {NAME}")


@pytest.mark.parametrize("form", [{"stage": "off", "reason": ""}, {"stage": "everywhere", "reason": "so"}])
def test_a_stage_wants_a_reason_and_a_rung_of_the_ladder(work: Workspace, form: dict[str, str]) -> None:
    release(work, adopt(work), 1)
    releasing.set_stage(work, NAME, Stage.SHADOW, 1.0, SYSTEM, "tried")
    with visitor(work, Role.OWNER) as person:
        answer = person.post(STAGE, {**form, "revision": "2"})
    assert answer.status_code in (400, 422)
    assert releasing.live(work, NAME).stage is Stage.SHADOW


def test_a_viewer_sees_no_button_and_changes_no_stage(work: Workspace) -> None:
    release(work, adopt(work), 1)
    with visitor(work, Role.VIEWER) as person:
        page = person.get(HOME).text
        answer = person.post(STAGE, {"stage": "off", "reason": "because", "revision": "1"})
    assert f'action="{HOME}' not in page
    assert answer.status_code == 403


def test_the_switch_is_told_while_it_is_off(work: Workspace) -> None:
    adopt(work)
    releasing.disable(work, NAME, SYSTEM, "weather feed is wrong")
    with visitor(work, Role.VIEWER) as person:
        pages = [person.get(path).text for path in ("/", HOME)]
    assert all("switched off" in page for page in pages)
    assert "weather feed is wrong" in pages[1]


def test_snippets_name_the_port_that_serve_was_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("HOME", str(tmp_path)), ("HOST", "127.0.0.1"), ("PORT", "8700"), ("WORKERS", "1")):
        monkeypatch.setenv(f"PILOTAGE_{name}", value)
    addresses: list[str] = []

    # The workers read their settings from the environment, as here.
    def run(supervisor: object) -> bool:
        addresses.append(read_settings().address)
        return True

    monkeypatch.setattr("pilotage.web.supervising.Supervisor.run", run)
    serve(host="127.0.0.2", port=9123)
    assert addresses == ["http://127.0.0.2:9123"]


def test_integrating_shows_a_request_that_the_contract_accepts(work: Workspace) -> None:
    adopt(work)
    with visitor(work, Role.VIEWER) as person:
        page = person.get(f"{HOME}/integrate").text
    assert f"{work.settings.address}/v1{HOME}/decisions" in page
    assert f"{work.settings.address}/v1{HOME}/card-tokens" in page
    assert "&lt;pilotage-card" in page
    assert "from pilotage.client import Client" in page
    assert "People" in page
    assert "arrivals" in page


def key_named(work: Workspace, name: str, *grants: Grant) -> str:
    """A new key's identifier."""
    made = governing.principal_of_key(work, governing.make_key(work, SYSTEM, name, grants))
    assert made
    return made.id


@pytest.mark.both_stores
def test_an_owner_sees_the_keys_of_the_use_case_and_disables_one_there(work: Workspace) -> None:
    adopt(work)
    app, review = Grant(Role.APP, NAME), Grant(Role.REVIEWER, NAME)
    mine = key_named(work, "dispatch", app, review)
    wide, other = (
        key_named(work, "everywhere", Grant(Role.APP)),
        key_named(work, "of another", Grant(Role.APP, "another")),
    )
    asked = recorded(work, asked_by="dispatch")
    integrate = f"{HOME}/integrate"

    with visitor(work, Role.OWNER) as owner:
        page = owner.get(integrate).text
        assert "app, reviewer" in page and "of another" not in page
        assert page.count("Disable the key of") == 2  # what is asked and what the button says, of one key
        assert asked.decided_at.strftime("%Y-%m-%dT%H:%M") in page and "not lately" in page
        assert 'href="/interface#try-late_arrival"' in page
        assert owner.post(f"{HOME}/keys/{wide}/disable", {}).status_code == 403
        assert owner.post(f"{HOME}/keys/{other}/disable", {}).status_code == 404
        assert owner.post(f"{HOME}/keys/{mine}/disable", {}).status_code == 303
        assert "Disable the key of" not in owner.get(integrate).text
    with visitor(work, Role.OPERATOR) as operator:
        assert "dispatch" not in operator.get(integrate).text.partition("<h2>1. Ask")[2].partition("<h2>2. Show")[0]
        assert operator.post(f"{HOME}/keys/{mine}/disable", {}).status_code == 403
    disabled = {key.name: key.disabled_at is not None for key in governing.keys_of(work, NAME)}
    assert disabled == {"dispatch": True, "everywhere": False}
