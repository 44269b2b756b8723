"""Each role logs in, sees what it may and not what it may not, and nothing that it is offered is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pyotp
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from pilotage.govern import flow as governing
from pilotage.govern.records import EVERY_USE_CASE, SYSTEM, Grant, Role
from pilotage.monitor.incidents import flow as incidents
from pilotage.platform.clock import FixedClock
from pilotage.platform.workspace import Workspace
from pilotage.review import flow as reviewing
from tests.browser import launch
from tests.embed.hosting import serving
from tests.review import arranging
from tests.review.arranging import NAME
from tests.review.serving import console

pytestmark = pytest.mark.browser
BASE = f"/use-cases/{NAME}"
SIDE = ("", "/readiness", "/brief", "/operate", "/decisions", "/jobs", "/versions", "/integrate")
READERS = {Role.VIEWER, Role.REVIEWER, Role.OPERATOR, Role.BUILDER, Role.OWNER, Role.AUDITOR, Role.ADMIN}
OFFERED: dict[tuple[str, str], set[Role]] = {
    (BASE, "Switch off"): {Role.OPERATOR, Role.OWNER, Role.ADMIN},
    (BASE, "Step back to shadow"): {Role.OWNER, Role.ADMIN},
    (BASE, "Queue"): {Role.REVIEWER, Role.OWNER, Role.ADMIN},
    (BASE, "People"): {Role.ADMIN},
    (BASE, "Webhooks"): {Role.ADMIN},
    (BASE, "Audit log"): {Role.AUDITOR, Role.ADMIN},
    (BASE, "Incidents"): READERS,
    ("/incidents/{incident}", "Acknowledge"): {Role.OPERATOR, Role.OWNER, Role.ADMIN},
    ("/incidents/{incident}", "Close"): {Role.OPERATOR, Role.OWNER, Role.ADMIN},
    ("/audit-log", "Verify"): {Role.AUDITOR, Role.ADMIN},
    (BASE + "/queue", "Start reviewing"): {Role.REVIEWER, Role.OWNER, Role.ADMIN},
    (BASE + "/queue", "Reviewers"): {Role.ADMIN},
    ("/people", "Add person"): {Role.ADMIN},
}
"""What stands where, as a button or a link, for whom; on a page that is refused, nothing stands."""
PEOPLE = (Role.VIEWER, Role.REVIEWER, Role.OPERATOR, Role.OWNER, Role.AUDITOR, Role.ADMIN)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launch() as opened:
        yield opened


@pytest.fixture
def live(work: Workspace, clock: FixedClock) -> Workspace:
    """A use case in assist, with a case that waits and an open incident."""
    arranging.adopt(work)
    arranging.go_live(work)
    arranging.recorded(work, review=True, band="uncertain", probability=0.27)
    return work


@pytest.fixture
def origin(live: Workspace) -> Iterator[str]:
    with serving(console(live)) as address:
        yield address


@pytest.fixture
def context(browser: Browser, origin: str) -> Iterator[BrowserContext]:
    opened = browser.new_context(base_url=origin)
    opened.set_default_timeout(20_000)
    yield opened
    opened.close()


def log_in(page: Page, name: str, password: str) -> None:
    page.goto("/log-in")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def stands(page: Page, text: str) -> bool:
    pattern = re.compile(rf"^{re.escape(text)}\b")
    buttons, links = page.get_by_role("button", name=pattern), page.get_by_role("link", name=pattern)
    return buttons.count() + links.count() > 0


def granted(role: Role) -> Grant:
    return Grant(role, EVERY_USE_CASE if role in (Role.ADMIN, Role.AUDITOR) else NAME)


@pytest.mark.parametrize(
    "role",
    [role if role in (Role.VIEWER, Role.OWNER) else pytest.param(role, marks=pytest.mark.long) for role in PEOPLE],
)
def test_a_role_is_offered_what_it_may_and_nothing_else(context: BrowserContext, live: Workspace, role: Role) -> None:
    incident = incidents.see(live, "crash_loop", "two workers ended", NAME).id
    password = governing.add_person(live, SYSTEM, "anna", (granted(role),))
    page = context.new_page()
    log_in(page, "anna", password)
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    found: dict[tuple[str, str], set[Role]] = {}
    for path, text in OFFERED:
        place = path.replace("{incident}", incident)
        if not page.url.endswith(place):
            page.goto(place)
        found[path, text] = {role} if stands(page, text) else set()
    assert found == {key: wanted & {role} for key, wanted in OFFERED.items()}
    offered: set[str] = set()
    for path in [*(BASE + each for each in SIDE), "/", "/incidents", f"/incidents/{incident}", "/me"]:
        answer = page.goto(path)
        assert answer is not None and answer.ok, path
        links = page.eval_on_selector_all("a[href^='/']", "all => all.map(each => each.getAttribute('href'))")
        forms = page.eval_on_selector_all("form", "all => all.map(each => each.getAttribute('action') || '')")
        assert role is not Role.VIEWER or set(forms) <= {"", "/log-out", *MINE}, forms
        offered |= set(links)
    assert [link for link in sorted(offered) if not is_open(context, link)] == []


MINE = ("/me/password", "/me/second-factor", "/me/sessions/end-others")


def is_open(context: BrowserContext, link: str) -> bool:
    """Whether a link leads to a page that is not refused: what was not made yet may be missing."""
    answer = context.request.get(link)
    return answer.status != 403 and "that you may see" not in answer.text()


def test_an_operator_switches_off_and_sees_to_an_incident(context: BrowserContext, live: Workspace) -> None:
    incidents.see(live, "crash_loop", "two workers ended", NAME)
    password = governing.add_person(live, SYSTEM, "olga", (Grant(Role.OPERATOR, NAME),))
    page = context.new_page()
    log_in(page, "olga", password)
    page.goto(BASE)
    if page.get_by_placeholder("Reason").count():
        page.get_by_placeholder("Reason").first.fill("to try")
    page.on("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Switch off").click()
    expect(page.get_by_text("Switched off by olga").first).to_be_visible()
    page.get_by_role("link", name="Incidents").click()
    page.locator("main table a").first.click()
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_text("acknowledged", exact=True)).to_be_visible()


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
    expect(mine.get_by_text(f"reviewer · {NAME}")).to_be_visible()
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
