"""Somebody reads the page of the API in a browser, tries each form, and gets the answer of the running service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from tests.browser import launch
from tests.web.serving import Served, served

NAME, PHONE = "mara", {"width": 400, "height": 800}


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    opened = open_workspace(Settings(home=Path(tmp_path_factory.mktemp("interface") / "home")))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def here(work: Workspace) -> Iterator[Served]:
    with served(work, 1) as running:
        yield running


@pytest.fixture(scope="module")
def password(work: Workspace) -> str:
    return governing.add_person(work, SYSTEM, NAME, (Grant(Role.ADMIN, "*"),))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launch() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser, here: Served, password: str) -> Iterator[Page]:
    """Logged in, on a phone; whatever the browser complains of fails the test."""
    context = browser.new_context(base_url=here.address, viewport=PHONE)  # type: ignore[arg-type]
    opened, complaints = context.new_page(), []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    log_in(opened, password)
    yield opened
    context.close()
    assert complaints == []


def log_in(page: Page, password: str) -> None:
    page.goto("/log-in")
    page.fill("input[name=name]", NAME)
    page.fill("input[name=password]", password)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(lambda url: not url.endswith("/log-in"))


def send(form: Locator) -> tuple[str, Any]:
    """Press the button, and what the form then shows: the status, and the answer's document."""
    form.get_by_role("button", name="Send").click()
    said = form.locator("output")
    expect(said).to_contain_text(" ms", timeout=20_000)
    return (said.text_content() or "").split(",")[0], json.loads(form.locator("pre").text_content() or "")


def test_each_form_is_sent_as_it_stands_and_answered(page: Page, here: Served) -> None:
    page.goto("/interface")
    page.fill("#try-key", here.headers["Authorization"].removeprefix("Bearer "))
    forms = page.locator("[data-try]")
    assert forms.count() == 2
    answers = []
    for number in range(forms.count()):
        form = forms.nth(number)
        form.locator("summary").click()
        status, answer = send(form)
        assert status == "200"
        answers.append(answer)
    one, many = answers
    assert one["use_case"] == "small"
    assert one["id"].startswith("dec_")
    assert [each["status"] for each in many["results"]] == [200]


def test_a_body_that_does_not_fit_is_answered_with_what_is_wrong(browser: Browser, here: Served, password: str) -> None:
    context = browser.new_context(base_url=here.address)
    page = context.new_page()
    log_in(page, password)
    page.goto("/interface")
    page.fill("#try-key", here.headers["Authorization"].removeprefix("Bearer "))
    form = page.locator("[data-try]").first
    form.locator("summary").click()
    form.locator("textarea").fill('{"thing": 1}')
    status, answer = send(form)
    assert (status, bool(answer["problems"])) == ("422", True)
    context.close()


@pytest.mark.parametrize("path", ["/use-cases/small/integrate", "/interface"])
def test_on_a_phone_the_page_does_not_scroll_sideways_and_names_stay_whole(page: Page, path: str) -> None:
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    broken = (
        "names => names.filter(name => getComputedStyle(name).whiteSpace !== 'nowrap').map(name => name.textContent)"
    )
    names = page.locator("table th[scope=row] code, table td code.whole")
    assert names.count() >= 3
    assert names.evaluate_all(broken) == []
