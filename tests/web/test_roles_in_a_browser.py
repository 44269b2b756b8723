"""Each role logs in, sees what it may and not what it may not, and nothing that it is offered is refused."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pyotp
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from pilotage.govern import flow as governing
from pilotage.govern.records import EVERY_USE_CASE, SYSTEM, Grant, Role
from pilotage.monitor.incidents import flow as incidents
from pilotage.platform.clock import FixedClock
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.review import flow as reviewing
from tests.browser import launch
from tests.embed.hosting import serving
from tests.review import arranging
from tests.review.arranging import NAME
from tests.review.serving import console

pytestmark = pytest.mark.browser
BASE = f"/use-cases/{NAME}"
SWITCHING, REVIEWING, RELEASING = (
    {Role.OPERATOR, Role.OWNER, Role.ADMIN},
    {Role.REVIEWER, Role.OWNER, Role.ADMIN},
    {Role.OWNER, Role.ADMIN},
)
LOGS, PEOPLE = {Role.AUDITOR, Role.ADMIN}, {Role.ADMIN}
ABOVE = ("Use cases", "Ranking", "Incidents", "API")
BESIDE = ("Home", "Brief", "Readiness", "Audit", "Comparison", "Operate", "Decisions", "Jobs", "Versions", "Integrate")
MORE = {"People": PEOPLE, "Webhooks": PEOPLE, "Audit log": LOGS, "Queue": REVIEWING}
"""Links of the navigation that not everybody has."""
OFFERED = {
    **{(page, "Switch off"): SWITCHING for page in ("Home", "Operate", "Versions", "Integrate")},
    ("Home", "Step back to shadow"): RELEASING,
    ("an incident", "Acknowledge"): SWITCHING,
    ("an incident", "Close"): SWITCHING,
    ("Queue", "Start reviewing"): REVIEWING,
    ("Audit log", "Verify all entries now"): LOGS,
    **{("People", each): PEOPLE for each in ("Give role", "Add person", "Make key", "×")},
    ("Webhooks", "Register"): PEOPLE,
}
"""Every button that changes something, by the page on which it stands, and for whom; those about a person left out."""
ABOUT_ONE = re.compile("New password for|Disable ")
ROLES = (Role.VIEWER, Role.REVIEWER, Role.OPERATOR, Role.OWNER, Role.AUDITOR, Role.ADMIN)
_BUTTONS = """all => [...new Set(all.map(each => {
  const copy = each.cloneNode(true);
  copy.querySelectorAll("kbd, .sr-only").forEach(part => part.remove());
  return copy.textContent.trim();
}))]"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launch() as opened:
        yield opened


@pytest.fixture(scope="module")
def clock() -> FixedClock:
    return FixedClock(datetime(2013, 12, 5, 20, tzinfo=UTC))


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, fresh_database: Path, clock: FixedClock) -> Iterator[Workspace]:
    """A use case in assist, with cases that wait. All tests act in it, under names of their own."""
    home = tmp_path_factory.mktemp("roles")
    shutil.copy(fresh_database, home)
    work = open_workspace(Settings(home=home), clock)
    arranging.adopt(work)
    arranging.go_live(work)
    for number in range(3):
        arranging.recorded(work, entity=f"UA{number}", version=None, review=True, band="uncertain", probability=0.27)
    yield work
    work.close()


@pytest.fixture(scope="module")
def origin(live: Workspace) -> Iterator[str]:
    with serving(console(live)) as address:
        yield address


@pytest.fixture
def context(browser: Browser, origin: str) -> Iterator[BrowserContext]:
    opened = browser.new_context(base_url=origin)
    yield opened
    opened.close()


