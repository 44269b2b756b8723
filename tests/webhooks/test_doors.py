"""The doors of webhooks: HTTP, pages and commands; who may come in, and that secrets leave once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from pilotage import app
from pilotage.cli.main import run
from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.platform.jobs import enlist, run_if_due
from pilotage.platform.workspace import Workspace
from pilotage.web.console import build_console
from pilotage.webhooks import flow, store
from pilotage.webhooks.flow import replaying
from pilotage.webhooks.records import EventType, Told
from tests.web.conftest import post_form
from tests.webhooks.conftest import Deed, Registered
from tests.webhooks.receiving import Receiver, in_turn

Browser = TestClient[Any]
MAY_NOT = [role for role in Role if role is not Role.ADMIN]


@pytest.fixture
def browser(work: Workspace) -> Iterator[Browser]:
    with TestClient(build_console(work), base_url="http://console.test", raise_server_exceptions=False) as opened:
        opened.follow_redirects = False
        yield opened


@pytest.fixture
def key(work: Workspace) -> Callable[[Role], dict[str, str]]:
    """The headers of an app with this role."""
    return lambda role: {"authorization": "Bearer " + governing.make_key(work, SYSTEM, "app", (Grant(role),))}


@pytest.fixture
def admin(work: Workspace, browser: Browser) -> Browser:
    """A browser in which an admin is logged in."""
    name, password = governing.first_start(work) or ("", "")
    assert post_form(browser, "/log-in", name=name, password=password).status_code == 303
    return browser


def routes(endpoint: str) -> list[tuple[str, str, dict[str, Any] | None]]:
    one = f"/v1/webhooks/{endpoint}"
    return [
        ("GET", "/v1/webhooks", None),
        ("POST", "/v1/webhooks", {"url": "https://hooks.example/"}),
        ("GET", one, None),
        ("POST", f"{one}/disable", None),
        ("POST", f"{one}/enable", None),
        ("POST", f"{one}/rotate", {}),
        ("POST", f"{one}/test", None),
        ("POST", f"{one}/replay", {"since": "2026-01-01T00:00:00Z"}),
        ("GET", f"{one}/deliveries", None),
        ("GET", "/v1/webhook-deliveries/dlv_x", None),
    ]


def test_only_admins_come_in(
    browser: Browser, registered: Registered, key: Callable[[Role], dict[str, str]], work: Workspace
) -> None:
    endpoint, _ = registered()
    for role in MAY_NOT:
        headers = key(role)
        for method, path, body in routes(endpoint.id):
            answer = browser.request(method, path, json=body, headers=headers)
            assert answer.status_code == 403, f"{role} {method} {path}"
    for method, path, body in routes(endpoint.id):
        assert browser.request(method, path, json=body).status_code == 401, path
    assert flow.find(work, endpoint.id).disabled_at is None
    assert flow.page(work).deliveries == ()


@pytest.mark.parametrize("role", MAY_NOT)
def test_pages_are_for_admins_and_others_do_not_see_the_link(work: Workspace, browser: Browser, role: Role) -> None:
    password = governing.add_person(work, SYSTEM, "anna", (Grant(role),))
    assert browser.get("/webhooks").headers["location"].startswith("/log-in")
    post_form(browser, "/log-in", name="anna", password=password)
    assert browser.get("/webhooks").status_code == 403
    assert post_form(browser, "/webhooks", url="https://hooks.example/").status_code == 403
    assert post_form(browser, "/webhooks/whk_x/test").status_code == 403
    assert 'href="/webhooks"' not in browser.get("/").text


def test_an_admin_of_one_use_case_is_none(work: Workspace, browser: Browser) -> None:
    one = governing.make_key(work, SYSTEM, "app", (Grant(Role.ADMIN, "late_arrival"),))
    assert browser.get("/v1/webhooks", headers={"authorization": f"Bearer {one}"}).status_code == 403


def test_the_whole_way_by_http(
    work: Workspace,
    browser: Browser,
    receiver: Receiver,
    deed: Deed,
    deliverer: flow.Deliverer,
    key: Callable[[Role], dict[str, str]],
) -> None:
    browser.headers.update(key(Role.ADMIN))
    made = browser.post("/v1/webhooks", json={"url": receiver.url, "types": ["pilotage.stage.changed"]})
    assert made.status_code == 201
    secret, one = made.json()["secret"], f"/v1/webhooks/{made.json()['endpoint']['id']}"
    assert secret.startswith("whsec_")
    deed()
    deliverer.run_until_idle(work)
    [delivery] = browser.get(f"{one}/deliveries").json()["deliveries"]
    assert delivery["state"] == "delivered"
    logged = browser.get(f"/v1/webhook-deliveries/{delivery['id']}").json()
    assert [each["status"] for each in logged["attempts"]] == [200]
    again = browser.post(f"{one}/replay", json={"event": delivery["event"]})
    assert (again.status_code, again.json()) == (202, {"events": 1})
    assert browser.post(f"{one}/test").status_code == 202
    deliverer.run_until_idle(work)
    assert receiver.ids.count(delivery["event"]) == 2
    assert json.loads(receiver.received[-1].body)["type"] in {"pilotage.webhook.test", "pilotage.stage.changed"}
    assert browser.post(f"{one}/rotate", json={"hours": 1}).json()["secret"] != secret
    assert browser.post(f"{one}/disable").json()["disabled_at"] is not None
    assert browser.post(f"{one}/test").status_code == 409
    assert browser.post(f"{one}/enable").json()["disabled_at"] is None
    for path in ("/v1/webhooks", one, f"{one}/deliveries"):
        assert "whsec_" not in browser.get(path).text
        assert "secret" not in browser.get(path).json()


def test_deliveries_come_fifty_at_a_time(
    work: Workspace, browser: Browser, registered: Registered, deed: Deed, key: Callable[[Role], dict[str, str]]
) -> None:
    endpoint, _ = registered()
    for _ in range(60):
        deed()
    flow.take_in(work)
    browser.headers.update(key(Role.ADMIN))
    first = browser.get(f"/v1/webhooks/{endpoint.id}/deliveries").json()
    second = browser.get(f"/v1/webhooks/{endpoint.id}/deliveries?before={first['before']}").json()
    assert (len(first["deliveries"]), len(second["deliveries"]), second["before"]) == (50, 10, None)
    assert not {each["id"] for each in first["deliveries"]} & {each["id"] for each in second["deliveries"]}


@pytest.mark.both_stores
def test_a_replay_counts_only_what_the_endpoint_wants(
    work: Workspace,
    browser: Browser,
    registered: Registered,
    deed: Deed,
    key: Callable[[Role], dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(replaying, "EVENTS_MAX", 5)
    everywhere, _ = registered(types=("pilotage.stage.changed",))
    here, _ = registered(types=("*",), use_case="late_arrival")
    registered(types=("pilotage.decision.answered",))
    flow.take_in(work)
    now = work.clock.now()
    with work.database.writing() as connection:
        answered = [Told(EventType.DECISION_ANSWERED, "late_arrival", f"dec_{each}", now, {}) for each in range(20)]
        assert flow.emit(connection, work, answered) == 20
    for use_case in ("late_arrival", "small", "late_arrival", "small"):
        deed(use_case)
    flow.take_in(work)
    with work.database.writing() as connection:
        connection.execute(store.deliveries.update().values(state="delivered"))

    def replayed(endpoint: str) -> tuple[int, Any]:
        answer = browser.post(f"/v1/webhooks/{endpoint}/replay", json={"since": now.isoformat()})
        return answer.status_code, answer.json()

    browser.headers.update(key(Role.ADMIN))
    assert replayed(everywhere.id) == (202, {"events": 4})
    assert replayed(here.id) == (202, {"events": 2})
    for _ in range(6):
        deed()
    flow.take_in(work)
    status, told = replayed(everywhere.id)
    assert status == 422
    assert "More than 5 events" in str(told)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("", {"url": "https://169.254.169.254/latest"}, 403),
        ("", {"url": "http://8.8.8.8/"}, 403),
        ("", {"url": "https://hooks.example/", "typos": []}, 422),
        ("", {"url": "https://a b/"}, 422),
        ("", {"types": []}, 422),
        ("/whk_none/rotate", {"hours": 1000}, 422),
        ("/whk_none/rotate", {}, 404),
        ("/whk_none/replay", {}, 422),
        ("/whk_none/replay", {"event": "evt_x", "since": "2026-01-01T00:00:00Z"}, 422),
        ("/whk_none/replay", {"since": "yesterday"}, 422),
        ("/whk_none/replay", {"since": "9999-12-31T23:59:59-05:00"}, 422),
        ("/whk_none/test", None, 404),
    ],
)
def test_wrong_requests_are_told_what_is_wrong(
    browser: Browser, key: Callable[[Role], dict[str, str]], path: str, body: Any, status: int
) -> None:
    answer = browser.post(f"/v1/webhooks{path}", json=body, headers=key(Role.ADMIN))
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_console_shows_secret_once_deliveries_and_sends_again(
    work: Workspace, admin: Browser, receiver: Receiver, deed: Deed, deliverer: flow.Deliverer
) -> None:
    page = post_form(admin, "/webhooks", url=receiver.url, types="*", use_case="*", description="<b>Orders</b>")
    assert page.status_code == 200
    assert page.text.count("whsec_") == 1
    [endpoint] = flow.all_endpoints(work)
    assert "whsec_" not in admin.get(f"/webhooks/{endpoint.id}").text + admin.get("/webhooks").text
    receiver.answering = lambda received: (500, {}, b"<script>alert(1)</script>")
    deed()
    deliverer.run_until_idle(work)
    shown = admin.get(f"/webhooks/{endpoint.id}").text
    assert "&lt;script&gt;alert(1)" in shown and "<script>alert" not in shown
    assert "Failed 1 times in a row" in shown
    assert "&lt;b&gt;Orders" in admin.get("/webhooks").text
    receiver.answering = in_turn()
    work.clock.advance(timedelta(seconds=10))  # type: ignore[attr-defined]
    deliverer.run_until_idle(work)
    event = receiver.received[0].id
    assert f'value="{event}"' in admin.get(f"/webhooks/{endpoint.id}").text
    assert post_form(admin, f"/webhooks/{endpoint.id}/replay", event=event).status_code == 303
    assert post_form(admin, f"/webhooks/{endpoint.id}/test").status_code == 303
    deliverer.run_until_idle(work)
    assert post_form(admin, f"/webhooks/{endpoint.id}/replay", hours="24").status_code == 303
    deliverer.run_until_idle(work)
    assert receiver.ids.count(event) == 4
    assert post_form(admin, f"/webhooks/{endpoint.id}/rotate", hours="24").text.count("whsec_") == 1
    assert "The secret before signs, too" in admin.get(f"/webhooks/{endpoint.id}").text
    assert post_form(admin, f"/webhooks/{endpoint.id}/disable").status_code == 303
    assert "by admin" in admin.get(f"/webhooks/{endpoint.id}").text
    assert post_form(admin, f"/webhooks/{endpoint.id}/enable").status_code == 303


def test_forms_of_other_sites_are_refused(work: Workspace, admin: Browser, registered: Registered) -> None:
    endpoint, _ = registered()
    for path in ("/webhooks", f"/webhooks/{endpoint.id}/disable", f"/webhooks/{endpoint.id}/rotate"):
        assert admin.post(path, data={"url": "https://hooks.example/"}).status_code == 403
    assert flow.find(work, endpoint.id).disabled_at is None


def test_the_server_delivers_by_itself(work: Workspace, deed: Deed, registered: Registered, receiver: Receiver) -> None:
    registered()
    deed()
    [job] = [each for each in app.recurring(work) if each.name == "webhooks"]
    enlist(work, [job])
    assert run_if_due(work, job, "worker")
    job.run.__self__.close()  # type: ignore[attr-defined]
    assert len(receiver.received) == 1


def command(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any]:
    code = run(["webhooks", *words, "--json"])
    return code, json.loads(capsys.readouterr().out or "null")


def test_the_commands_do_the_whole_way(
    work: Workspace,
    tmp_path: Path,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PILOTAGE_HOME", str(work.home))
    monkeypatch.setenv("PILOTAGE_EGRESS_HOSTS", "127.0.0.1")
    code, made = command(capsys, "add", receiver.url, "--types", "pilotage.stage.changed,pilotage.switch.disabled")
    assert code == 0
    name = made["endpoint"]["id"]
    assert made["endpoint"]["types"] == ["pilotage.stage.changed", "pilotage.switch.disabled"]
    code, tried = command(capsys, "test", name)
    assert (code, tried["delivery"]["state"]) == (0, "delivered")
    receiver.answering = in_turn(500)
    code, tried = command(capsys, "test", name)
    assert (code, tried["delivery"]["state"], tried["attempts"][0]["status"]) == (1, "waiting", 500)
    assert command(capsys, "rotate", name, "--hours", "2")[1]["secret"] != made["secret"]
    assert command(capsys, "replay", name, "--since", "2026-01-01T00:00:00Z")[1]["events"] == 0
    assert command(capsys, "replay", name, tried["delivery"]["event"])[0] == 2  # still on its way
    assert len(command(capsys, "deliveries", name)[1]["deliveries"]) == 2
    assert command(capsys, "disable", name)[1]["disabled_because"] == "by Pilotage"
    assert command(capsys, "enable", name)[1]["disabled_at"] is None
    assert [each["id"] for each in command(capsys, "list")[1]["webhooks"]] == [name]
    assert run(["webhooks", "list"]) == 0
    assert run(["webhooks", "deliveries"]) == 0
    assert "whsec_" not in capsys.readouterr().out
    assert run(["webhooks", "add", "https://10.0.0.7/"]) == 2
    assert "not in the open internet" in capsys.readouterr().err
