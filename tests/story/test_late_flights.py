"""One use case, all the way: what the story of late flights left behind, seen through the product's own doors."""

from __future__ import annotations

import json
import random
import re
import sqlite3
from collections.abc import Iterator
from datetime import UTC

import httpx
import pytest
from examples.demo.plan import USE_CASE
from examples.demo.programs import pilotage
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import create_engine, select
from tests.browser import launch
from tests.story.conftest import Lived, commands
from tests.web.serving import wait_until

from dispatch.rule import advise
from dispatch.tables import flights
from pilotage.data import flow as data
from pilotage.decisions.rules import arm_of
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import open_workspace
from pilotage.releases.records import Stage
from pilotage.usecase import flow as defining

pytestmark = pytest.mark.story

DECISIONS = f"/v1/use-cases/{USE_CASE}/decisions"


def flight_in_arm(arm: str, start: int = 0) -> str:
    """A made-up flight that falls on this side of the share."""
    numbers = (number for number in range(start, start + 1000))
    names = (f"20130529-UA{number}-EWR" for number in numbers)
    return next(name for name in names if arm_of(USE_CASE, name, Stage.ASSIST, 0.2) == arm)


def documents(lived: Lived, *command: str) -> object:
    """What a command prints for machines."""
    return json.loads(pilotage(lived.plan, *command, "--json", quiet=True))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launch() as opened:
        yield opened


@pytest.fixture(scope="module")
def console(browser: Browser, lived: Lived) -> Iterator[Page]:
    """The console with the first login, as printed once at the first start."""
    page = browser.new_page()
    page.goto(lived.plan.pilotage_url)
    page.get_by_label("Name").fill("admin")
    page.get_by_label("Password").fill(lived.password)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    yield page
    page.close()


class TestFromDataToShadow:
    """Steps 1 to 7."""

    def test_every_command_of_the_tutorial_works_in_its_order(self, lived: Lived) -> None:
        assert list(lived.typed) == commands()
        assert len(lived.typed) >= 15
        for command, done in lived.typed.items():
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
            assert "Traceback" not in done.stderr

    def test_the_office_shows_its_departures(self, lived: Lived) -> None:
        board = httpx.get(lived.plan.dispatch_url)
        assert board.status_code == 200
        assert len(re.findall(r"/flights/2013", board.text)) > 20

    def test_each_silo_has_a_versioned_snapshot_that_grew_with_the_clock(self, lived: Lived) -> None:
        found = {each["source"]: each for each in documents(lived, "sync", USE_CASE)}
        assert set(found) == {"flights", "departures", "arrivals", "outcomes", "weather"}
        assert all(re.fullmatch("[0-9a-f]{64}", each["version"]) for each in found.values())
        assert found["arrivals"]["known_to"] > "2013-05-29T00"

    def test_the_audit_refuses_what_is_known_only_after_the_decision(self, lived: Lived) -> None:
        report = documents(lived, "audit", USE_CASE, "--latest")
        late = " ".join(f["message"] for f in report["findings"] if f["code"] == "known-after-decision")
        for column in ("dep_time", "dep_delay", "arr_time", "air_time"):
            assert column in late
        good = [f["message"] for f in report["findings"] if f["code"] == "too-good-to-be-true"]
        assert any("dep_delay" in message for message in good)
        assert len(report["answers"]) == 7
        assert not [f for f in report["findings"] if f["severity"] == "blocks"]

    def test_the_comparison_holds_three_candidates_against_the_rule(self, lived: Lived) -> None:
        comparison = documents(lived, "compare", USE_CASE)
        measured = {each["candidate"]: each for each in comparison["candidates"]}
        assert set(measured) == {"rule", "linear", "additive", "boosted"}
        for each in measured.values():
            figures = each["measures"]
            assert set(figures) >= {"auc", "precision", "recall", "log_loss", "calibration_error"}
            for figure in (*figures.values(), each["money"]):
                assert figure["low"] <= figure["value"] <= figure["high"]
        assert comparison["train_to"] < comparison["calibrate_to"] < comparison["held_out_to"]

    def test_the_version_is_signed_and_the_gates_read_the_evidence(self, lived: Lived) -> None:
        (version,) = documents(lived, "versions", USE_CASE)["versions"]
        assert len(version["signature"]) == 128
        gates = {each["gate"]: each["outcome"] for each in documents(lived, "gate", USE_CASE)}
        assert [gates[name] for name in ("use_case", "data_audit", "baseline")] == ["PASS"] * 3

    def test_live_columns_are_those_of_the_training_set_bit_for_bit(self, lived: Lived) -> None:
        work = open_workspace(Settings(home=lived.plan.home / "pilotage"))
        definition = defining.find_adopted(work, USE_CASE)
        rows = data.training_rows(work, data.latest_training_set(work, USE_CASE)).to_pylist()
        live = data.open_live(work, definition)
        with sqlite3.connect(lived.plan.environment()["DISPATCH_DATABASE"].removeprefix("sqlite:///")) as office:
            office.row_factory = sqlite3.Row
            for row in random.Random(7).sample(rows, 500):
                flight = office.execute("SELECT * FROM flights WHERE flight_id = ?", (row["entity"],)).fetchone()
                request = {name: flight[name] for name in definition.plan.request}
                found = live.assemble(request, row["moment"].replace(tzinfo=UTC))
                assert found == {name: row[name] for name in definition.plan.names}
        work.close()

    def test_the_rule_in_the_file_is_the_rule_of_the_office(self, lived: Lived) -> None:
        work = open_workspace(Settings(home=lived.plan.home / "pilotage"))
        rows = data.training_rows(work, data.latest_training_set(work, USE_CASE)).to_pylist()
        with create_engine(lived.plan.environment()["DISPATCH_DATABASE"]).connect() as office:
            for row in random.Random(8).sample(rows, 500):
                plan = office.execute(select(flights).where(flights.c.flight_id == row["entity"])).one()
                advice = advise(office, plan.flight_id, plan.tail_number, row["moment"])
                assert bool(row["rule"]) == advice.rebook, row["entity"]
        work.close()