def log_in(page: Page, name: str, password: str) -> None:
    page.goto("/log-in")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def granted(role: Role) -> Grant:
    return Grant(role, EVERY_USE_CASE if role in (Role.ADMIN, Role.AUDITOR) else NAME)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_offered_what_it_may_and_nothing_else_and_can_do_it(
    context: BrowserContext, live: Workspace, role: Role
) -> None:
    incident = incidents.see(live, "crash_loop", "two workers ended", NAME, place=role.value).id
    page = context.new_page()
    page.on("dialog", lambda dialog: dialog.accept())
    log_in(page, role.value, governing.add_person(live, SYSTEM, role.value, (granted(role),)))
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    seen, links = walked(page, incident)
    names = {name for name, _ in seen}
    assert names == {*ABOVE, *BESIDE, "an incident", *(name for name, roles in MORE.items() if role in roles)}
    assert {each for each in seen if each[1]} == {each for each, roles in OFFERED.items() if role in roles}
    assert [link for link in sorted(links) if not is_open(context, link)] == []
    DEEDS[role](page)


def walked(page: Page, incident: str) -> tuple[set[tuple[str, str]], set[str]]:
    """Goes by clicking to all that the navigation offers, and to an incident: buttons by page, and other links."""
    seen, links, been = set[tuple[str, str]](), set[str](), set[str]()

    def look(name: str, link: Locator) -> None:
        follow(link)
        been.add(urlsplit(page.url).path)
        expect(page.locator("h1")).to_have_count(1)
        forms = page.locator("main form[method=post] button:not([popovertarget])").evaluate_all(_BUTTONS)
        seen.update({(name, ""), *((name, text) for text in forms if not ABOUT_ONE.match(text))})
        links.update(page.locator("main a[href^='/']").evaluate_all("all => all.map(e => e.getAttribute('href'))"))

    page.wait_for_load_state()
    for name in page.locator("header nav a").all_inner_texts():
        look(name, page.locator("header nav").get_by_role("link", name=name, exact=True))
        if name == "Incidents":
            look("an incident", page.locator(f"main a[href$='{incident}']").first)
    follow(page.locator("header nav").get_by_role("link", name="Use cases"))
    follow(page.locator("main").get_by_role("link", name="Late arrivals").first)
    for name in page.locator("aside a").all_inner_texts():
        look(name, page.locator("aside").get_by_role("link", name=name, exact=True))
    return seen, links - been


def follow(link: Locator) -> None:
    """Clicks, and waits for the whole page that it leads to: a click alone returns when its first part is there."""
    with link.page.expect_event("load"):
        link.click()


def is_open(context: BrowserContext, link: str) -> bool:
    """Whether a link leads to a page that is not refused: what was not made yet may be missing."""
    answer = context.request.get(link)
    return answer.status != 403 and "that you may see" not in answer.text()


def look_for_a_decision(page: Page) -> None:
    page.locator("aside").get_by_role("link", name="Decisions").click()
    page.locator("main tbody a").first.click()
    expect(page.get_by_role("heading", name="Its life")).to_be_visible()


def approve_a_case(page: Page) -> None:
    page.locator("aside").get_by_role("link", name="Queue").click()
    page.get_by_role("button", name="Start reviewing").click()
    first = page.locator("h1").inner_text()
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("h1")).not_to_have_text(first)
    page.locator("aside").get_by_role("link", name="Queue").click()
    page.get_by_role("link", name="Decided").click()
    expect(page.locator("main tbody")).to_contain_text(first)


def switch_off_and_on(page: Page) -> None:
    page.locator("aside").get_by_role("link", name="Home").click()
    for done in ("off", "on"):
        page.get_by_placeholder("Reason").first.fill("to try")
        page.get_by_role("button", name=f"Switch {done}").click()
        expect(page.get_by_role("button", name=f"Switch {'on' if done == 'off' else 'off'}")).to_be_visible()
    page.locator("aside").get_by_role("link", name="Operate").click()
    expect(page.locator(".timeline li").filter(has_text="by operator: to try")).to_have_count(2)


