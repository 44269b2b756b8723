"""Views of a queue: filters kept under a name, for oneself or for all reviewers; bounds, rights, races, keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from playwright.sync_api import expect

from pilotage.govern.cookies import SESSION
from pilotage.govern.records import Grant, Principal, Role
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import Conflict, InvalidRequest
from pilotage.platform.workspace import Workspace
from pilotage.review import flow
from pilotage.review.records import Wanted
from pilotage.review.rules.views import VIEWS_MAX
from pilotage.usecase import flow as defining
from tests.browser import launch
from tests.embed.hosting import serving
from tests.review.arranging import NAME, go_live, recorded, reviewer
from tests.review.serving import console, session
from tests.review.test_cases_api import key
from tests.review.test_intake import adopted
from tests.review.test_pages import sent

QUEUE, VIEWS = f"/use-cases/{NAME}/queue", f"/v1/use-cases/{NAME}/views"
WANTED = Wanted(why="uncertain")


@pytest.fixture
def live(work: Workspace) -> Workspace:
    """In assist; long flights need somebody who knows them."""
    adopted(work, "  skills: {long_haul: distance_miles > 3000}\n")
    go_live(work)
    return work


@pytest.fixture
def app(live: Workspace) -> Iterator[TestClient[Litestar]]:
    """A queue of somebody's own, with a key of role reviewer."""
    with TestClient(console(live), raise_server_exceptions=False) as app:
        app.headers.update(key(live))
        yield app


def keep(work: Workspace, name: str, person: Principal, shared: bool = False, **wanted: Any) -> str:
    asked = Wanted(**wanted) if wanted else WANTED
    return flow.keep_view(work, defining.find(work, NAME), name, asked, shared, person).id


def owner(name: str) -> Principal:
    return Principal(id=f"usr_{name}", name=name, kind="person", grants=(Grant(Role.OWNER, NAME),))


def tabs(page: str) -> list[str]:
    """What the views above the queue say, in order."""
    found = re.search(r'<nav class="views".*?</nav>', page, re.S)
    links = re.findall(r"<a [^>]*>(.*?)</a>", found[0]) if found else []
    return [" ".join(re.sub(r"<kbd>.*?</kbd>|<[^>]+>", "", each).split()) for each in links]


@pytest.mark.both_stores
def test_a_view_is_kept_opened_renamed_and_removed(
    client: TestClient[Litestar], live: Workspace, clock: FixedClock
) -> None:
    recorded(live, entity="UA1", review=True)
    clock.advance(timedelta(minutes=61))
    recorded(live, entity="UA2", review=True)
    assert "Keep these filters" not in client.get(QUEUE).text

    page = sent(client, f"{QUEUE}/views", name="  Late   ones ", why="uncertain", overdue="true")
    assert tabs(page) == ["Late ones 1"]
    assert "UA1" in page and "UA2" not in page and 'aria-current="page" data-review-key="1"' in page
    sent(client, f"{QUEUE}/views", name="Of UA", entity="UA")
    assert tabs(client.get(QUEUE).text) == ["Late ones 1", "Of UA"]  # what is looked for is not counted

    views = flow.views(live, NAME, reviewer("anna"))
    assert tabs(sent(client, f"{QUEUE}/views/{views[0].id}", name="Overdue")) == ["Overdue 1", "Of UA"]
    assert tabs(sent(client, f"{QUEUE}/views/{views[1].id}/remove")) == ["Overdue 1"]


@pytest.mark.both_stores
def test_views_that_cannot_be_say_why_and_keep_what_was_typed(client: TestClient[Litestar], live: Workspace) -> None:
    sent(client, f"{QUEUE}/views", name="Mine", show="mine")
    path = f"{QUEUE}/views"

    assert "must be at most 60 characters (got 61)" in sent(client, path, name="x" * 61, show="mine")
    assert "must say what the view shows" in sent(client, path, name="   ", show="mine")
    assert "cannot be seen" in sent(client, path, name="a\u202eb", show="mine")
    assert "There is no state &#39;gone&#39;" in sent(client, path, name="x", show="gone")
    assert "No case comes because of &#39;known&#39;" in sent(client, path, name="x", why="known")
    again = sent(client, path, name="MINE", why="uncertain")
    assert "There is a view &#39;MINE&#39; among yours already" in again and 'value="MINE"' in again
    lacking = sent(client, path, name="x", skill="knitting")
    assert "must be a skill of the use case (got &#39;knitting&#39;). Known: long_haul." in lacking

    (kept,) = flow.views(live, NAME, reviewer("anna"))
    sent(client, path, name="Other", why="random")
    assert "There is a view &#39;other&#39;" in sent(client, f"{path}/{kept.id}", name="other")
    assert [each.name for each in flow.views(live, NAME, reviewer("anna"))] == ["Mine", "Other"]


@pytest.mark.both_stores
def test_whose_views_are_seen_and_who_may_change_and_share_them(client: TestClient[Litestar], live: Workspace) -> None:
    theirs = keep(live, "Ben's", reviewer("ben"))
    shared = keep(live, "Long haul", owner("lea"), shared=True, skill="long_haul")
    page = client.get(QUEUE).text
    assert tabs(page) == ["Long haul shared"] and "for all reviewers" not in page
    assert "Rename and remove views" not in page

    assert "There is no view" in _refused(client, f"{QUEUE}/views/{theirs}/remove", 404)
    assert "There is no view" in _refused(client, f"{QUEUE}/views/{theirs}", 404, name="Mine now")
    assert "Only an owner" in _refused(client, f"{QUEUE}/views/{shared}/remove", 403)
    assert "Only an owner" in _refused(client, f"{QUEUE}/views/{shared}", 403, name="Mine now")
    assert "Only an owner" in _refused(client, f"{QUEUE}/views", 403, name="For all", shared="true", why="random")
    assert [each.name for each in flow.views(live, NAME, reviewer("ben"))] == ["Ben's", "Long haul"]

    client.cookies.set(SESSION, session(live, "max", Role.OWNER))  # another owner than who shared it
    assert tabs(sent(client, f"{QUEUE}/views/{shared}", name="Far", shared="true")) == ["Far shared"]
    sent(client, f"{QUEUE}/views/{shared}", name="Far")
    assert [each.name for each in flow.views(live, NAME, reviewer("anna"))] == []
    assert [each.name for each in flow.views(live, NAME, owner("lea"))] == ["Far"]