class TestDecisions:
    """Step 8: over HTTP, on the command line, in a batch; and requests that do not fit."""

    def test_an_entity_that_keeps_the_rule_sees_nothing_of_the_model(self, lived: Lived) -> None:
        answer = lived.ask(flight_in_arm("rule")).raise_for_status().json()
        assert (answer["produced_by"], answer["reason"], answer["stage"]) == ("rule", "rule_arm", "assist")
        assert {"probability", "band", "signals"}.isdisjoint(answer)

    def test_an_entity_in_the_share_gets_the_models_answer_in_words(self, lived: Lived) -> None:
        answer = lived.ask(flight_in_arm("model")).raise_for_status().json()
        assert answer["produced_by"] == "model"
        assert 0 < answer["probability"] < 1
        assert answer["band"] in ("low", "uncertain", "high")
        assert answer["action"] in ("Prepare rebooking", "Leave as planned")
        assert 1 <= len(answer["signals"]) <= 5
        assert all(signal["sentence"] for signal in answer["signals"])

    def test_the_decision_can_be_read_back_under_its_id(self, lived: Lived) -> None:
        answer = lived.ask(flight_in_arm("model", 10)).json()
        key = {"authorization": f"Bearer {lived.office.app_key}"}
        again = httpx.get(f"{lived.plan.pilotage_url}/v1/decisions/{answer['id']}", headers=key)
        assert again.json() == answer

    def test_command_line_and_batch_answer_as_http_does(self, lived: Lived) -> None:
        flight = flight_in_arm("model", 20)
        over_http = lived.ask(flight).json()
        request = {
            "flight_id": flight,
            "carrier": "UA",
            "origin": "EWR",
            "destination": "ORD",
            "tail_number": "N14228",
            "distance_miles": 719,
            "scheduled_departure": "2013-05-29T17:00:00Z",
        }
        one, many = lived.plan.home / "one.json", lived.plan.home / "many.jsonl"
        one.write_text(json.dumps(request))
        many.write_text(json.dumps(request) + "\n" + json.dumps({**request, "carrier": 7}) + "\n")
        decided = json.loads(pilotage(lived.plan, "decide", USE_CASE, "--file", str(one), "--json", quiet=True))
        lines = pilotage(lived.plan, "batch", USE_CASE, "--file", str(many), quiet=True, allowed=(1,)).splitlines()
        first, second = json.loads(lines[0]), json.loads(lines[1])
        for answer in (decided, first["answer"]):
            assert {**answer, "id": ""} == {**over_http, "id": ""}
        assert "carrier" in second["problem"]

    def test_an_unknown_category_is_answered_and_flagged(self, lived: Lived) -> None:
        answer = lived.ask(flight_in_arm("model", 30), carrier="ZZ").json()
        assert answer["produced_by"] == "model"
        assert "unknown_category:carrier" in answer["flags"]

    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({"carier": "UA"}, "carier"),
            ({"distance_miles": "far"}, "distance_miles: must be a number; a text came."),
            ({"scheduled_departure": "tomorrow"}, "scheduled_departure: must be an instant"),
        ],
    )
    def test_a_request_that_does_not_fit_is_told_where(
        self, lived: Lived, changed: dict[str, object], said: str
    ) -> None:
        reply = lived.ask("20130529-UA1-EWR", **changed)
        assert reply.status_code == 422
        assert reply.headers["content-type"] == "application/problem+json"
        problems = [f"{p['where']}: {p['message']}" for p in reply.json()["problems"]]
        assert any(said in problem for problem in problems)

    def test_a_missing_field_and_nan_are_told(self, lived: Lived) -> None:
        missing = lived.post(DECISIONS, content=b'{"flight_id": "x"}')
        assert "carrier" in [problem["where"] for problem in missing.json()["problems"]]
        assert "NaN" in lived.post(DECISIONS, content=b'{"distance_miles": NaN}').text

    def test_a_body_of_a_megabyte_is_refused(self, lived: Lived) -> None:
        reply = lived.post(DECISIONS, content=b" " * 1_000_000)
        assert (reply.status_code, reply.json()["code"]) == (413, "too-large")

    def test_who_has_no_key_or_not_the_permission_is_refused(self, lived: Lived) -> None:
        nobody = httpx.post(lived.plan.pilotage_url + DECISIONS, json={})
        assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, "Bearer")
        assert lived.post(DECISIONS, key="pk_wrong", json={}).status_code == 401
        viewer = pilotage(lived.plan, "key", "make", "viewer", "--role", "viewer", "--use-case", USE_CASE, quiet=True)
        key = next(word for word in viewer.split() if word.startswith("pk_"))
        wait_until(lambda: lived.post(DECISIONS, key=key, json={}).status_code != 401)  # it is new
        refused = lived.post(DECISIONS, key=key, json={})
        assert (refused.status_code, refused.json()["code"]) == (403, "not-allowed")

    def test_an_unknown_use_case_is_not_found(self, lived: Lived) -> None:
        reply = lived.post("/v1/use-cases/nowhere/decisions", json={})
        assert (reply.status_code, reply.json()["code"]) == (404, "not-found")

    def test_no_secret_is_in_any_log(self, lived: Lived) -> None:
        for log in lived.plan.home.glob("*.log"):
            assert lived.office.app_key not in log.read_text()


