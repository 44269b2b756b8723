"""Incidents: one per cause however often it is seen, told to people and to other systems, closed with a reason."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import CapturingLogger, capture_logs
from tests.living import NAME, release, visitor
from tests.review.arranging import adopt

from pilotage.cli.main import main
from pilotage.decisions.records import TroubleKind
from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, Principal, Role
from pilotage.monitor.incidents import flow
from pilotage.monitor.incidents.records import OtherKind
from pilotage.monitor.incidents.rules import CALM, TITLES, title
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import Conflict, InvalidRequest
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.releases.records import Stage
from pilotage.web.stepping_back import step_back
from pilotage.webhooks import store as webhooks
from pilotage.webhooks.flow.emitting import take_in

WHY = "It failed several times in a row."


@pytest.mark.both_stores
def test_however_often_a_cause_is_seen_there_is_one_open_incident(work: Workspace, clock: FixedClock) -> None:
    first = flow.see(work, "circuit_open", WHY, NAME, "ver_1")
    clock.advance(timedelta(minutes=5))
    again = flow.see(work, "circuit_open", WHY, NAME, "ver_1")
    still = flow.see(work, "circuit_open", WHY, NAME, "ver_1", times=0)
    assert again.id == still.id == first.id
    assert (still.times_seen, still.last_seen_at) == (2, clock.now())
    others = {flow.see(work, "circuit_open", WHY, NAME, "ver_2").id, flow.see(work, "drain_stuck", WHY, place="a").id}
    assert len(others | {first.id}) == 3
    flow.close(work, first.id, SYSTEM, "A new endpoint was given.")
    assert flow.see(work, "circuit_open", WHY, NAME, "ver_1").id != first.id
    assert [step.what for step in flow.find(work, first.id).steps] == ["opened", "closed"]


@pytest.mark.both_stores
def test_workers_that_see_the_same_at_once_open_one(work: Workspace) -> None:
    begin = threading.Barrier(8)

    def see() -> None:
        begin.wait()
        for _ in range(5):
            flow.see(work, "circuit_open", WHY, NAME, "ver_1")

    threads = [threading.Thread(target=see) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    (incident,) = flow.listed(work)
    assert incident.times_seen == 40
    assert len(flow.find(work, incident.id).steps) == 1
    assert len(list(governing.entries(work, "incident.opened"))) == 1


def test_an_incident_closes_by_itself_only_when_it_was_calm(work: Workspace, clock: FixedClock) -> None:
    incident = flow.see(work, "circuit_open", WHY, NAME, "ver_1")
    assert not flow.close_if_calm(work, incident, "the model answered again.")
    clock.advance(CALM)
    flow.see(work, "circuit_open", WHY, NAME, "ver_1", times=0)  # another worker still sees it
    assert not flow.close_if_calm(work, incident, "the model answered again.")
    clock.advance(CALM)
    assert flow.close_if_calm(work, incident, "the model answered again.")
    assert not flow.close_if_calm(work, incident, "the model answered again.")
    last = flow.find(work, incident.id).steps[-1]
    assert (last.by, last.text) == ("Pilotage", "By itself, as the cause is gone: the model answered again.")


def test_closing_needs_a_note_and_happens_once(work: Workspace) -> None:
    incident = flow.see(work, "crash_loop", WHY)
    with pytest.raises(InvalidRequest, match="needs a note"):
        flow.close(work, incident.id, SYSTEM, "  ")
    with pytest.raises(InvalidRequest, match="2,000 letters"):
        flow.acknowledge(work, incident.id, SYSTEM, "x" * 2_001)
    flow.acknowledge(work, incident.id, SYSTEM)
    flow.close(work, incident.id, SYSTEM, "The driver was replaced.")
    with pytest.raises(Conflict, match="was closed by Pilotage"):
        flow.acknowledge(work, incident.id, SYSTEM)
    with pytest.raises(Conflict, match="was closed by Pilotage"):
        flow.close(work, incident.id, SYSTEM, "again")


def test_a_crash_loop_opens_one_for_the_version_that_was_taken_back(work: Workspace, clock: FixedClock) -> None:
    definition = adopt(work)
    release(work, definition, 1)
    clock.advance(timedelta(hours=3))
    second = release(work, definition, 2).version
    releasing.set_stage(work, NAME, Stage.SHADOW, 1.0, SYSTEM, "look at it first")
    step_back(work)
    (incident,) = flow.listed(work)
    assert (incident.kind, incident.use_case, incident.version) == ("crash_loop", NAME, second)
    assert "The version before it is live again." in incident.why
    step_back(work)  # they crash again: now it is nobody's version
    assert {(each.use_case, each.kind) for each in flow.listed(work)} == {(NAME, "crash_loop"), ("*", "crash_loop")}


def test_the_audit_log_the_events_and_the_log_say_it(work: Workspace) -> None:
    take_in(work)
    with capture_logs() as lines:
        incident = flow.see(work, "spool_refuses", "The spool is full.", place="abc")
        flow.acknowledge(work, incident.id, SYSTEM, "somebody@example.com looks")
        flow.close(work, incident.id, SYSTEM, "somebody@example.com made room")
    assert [line["event"] for line in lines] == ["incident_opened", "incident_closed"]
    take_in(work)
    with work.database.reading() as connection:
        bodies = [json.loads(row.body) for row in connection.execute(webhooks.events.select()).all()]
    told = {each["type"]: each for each in bodies}
    assert {*told} >= {"pilotage.incident.opened", "pilotage.incident.closed"}
    opened = told["pilotage.incident.opened"]
    assert (opened["subject"], opened["data"]["kind"], opened["data"]["use_case"]) == (
        incident.id,
        "spool_refuses",
        "*",
    )
    assert "somebody@example.com" not in json.dumps(bodies)
    assert governing.verify(work).valid


def test_the_pages_show_open_ones_and_owners_close_them(work: Workspace) -> None:
    adopt(work)
    incident = flow.see(work, "circuit_open", WHY, NAME, "ver_1")
    everywhere = flow.see(work, "spool_refuses", "The spool is full.", place="abc")
    with visitor(work, Role.OWNER) as owner:
        for page in (f"/use-cases/{NAME}", f"/use-cases/{NAME}/operate"):
            shown = owner.get(page).text
            assert "2 incidents are open." in shown
            assert f'href="/incidents/{incident.id}"' in shown and f'href="/incidents/{everywhere.id}"' in shown
        assert title("circuit_open") in owner.get("/incidents").text
        assert owner.get(f"/incidents/{everywhere.id}").status_code == 200
        assert owner.post(f"/incidents/{everywhere.id}/close", {"note": "x"}).status_code == 403
        assert owner.post(f"/incidents/{incident.id}/acknowledge", {"note": "I look"}).status_code == 303
        assert owner.post(f"/incidents/{incident.id}/close", {"note": ""}).status_code == 422
        assert owner.post(f"/incidents/{incident.id}/close", {"note": "<b>Restarted</b>"}).status_code == 303
        closed = owner.get(f"/incidents/{incident.id}").text
        assert "&lt;b&gt;Restarted&lt;/b&gt;" in closed and "<form" not in closed.split("<main")[1]
        assert owner.post(f"/incidents/{incident.id}/close", {"note": "again"}).status_code == 409
        assert "An incident is open." in owner.get(f"/use-cases/{NAME}").text
        assert owner.get("/incidents/inc_none").status_code == 404


def test_others_see_what_they_may_and_change_nothing(work: Workspace) -> None:
    adopt(work)
    incident = flow.see(work, "circuit_open", WHY, NAME, "ver_1")
    with visitor(work, Role.VIEWER) as viewer:
        assert viewer.get(f"/incidents/{incident.id}").status_code == 200
        assert viewer.post(f"/incidents/{incident.id}/acknowledge", {"note": ""}).status_code == 403
    with visitor(work, Role.OWNER, "another") as stranger:
        assert stranger.get(f"/incidents/{incident.id}").status_code == 404
        assert stranger.post(f"/incidents/{incident.id}/close", {"note": "x"}).status_code == 404
        assert incident.id not in stranger.get("/incidents").text
    assert flow.find(work, incident.id).incident.is_open


def test_the_commands_list_acknowledge_and_close(
    work: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PILOTAGE_HOME", str(work.home))
    incident = flow.see(work, "drain_stuck", "Nothing came into the ledger.", place="abc")

    def said(*tokens: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(tokens)
        return int(ended.value.code or 0), capsys.readouterr().out

    code, out = said("incidents", "--json")
    assert code == 0
    assert [each["id"] for each in json.loads(out)["incidents"]] == [incident.id]
    assert "1 open incident." in said("incidents")[1]
    assert f"{incident.id} is acknowledged." in said("incidents", "acknowledge", incident.id, "--note", "I look")[1]
    assert said("incidents", "close", incident.id)[0] == 2
    assert f"{incident.id} is closed." in said("incidents", "close", incident.id, "--note", "Disk replaced")[1]
    assert "No incident is open." in said("incidents")[1]
    assert "Disk replaced" in said("incidents", "show", incident.id)[1]
    assert json.loads(said("incidents", "list", "--all", "--json")[1])["incidents"][0]["closed_by"] == "Pilotage"


def test_every_kind_has_words() -> None:
    assert {*TITLES} == {*TroubleKind, *OtherKind}


def test_the_log_names_who_closed_an_incident_by_identifier(work: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    incident = flow.see(work, "circuit_open", WHY, NAME, "ver_1")
    said = CapturingLogger()  # whatever level a test before this one has set
    monkeypatch.setattr(flow, "log", said)
    flow.close(work, incident.id, Principal("per_1", "anna.schmidt", "person"), "It was the network.")
    assert [(call.args, call.kwargs["by"]) for call in said.calls] == [(("incident_closed",), "per_1")]
    assert "anna" not in str(said.calls)