def test_a_viewer_and_a_reviewer_of_another_use_case_keep_no_views(
    client: TestClient[Litestar], live: Workspace
) -> None:
    for name, role, use_case in (("vera", Role.VIEWER, NAME), ("otto", Role.REVIEWER, "another")):
        client.cookies.set(SESSION, session(live, name, role, use_case))
        headers = key(live, use_case, role)
        with TestClient(console(live), raise_server_exceptions=False) as app:
            for reply in (
                app.get(VIEWS, headers=headers),
                app.post(VIEWS, headers=headers, json={"name": "x", "person": name}),
                app.delete(f"{VIEWS}/view_1", headers=headers, params={"person": name}),
            ):
                assert reply.status_code in (403, 404), reply.text
        assert client.get(QUEUE).status_code in (403, 404)


@pytest.mark.both_stores
def test_views_over_http(app: TestClient[Litestar], live: Workspace) -> None:
    recorded(live, review=True)
    flow.take_in(live)
    made = app.post(VIEWS, json={"person": "maria", "name": "Close", "why": "uncertain"})
    assert made.status_code == 201, made.text
    listed = app.get(VIEWS, params={"person": "maria"}).json()
    assert [(each["name"], each["count"], each["shared"]) for each in listed] == [("Close", 1, False)]
    assert app.get(VIEWS, params={"person": "paul"}).json() == []

    assert app.post(VIEWS, json={"name": "x"}).status_code == 422  # for whom?
    assert app.post(VIEWS, json={"person": "maria", "name": "close"}).status_code == 409
    assert app.post(VIEWS, json={"person": "maria", "name": "x", "shared": True}).status_code == 403
    bad = app.post(VIEWS, json={"person": "maria", "name": "", "skill": "knitting", "entity": "x" * 201}).json()
    assert [each["where"] for each in bad["problems"]] == ["name", "skill", "entity"]
    view = f"{VIEWS}/{listed[0]['id']}"
    assert app.delete(view, params={"person": "paul"}).status_code == 404
    assert app.delete(view, params={"person": "maria"}).status_code == 204
    assert app.delete(view, params={"person": "maria"}).status_code == 404


@pytest.mark.both_stores
def test_no_race_keeps_a_name_twice_or_one_view_too_many(live: Workspace) -> None:
    anna = reviewer("anna")

    def tries(number: int) -> str:
        try:
            keep(live, f"View {number}", anna)
            return "kept"
        except (Conflict, InvalidRequest) as error:
            return error.code

    with ThreadPoolExecutor(8) as pool:
        same = list(pool.map(tries, [0] * 8))
        others = list(pool.map(tries, range(1, VIEWS_MAX + 8)))

    assert sorted(same) == ["conflict"] * 7 + ["kept"]
    assert (others.count("kept"), others.count("invalid-request")) == (VIEWS_MAX - 1, 8)
    names = [each.name for each in flow.views(live, NAME, anna)]
    assert len(names) == len(set(names)) == VIEWS_MAX
    keep(live, "Of another person", reviewer("ben"))


@pytest.mark.browser
def test_views_by_keyboard_only(live: Workspace) -> None:
    recorded(live, entity="UA1", review=True)
    with serving(console(live)) as origin, launch() as browser:
        context = browser.new_context(base_url=origin, viewport={"width": 1200, "height": 900})
        context.add_cookies([{"name": SESSION, "value": session(live, "anna"), "url": origin}])
        page = context.new_page()
        page.goto(QUEUE)
        page.keyboard.press("f")
        expect(page.get_by_label("Why")).to_be_focused()
        page.get_by_label("Why").select_option("random")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.type("UA")
        page.keyboard.press("Enter")
        expect(page.get_by_text("No case is like that")).to_be_visible()
        page.wait_for_load_state("networkidle")
        page.keyboard.press("w")
        page.keyboard.type("Drawn 1")  # digits typed here open nothing
        page.keyboard.press("Enter")
        expect(page.get_by_role("link", name="Drawn 1")).to_have_attribute("aria-current", "page")
        page.get_by_role("link", name="Show all that waits").first.click()
        expect(page.get_by_role("link", name="UA1")).to_be_visible()
        page.wait_for_load_state("networkidle")
        page.keyboard.press("1")
        expect(page.get_by_text("No case is like that")).to_be_visible()
        page.wait_for_load_state("networkidle")
        page.keyboard.press("e")
        expect(page.get_by_label("Name of the view Drawn 1")).to_be_focused()
        page.keyboard.type("Sample")
        page.keyboard.press("Enter")
        expect(page.get_by_role("navigation", name="Views")).to_contain_text("Sample")


def _refused(client: TestClient[Litestar], path: str, status: int, **fields: str) -> str:
    token = re.search(r'name="_csrf_token" value="([^"]+)"', client.get(QUEUE).text)
    assert token
    reply = client.post(path, data={"_csrf_token": token[1], **fields})
    assert reply.status_code == status, reply.text
    return reply.text
