"""The pages of governing, through the forms."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest

from pilotage.govern import flow
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.govern.store.audit_log import entries
from pilotage.platform.workspace import Workspace
from tests.web.conftest import Browser, post_form

ONCE = re.compile(r'id="secret">([^<]+)<')


def shown_once(text: str) -> str:
    found = ONCE.search(text)
    assert found is not None
    return found[1]


def id_of(browser: Browser, kind: str, deed: str) -> str:
    found = re.findall(rf"/{kind}/([a-z]+_[0-9a-z]+)/{deed}", browser.get("/people").text)
    assert isinstance(found[-1], str)
    return found[-1]


def test_a_person_is_added_with_a_password_that_is_shown_once_and_works(
    work: Workspace, log_in: Callable[..., Browser]
) -> None:
    browser = log_in(Grant(Role.ADMIN))
    answer = post_form(browser, "/people", name="bo berg", role="reviewer", use_case="late_arrival")
    password = shown_once(answer.text)
    assert password not in browser.get("/people").text
    principal = flow.principal_of_session(work, flow.log_in(work, "bo berg", password))
    assert principal is not None
    assert principal.grants == (Grant(Role.REVIEWER, "late_arrival"),)


def test_a_key_is_made_shown_once_and_disabled(work: Workspace, log_in: Callable[..., Browser]) -> None:
    browser = log_in(Grant(Role.ADMIN))
    key = shown_once(post_form(browser, "/keys", name="dispatch", role="app", use_case="late_arrival").text)
    assert key not in browser.get("/people").text
    assert flow.principal_of_key(work, key) is not None
    assert post_form(browser, f"/keys/{id_of(browser, 'keys', 'disable')}/disable").status_code == 303
    assert flow.principal_of_key(work, key) is None


def test_roles_are_given_and_taken_and_a_person_disabled(work: Workspace, log_in: Callable[..., Browser]) -> None:
    browser = log_in(Grant(Role.ADMIN))
    flow.add_person(work, SYSTEM, "bo", (Grant(Role.VIEWER),))
    bo = id_of(browser, "people", "give")
    post_form(browser, f"/people/{bo}/give", role="owner", use_case="late_arrival")
    assert "owner · late_arrival" in browser.get("/people").text
    post_form(browser, f"/people/{bo}/take", role="owner", use_case="late_arrival")
    assert "owner · late_arrival" not in browser.get("/people").text
    post_form(browser, f"/people/{bo}/disable")
    assert "disabled" in browser.get("/people").text


def test_a_role_of_the_whole_installation_is_not_given_for_one_use_case(log_in: Callable[..., Browser]) -> None:
    browser = log_in(Grant(Role.ADMIN))
    answer = post_form(browser, "/people", name="bo", role="auditor", use_case="late_arrival")
    assert answer.status_code == 422
    assert "for the whole installation" in answer.text


def test_a_role_that_does_not_exist_is_refused(log_in: Callable[..., Browser]) -> None:
    answer = post_form(log_in(Grant(Role.ADMIN)), "/people", name="bo", role="emperor", use_case="*")
    assert answer.status_code == 422


def test_names_are_escaped(work: Workspace, log_in: Callable[..., Browser]) -> None:
    flow.make_key(work, SYSTEM, "<script>alert(1)</script>", ())
    browser = log_in(Grant(Role.ADMIN))
    for page in ("/people", "/audit-log"):
        text = browser.get(page).text
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert(1)" in text


@pytest.mark.both_stores
def test_the_audit_log_is_shown_newest_first_in_pages_and_filtered(
    work: Workspace, log_in: Callable[..., Browser]
) -> None:
    for number in range(120):
        with work.database.writing() as connection:
            flow.record(connection, work, SYSTEM, "change-share", "late_arrival", {"number": number})
    browser = log_in(Grant(Role.AUDITOR))
    numbers = re.findall(r'<td class="number">(\d+)</td>', browser.get("/audit-log").text)
    assert numbers == [str(number) for number in range(122, 22, -1)]
    link = re.search(r'href="(/audit-log\?before=[^"]+)"', browser.get("/audit-log").text)
    assert link is not None
    assert '<td class="number">' in browser.get(html.unescape(link[1])).text
    older = re.findall(r'<td class="number">(\d+)</td>', browser.get("/audit-log?before=23").text)
    assert older == [str(number) for number in range(22, 0, -1)]
    filtered = browser.get("/audit-log?use_case=anna&action=add-person").text
    assert re.findall(r'<td class="number">(\d+)</td>', filtered) == ["121"]


def test_the_button_says_whether_the_log_verifies(work: Workspace, log_in: Callable[..., Browser]) -> None:
    browser = log_in(Grant(Role.AUDITOR))
    assert "Verified." in post_form(browser, "/audit-log/verify").text
    with work.database.writing() as connection:
        connection.execute(entries.update().where(entries.c.number == 1).values(content=b"{}"))
    assert "Entry 1 was changed" in post_form(browser, "/audit-log/verify").text
