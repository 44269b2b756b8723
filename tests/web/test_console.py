"""The console: who gets in, what browsers may do, how errors look."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pilotage.govern import flow
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.web.console import build_console
from tests.web.conftest import Browser, post_form


def test_a_stranger_is_led_to_the_log_in_and_back(work: Workspace, stranger: Browser) -> None:
    answer = stranger.get("/audit-log?action=log-in")
    assert (answer.status_code, answer.headers["location"]) == (303, "/log-in?next=/audit-log%3Faction%3Dlog-in")
    name, password = flow.first_start(work) or ("", "")
    wanted = "/audit-log?action=log-in"
    assert f'value="{wanted}"' in stranger.get(answer.headers["location"]).text
    back = post_form(stranger, "/log-in", name=name, password=password, next=wanted)
    assert (back.status_code, back.headers["location"]) == (303, wanted)
    assert stranger.get(wanted).status_code == 200


@pytest.mark.parametrize("wanted", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_a_log_in_leads_to_no_other_site(work: Workspace, stranger: Browser, wanted: str) -> None:
    name, password = flow.first_start(work) or ("", "")
    answer = post_form(stranger, "/log-in", name=name, password=password, next=wanted)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_a_wrong_password_is_told_without_saying_what_was_wrong(work: Workspace, stranger: Browser) -> None:
    flow.first_start(work)
    answer = post_form(stranger, "/log-in", name="admin", password="wrong")
    assert answer.status_code == 401
    assert "do not fit together" in answer.text
    assert "wrong" not in answer.text.replace("went wrong", "")


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(work: Workspace, stranger: Browser) -> None:
    name, password = flow.first_start(work) or ("", "")
    cookie = post_form(stranger, "/log-in", name=name, password=password).headers["set-cookie"]
    assert cookie.startswith("pilotage_session=")
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}


def test_under_https_cookies_travel_by_https_only(work: Workspace) -> None:
    from litestar.testing import TestClient

    settings = Settings(home=work.home, public_url="https://pilotage.example")
    secure = open_workspace(settings, work.clock)
    with TestClient(build_console(secure), base_url="https://pilotage.example") as browser:
        browser.follow_redirects = False
        name, password = flow.first_start(secure) or ("", "")
        assert "Secure" in browser.get("/log-in").headers["set-cookie"]
        assert "Secure" in post_form(browser, "/log-in", name=name, password=password).headers["set-cookie"]
    secure.close()


def test_log_out_ends_the_session_on_the_server(work: Workspace, log_in: Callable[..., Browser]) -> None:
    browser = log_in(Grant(Role.ADMIN))
    token = browser.cookies["pilotage_session"]
    assert post_form(browser, "/log-out").status_code == 303
    assert flow.principal_of_session(work, token) is None
    assert browser.get("/people").status_code == 303


@pytest.mark.parametrize("path", ["/people", "/keys", "/audit-log/verify", "/log-out", "/log-in"])
def test_a_form_from_elsewhere_is_refused(log_in: Callable[..., Browser], path: str) -> None:
    browser = log_in(Grant(Role.ADMIN))
    fields = {"name": "intruder", "role": "admin", "use_case": "*"}
    assert browser.post(path, data=fields).status_code == 403
    assert browser.post(path, data={**fields, "_csrf_token": "f" * 128}).status_code == 403
    assert "intruder" not in browser.get("/people").text


def test_a_role_opens_its_use_case_and_hides_the_others(log_in: Callable[..., Browser]) -> None:
    browser = log_in(Grant(Role.VIEWER, "late_arrival"))
    assert browser.get("/try/late_arrival/read").status_code == 200
    assert browser.get("/try/late_arrival/switch").status_code == 403
    assert browser.get("/try/bag_missing/read").status_code == 404
    assert browser.get("/try/bag_missing/switch").status_code == 404
    assert browser.get("/people").status_code == 403
    assert browser.get("/audit-log").status_code == 403


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_only_admins_reach_people_and_keys(log_in: Callable[..., Browser], role: Role) -> None:
    browser = log_in(Grant(role))
    assert browser.get("/people").status_code == 403
    assert post_form(browser, "/people", name="eve", role="admin", use_case="*").status_code == 403
    assert post_form(browser, "/keys", name="eve", role="admin", use_case="*").status_code == 403
    assert browser.get("/audit-log").status_code == (200 if role is Role.AUDITOR else 403)


def test_an_app_comes_with_its_key_and_only_under_v1(work: Workspace, stranger: Browser) -> None:
    key = flow.make_key(work, SYSTEM, "dispatch", (Grant(Role.APP, "late_arrival"), Grant(Role.VIEWER)))
    sent = {"Authorization": f"Bearer {key}"}
    answer = stranger.post("/v1/try/late_arrival/decide", json={}, headers=sent)
    assert (answer.status_code, answer.json()) == (201, {"by": "dispatch"})
    assert stranger.post("/v1/try/bag_missing/decide", json={}, headers=sent).status_code == 403
    assert stranger.get("/try/late_arrival/read", headers=sent).status_code == 303


def test_an_app_without_read_is_not_told_of_other_use_cases(work: Workspace, stranger: Browser) -> None:
    key = flow.make_key(work, SYSTEM, "dispatch", (Grant(Role.APP, "late_arrival"),))
    answer = stranger.post("/v1/try/bag_missing/decide", json={}, headers={"Authorization": f"Bearer {key}"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


def test_a_session_opens_nothing_under_v1(log_in: Callable[..., Browser]) -> None:
    browser = log_in(Grant(Role.ADMIN))
    answer = browser.post("/v1/try/late_arrival/decide", json={})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["code"] == "not-authenticated"


@pytest.mark.parametrize("header", ["Bearer pk_unknown", "Basic cGs6cGs=", "pk_x", "Bearer ", "Bearer pk_é"])
def test_a_wrong_key_is_nobody(stranger: Browser, header: str) -> None:
    answer = stranger.post("/v1/try/x/decide", json={}, headers={"Authorization": header.encode()})
    assert answer.status_code == 401


@pytest.mark.parametrize("path", ["/log-in", "/static/pilotage.css", "/nowhere", "/v1/nowhere", "/try/defect"])
def test_every_answer_carries_the_security_headers(stranger: Browser, path: str) -> None:
    headers = stranger.get(path).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert ("no-store" in headers["cache-control"]) is not path.startswith("/static")


def test_mistakes_are_problem_details_under_v1(stranger: Browser) -> None:
    answer = stranger.get("/v1/try/mistakes")
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert (answer.status_code, said["status"], said["code"]) == (422, 422, "invalid-request")
    assert said["instance"] == "/v1/try/mistakes"
    assert [problem["where"] for problem in said["problems"]] == ["a", "b"]


def test_mistakes_are_a_page_elsewhere_and_what_they_quote_is_escaped(stranger: Browser) -> None:
    answer = stranger.get("/try/mistakes")
    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("text/html")
    assert "is &lt; 0" in answer.text


@pytest.mark.parametrize("path", ["/try/defect", "/v1/try/defect"])
def test_a_defect_is_recorded_with_a_number_and_without_secrets(
    stranger: Browser, capfd: pytest.CaptureFixture[str], path: str
) -> None:
    answer = stranger.get(path)
    assert answer.status_code == 500
    written = capfd.readouterr().err
    number = written.split(" id=")[1].split(" ")[0]
    assert number in answer.text
    assert "RuntimeError" in written
    for told in (answer.text, written):
        assert "canary" not in told
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(("path", "status"), [("/v1/nowhere", 404), ("/v1/try/x/decide", 405)])
def test_what_litestar_refuses_is_problem_details_too(stranger: Browser, path: str, status: int) -> None:
    answer = stranger.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_a_body_that_does_not_fit_is_told_field_by_field(work: Workspace, stranger: Browser) -> None:
    key = flow.make_key(work, SYSTEM, "dispatch", (Grant(Role.APP),))
    sent = {"Authorization": f"Bearer {key}"}
    answer = stranger.post("/v1/try/x/decide", json={"a": "no number"}, headers=sent)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")
    assert answer.json()["problems"]


def test_a_body_beyond_the_limit_is_refused(work: Workspace, stranger: Browser) -> None:
    key = flow.make_key(work, SYSTEM, "dispatch", (Grant(Role.APP),))
    big = b'{"a": 1' + b" " * work.settings.request_bytes_max + b"}"
    sent = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    assert stranger.post("/v1/try/x/decide", content=big, headers=sent).status_code == 413


def test_static_files_stay_inside_their_folder(stranger: Browser) -> None:
    for path in ("/static/../console.py", "/static/%2e%2e/console.py", "/static/..%2fconsole.py"):
        assert stranger.get(path).status_code in {404, 405}, path


def test_two_consoles_in_one_process_do_not_disturb_each_other(work: Workspace, stranger: Browser) -> None:
    build_console(work)
    assert stranger.get("/log-in").status_code == 200


def test_style_and_scripts_come_compressed_and_pages_whose_length_could_tell_of_a_token_do_not(
    stranger: Browser,
) -> None:
    asking = {"Accept-Encoding": "gzip"}
    style, page = stranger.get("/static/pilotage.css", headers=asking), stranger.get("/log-in", headers=asking)
    assert style.headers["content-encoding"] == "gzip"
    assert int(style.headers["content-length"]) < len(style.content) / 3
    assert "_csrf_token" in page.text and "content-encoding" not in page.headers
