"""Somebody reads the page of the API in a browser, tries each form, and gets the answer of the running service."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
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


def test_from_the_list_one_gets_to_an_operation_and_from_its_body_to_the_fields(page: Page) -> None:
    page.goto("/interface")
    page.get_by_role("link", name="/v1/use-cases/small/decisions:batch", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("POST /v1/use-cases/small/decisions:batch")
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="X-Request-Timeout-Ms"))
    expect(row).to_contain_text("integer in header")
    expect(row).to_contain_text("How long the caller waits")
    expect(row).to_contain_text("at least 1; at most 999999999")
    requests = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="requests required"))
    expect(requests).to_contain_text("at least 1 element; at most 1,000 elements")
    requests.get_by_role("link", name="small.Request").click()
    assert page.url.endswith("#body-small.Request")
    expect(page.locator("#body-small\\.Request")).to_be_in_viewport()


def test_every_operation_has_a_light_page_with_all_that_the_document_says(page: Page, here: Served) -> None:
    document = httpx.get(f"{here.address}/v1/openapi.json", headers=here.headers).json()
    fields = document["components"]["schemas"]
    for operation in (each for methods in document["paths"].values() for each in methods.values()):
        answer = page.request.get(f"/interface/{operation['operationId']}")
        text, sent = answer.text(), operation.get("requestBody", {}).get("content", {})
        assert answer.status == 200 and len(answer.body()) < 90_000
        assert [kind for kind in sent if f"<code>{kind}</code>" not in text] == []
        told = [each["name"] for each in operation["parameters"]]
        named = re.findall('"#/components/schemas/([^"]+)"', json.dumps([sent, operation["responses"]]))
        told += [field for name in named for field in fields[name].get("properties", {})]
        assert [name for name in told if f'<code class="whole">{name}</code>' not in text] == []
        assert [status for status in operation["responses"] if f'<th scope="row">{status}</th>' not in text] == []
    assert page.request.get("/interface/nothing").status == 404


@pytest.mark.parametrize("path", ["/use-cases/small/integrate", "/interface", "/interface/decide_many_small"])
def test_on_a_phone_the_page_does_not_scroll_sideways_and_names_stay_whole(page: Page, path: str) -> None:
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    broken = (
        "names => names.filter(name => getComputedStyle(name).whiteSpace !== 'nowrap').map(name => name.textContent)"
    )
    names = page.locator("table th[scope=row] code, table td code.whole")
    assert names.count() >= 3
    assert names.evaluate_all(broken) == []