class TestPeople:
    """Steps 9 to 11, in a real browser."""

    def test_the_card_on_the_flight_page_takes_feedback(self, lived: Lived, browser: Browser) -> None:
        flights = [flight for flight, _, _ in lived.office.flights_asked_about("2013-05-28T23:10")]
        flight = next(f for f in reversed(flights) if arm_of(USE_CASE, f, Stage.ASSIST, 0.2) == "model")
        page = browser.new_page()
        page.goto(f"{lived.plan.dispatch_url}/flights/{flight}")
        card = page.locator("pilotage-card")
        expect(card.get_by_text(re.compile("in 10"))).to_be_visible()
        card.get_by_role("button", name="I do otherwise").click()
        card.get_by_role("combobox").select_option(index=1)
        card.get_by_role("button", name="Send").click()
        expect(card.get_by_role("status")).not_to_be_empty()
        page.close()
        decisions = documents(lived, "monitor", USE_CASE)
        assert decisions["overrides"] > lived.feedback.get("override", 0)

    def test_a_flight_that_keeps_the_rule_has_an_empty_card(self, lived: Lived, browser: Browser) -> None:
        flights = [flight for flight, _, _ in lived.office.flights_asked_about("2013-05-28T23:10")]
        flight = next(f for f in reversed(flights) if arm_of(USE_CASE, f, Stage.ASSIST, 0.2) == "rule")
        page = browser.new_page()
        page.goto(f"{lived.plan.dispatch_url}/flights/{flight}")
        page.wait_for_load_state("networkidle")
        box = page.locator("pilotage-card").bounding_box()
        assert box is None or box["height"] == 0
        page.close()

    def test_an_escalated_case_is_approved_in_the_queue_with_one_key(self, lived: Lived, console: Page) -> None:
        assert lived.feedback["escalate"] >= 1
        console.goto(f"{lived.plan.pilotage_url}/use-cases/{USE_CASE}/queue")
        before = documents(lived, "monitor", USE_CASE)
        console.get_by_role("button", name="Start reviewing").click()
        expect(console.get_by_text("Your verdict")).to_be_visible()
        console.keyboard.press("a")
        wait_until(lambda: documents(lived, "monitor", USE_CASE)["reviews_done"] > before["reviews_done"])

    def test_the_operate_page_shows_model_and_rule_side_by_side(self, lived: Lived, console: Page) -> None:
        console.goto(f"{lived.plan.pilotage_url}/use-cases/{USE_CASE}/operate")
        found = documents(lived, "monitor", USE_CASE)
        assert found["matured"] > 500
        expect(console.get_by_role("heading", name=re.compile("Operate"), level=1)).to_be_visible()
        for row in ("model", "rule"):
            expect(console.get_by_role("row", name=re.compile(row, re.IGNORECASE)).first).to_be_visible()

    def test_the_button_switches_off_at_once_and_the_app_gets_the_rules_answer(
        self, lived: Lived, console: Page
    ) -> None:
        def answered() -> tuple[str, str]:
            found = lived.ask(flight).json()
            return found["produced_by"], found["reason"]

        flight = flight_in_arm("model", 40)
        assert answered() == ("model", "model")
        console.goto(f"{lived.plan.pilotage_url}/use-cases/{USE_CASE}")
        console.get_by_label("Reason", exact=False).first.fill("checking the switch")
        console.once("dialog", lambda dialog: dialog.accept())
        console.get_by_role("button", name="Switch off").click()
        expect(console.get_by_role("button", name="Switch on")).to_be_visible()
        wait_until(lambda: answered() == ("rule", "disabled"))
        pilotage(lived.plan, "enable", USE_CASE, "--reason", "checked", quiet=True)
        wait_until(lambda: answered() == ("model", "model"))