def close_an_incident(page: Page) -> None:
    page.get_by_role("link", name="Incidents").click()
    page.locator("main tbody a").first.click()
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_text("acknowledged", exact=True)).to_be_visible()
    page.get_by_label("What was found or done").fill("started again")
    page.get_by_role("button", name="Close").click()
    expect(page.locator(".timeline li").last).to_contain_text("Closed by owner: started again")


def verify_the_log(page: Page) -> None:
    page.get_by_role("link", name="Audit log").click()
    page.get_by_role("button", name="Verify all entries now").click()
    expect(page.get_by_role("status")).to_contain_text("Verified.")


def add_somebody(page: Page) -> None:
    page.locator("header nav").get_by_role("link", name="People").click()
    form = page.locator("form[action='/people']")
    form.get_by_label("Name", exact=True).fill("nina")
    form.get_by_role("button", name="Add person").click()
    expect(page.get_by_role("row").filter(has_text="nina")).to_have_count(1)


DEEDS = {
    Role.VIEWER: look_for_a_decision,
    Role.REVIEWER: approve_a_case,
    Role.OPERATOR: switch_off_and_on,
    Role.OWNER: close_an_incident,
    Role.AUDITOR: verify_the_log,
    Role.ADMIN: add_somebody,
}
"""One thing that each role is offered, done by clicking."""


def test_an_admin_gives_a_role_and_a_skill_and_the_person_is_logged_out_at_once(
    browser: Browser, context: BrowserContext, origin: str, live: Workspace
) -> None:
    password = governing.add_person(live, SYSTEM, "maria", (Grant(Role.VIEWER, NAME),))
    boss = governing.add_person(live, SYSTEM, "boss", (Grant(Role.ADMIN),))
    hers = browser.new_context(base_url=origin)
    mine, page = context.new_page(), hers.new_page()
    log_in(page, "maria", password)
    page.goto(BASE)
    log_in(mine, "boss", boss)
    mine.get_by_role("link", name="People").click()
    row = mine.get_by_role("row").filter(has_text="maria")
    row.get_by_text("Change").click()
    row.get_by_label("Role").select_option("reviewer")
    row.get_by_label("For use case").fill(NAME)
    row.get_by_role("button", name="Give role").click()
    expect(row.get_by_text(f"reviewer · {NAME}")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    log_in(page, "maria", password)
    page.goto(BASE)
    page.get_by_role("link", name="Queue").first.click()
    expect(page.get_by_role("button", name="Start reviewing")).to_be_visible()
    assert reviewing.reviewers(live, NAME)["maria"] == []
    hers.close()


def test_a_second_factor_is_set_up_and_asked_by_clicking(
    context: BrowserContext, live: Workspace, clock: FixedClock
) -> None:
    password = governing.add_person(live, SYSTEM, "anna", (Grant(Role.VIEWER, NAME),))
    complaints: list[str] = []
    page = context.new_page()
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    log_in(page, "anna", password)
    page.get_by_role("link", name="anna").click()
    page.locator("form[action='/me/second-factor']").get_by_label("Password").fill(password)
    page.get_by_role("button", name="Set up").click()
    expect(page.locator(".qr svg")).to_be_visible()
    secret = page.locator("#secret").text_content()
    assert secret
    totp = pyotp.TOTP(secret)
    page.get_by_label("Code", exact=True).fill(totp.at(int(clock.now().timestamp())))
    page.get_by_role("button", name="Set up").click()
    codes = (page.locator("#codes").text_content() or "").split()
    assert len(codes) == 10
    page.get_by_role("link", name="I have kept them").click()
    told = page.locator("p").filter(has_text="A code of your authenticator app")
    expect(told).to_contain_text(re.compile(r"10\s+recovery codes"))
    page.get_by_role("button", name="Log out").click()
    clock.advance(timedelta(seconds=30))
    log_in(page, "anna", password)
    page.get_by_label("Code", exact=True).fill(totp.at(int(clock.now().timestamp())))
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    log_in(page, "anna", password)
    page.get_by_label("Code", exact=True).fill(codes[0])
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    assert complaints == []