class TestTheRecord:
    """Steps 12 and 13."""

    def test_the_audit_log_verifies_and_tells_what_was_done(self, lived: Lived, console: Page) -> None:
        assert documents(lived, "verify")["valid"]
        console.goto(f"{lived.plan.pilotage_url}/audit-log")
        for deed in ("stage.changed", "switch.disabled", "version.released"):
            console.goto(f"{lived.plan.pilotage_url}/audit-log?action={deed}")
            expect(console.get_by_role("row", name=re.compile(re.escape(deed))).first).to_be_visible()

    def test_a_changed_decision_is_found(self, lived: Lived) -> None:
        import shutil

        import pysqlite3

        copy = lived.plan.home / "tampered"
        shutil.copytree(lived.plan.home / "pilotage", copy, ignore=shutil.ignore_patterns("lake", "spool"))
        with pysqlite3.connect(str(copy / "pilotage.db")) as connection:
            connection.execute(
                "UPDATE decisions SET content = CAST(replace(CAST(content AS TEXT), 'EWR', 'JFK') AS BLOB) "
                "WHERE id = (SELECT min(id) FROM decisions)"
            )
        found = pilotage_at(lived, str(copy), "verify", "--json")
        assert not found["valid"]
        assert "the ledger now holds others" in found["message"]

    def test_a_stranger_is_led_to_the_login(self, lived: Lived) -> None:
        reply = httpx.get(f"{lived.plan.pilotage_url}/use-cases/{USE_CASE}")
        assert reply.status_code in (302, 303, 307)
        assert reply.headers["location"].startswith("/log-in")


def pilotage_at(lived: Lived, home: str, *command: str) -> dict[str, object]:
    """A command over another home directory; what it printed for machines, whatever its exit code."""
    import subprocess
    import sys

    environment = {**lived.plan.environment(), "PILOTAGE_HOME": home}
    done = subprocess.run(
        [sys.executable, "-m", "pilotage", *command], env=environment, capture_output=True, text=True, check=False
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found
