"""The queue and its cases as people see them: blind cases, taking back, skipping, comments, filters, keys."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from playwright.sync_api import Page, expect

from pilotage.govern.cookies import SESSION
from pilotage.platform.clock import FixedClock
from pilotage.platform.workspace import Workspace
from pilotage.review import flow
from tests.browser import launch
from tests.embed.hosting import serving
from tests.review.arranging import NAME, go_live, recorded, reviewer
from tests.review.serving import console, session
from tests.review.test_cases_api import key
from tests.review.test_intake import adopted
from tests.review.test_pages import sent

NOT_SAID = r"case_\w+|\d\d \w{3} \d{4}, \d\d:\d\d|[?]v=\w+|term-\d+|csrf_token\" value=\"[^\"]+"
"""Identifiers, instants and tokens: digits that say nothing."""
QUEUE = f"/use-cases/{NAME}/queue"


@pytest.fixture
def live(work: Workspace) -> Workspace:
    """In assist; long flights are of high risk, and all others are judged blind."""
    adopted(work, "  samples: {blind: 1}\n")
    go_live(work)
    return work


def started(client: TestClient[Litestar]) -> tuple[str, str]:
    """The page of the next case, taken, and the case's identifier."""
    page = sent(client, f"{QUEUE}/next")
    case = re.search(r"/queue/cases/(case_\w+)/verdict", page)
    assert case, page
    return page, case[1]


def test_a_blind_case_hides_the_model_in_list_and_page_until_it_is_judged(
    client: TestClient[Litestar], live: Workspace
) -> None:
    decision = recorded(live, probability=0.6731)
    page, case = started(client)

    for text in (client.get(QUEUE).text, page):
        for secret in ("67", "Calibrated", "Worth acting", "74 minutes late", decision.id, "Answer given", "rule says"):
            assert secret not in re.sub(NOT_SAID, "", text)
    assert "its opinion is kept from you" in page

    lacking = sent(client, f"/queue/cases/{case}/verdict", fence="1", verdict="blind")
    assert "must say what is right" in lacking
    sent(client, f"/queue/cases/{case}/verdict", fence="1", verdict="blind", answer="no")

    after = client.get(f"/queue/cases/{case}").text
    assert "corrected by anna" in after and "67.3" in after


def test_a_verdict_is_taken_back_from_the_next_page(client: TestClient[Litestar], live: Workspace) -> None:
    recorded(live, entity="UA1")
    _, case = started(client)
    after = sent(client, f"/queue/cases/{case}/verdict", fence="1", verdict="blind", answer="yes")
    assert "Kept: your verdict on UA1" in after

    again = sent(client, f"/queue/cases/{case}/undo")

    assert "<h1>UA1</h1>" in again and "Yours until" in again
    assert flow.find_case(live, case).state == "leased"


def test_undo_is_not_offered_when_its_time_is_over_or_it_is_not_yours(
    client: TestClient[Litestar], live: Workspace, clock: FixedClock
) -> None:
    recorded(live)
    _, case = started(client)
    sent(client, f"/queue/cases/{case}/verdict", fence="1", verdict="blind", answer="yes")
    assert "Undo" in client.get(f"/queue/cases/{case}").text

    clock.advance(timedelta(seconds=61))

    assert "Undo" not in client.get(f"/queue/cases/{case}").text
    assert "Undo" not in client.get(f"{QUEUE}?judged={case}").text
    assert client.get(f"{QUEUE}?judged=case_of_nobody").status_code == 200


def test_a_skipped_case_comes_after_the_others(
    client: TestClient[Litestar], live: Workspace, clock: FixedClock
) -> None:
    for number in (1, 2):
        recorded(live, entity=f"UA{number}")
        clock.advance(timedelta(minutes=1))
    page, first = started(client)
    assert "<h1>UA1</h1>" in page

    page = sent(client, f"/queue/cases/{first}/skip", fence="1")
    second = re.search(r"/queue/cases/(case_\w+)/skip", page)

    assert "<h1>UA2</h1>" in page and second
    assert "<h1>UA1</h1>" in sent(client, f"/queue/cases/{second[1]}/skip", fence="1")


@pytest.mark.both_stores
def test_comments_with_their_links_and_mistakes(client: TestClient[Litestar], live: Workspace) -> None:
    recorded(live)
    _, case = started(client)
    path = f"/queue/cases/{case}/comments"

    page = sent(client, path, text="Ask <b>operations</b>", link="https://wiki.example/delays")
    assert "Ask &lt;b&gt;operations&lt;/b&gt;" in page
    assert 'href="https://wiki.example/delays" rel="noreferrer noopener"' in page
    assert "must begin with https://" in sent(client, path, text="x", link="javascript:alert(1)")


@pytest.mark.both_stores
def test_the_queue_is_filtered_and_says_where_nothing_fits(client: TestClient[Litestar], live: Workspace) -> None:
    recorded(live, entity="UA1")
    recorded(live, entity="UA2")

    assert "UA2" in client.get(f"{QUEUE}?entity=ua2").text and "UA1" not in client.get(f"{QUEUE}?entity=ua2").text
    assert "No case is like that" in client.get(f"{QUEUE}?why=random").text
    assert "No case is like that" in client.get(f"{QUEUE}?show=lapsed").text
    assert client.get(f"{QUEUE}?show=nonsense").status_code == 422
    assert client.get(f"{QUEUE}?why=known").status_code == 422


def test_pages_of_a_long_queue(client: TestClient[Litestar], live: Workspace) -> None:
    for number in range(53):
        recorded(live, entity=f"UA{number:03}")

    first, second = client.get(QUEUE).text, client.get(f"{QUEUE}?page=2").text

    entities = re.findall(r">(UA\d{3})<", first) + re.findall(r">(UA\d{3})<", second)
    assert (len(re.findall(r">UA\d{3}<", first)), sorted(entities)) == (50, [f"UA{number:03}" for number in range(53)])
    assert 'rel="next"' in first and 'rel="prev"' in second and 'rel="next"' not in second


def test_a_case_for_two_tells_the_first_nothing_of_the_second(work: Workspace) -> None:
    adopted(work, "  four_eyes: [uncertain]\n")
    go_live(work)
    recorded(work, review=True)
    flow.take_in(work)
    (case,) = flow.queue(work, NAME)
    held = flow.lease(work, case.id, reviewer("ben"))
    flow.submit(work, case.id, held.fence, "corrected", False, "The crew told me so", reviewer("ben"))

    with TestClient(console(work), raise_server_exceptions=False) as client:
        client.cookies.set(SESSION, session(work, "anna"))
        listed, page = client.get(QUEUE).text, client.get(f"/queue/cases/{case.id}").text

    assert "needs another person" in listed
    assert "Two people judge this case" in page
    assert "The crew told me so" not in page and "corrected" not in page


@pytest.mark.both_stores
def test_the_second_reads_what_the_first_wrote_when_the_case_is_closed(work: Workspace) -> None:
    adopted(work, "  four_eyes: [uncertain]\n")
    go_live(work)
    decision = recorded(work, review=True, version=None)
    flow.take_in(work)
    (case,) = flow.queue(work, NAME)
    anna, ben = reviewer("anna"), reviewer("ben")
    flow.comment(work, case.id, "Anybody at operations?", "", reviewer("cleo"))
    held = flow.lease(work, case.id, ben)
    flow.comment(work, case.id, "Surely not late", "", ben)
    clients = {}
    for name in ("anna", "ben"):
        client = clients[name] = TestClient(console(work), raise_server_exceptions=False)
        client.cookies.set(SESSION, session(work, name))
    app = TestClient(console(work), raise_server_exceptions=False)
    app.headers.update(key(work))
    places = (f"/queue/cases/{case.id}", f"/decisions/{decision.id}", f"/v1/cases/{case.id}")

    def told(client: TestClient[Litestar], words: str) -> list[bool]:
        return [words in client.get(place).text for place in places[:2]]

    def read_by_app(words: str) -> bool:
        return words in app.get(places[2]).text

    for _ in range(2):  # while the first judges, and after it
        assert told(clients["anna"], "Surely not late") == [False, False]
        assert told(clients["anna"], "Anybody at operations?") == [True, True]
        assert told(clients["ben"], "Surely not late") == [True, True]
        assert (read_by_app("Surely not late"), read_by_app("Anybody at operations?")) == (False, True)
        if flow.find_case(work, case.id).state == "leased":
            flow.submit(work, case.id, held.fence, "corrected", False, "The crew told me so", ben)
    assert "Surely not late" not in app.post(f"{places[2]}/lease", json={"person": "anna"}).text
    fence = flow.find_case(work, case.id).fence
    flow.submit(work, case.id, fence, "corrected", False, "Data looks wrong", anna)
    assert told(clients["anna"], "Surely not late") == [True, True] and read_by_app("Surely not late")


@pytest.mark.browser
def test_a_blind_case_is_judged_taken_back_and_skipped_by_keyboard(live: Workspace, clock: FixedClock) -> None:
    for number in (1, 2):
        clock.advance(timedelta(minutes=1))
        recorded(live, entity=f"UA{number}")
    complaints: list[str] = []
    with serving(console(live)) as origin, launch() as browser:
        context = browser.new_context(base_url=origin, viewport={"width": 1200, "height": 900})
        context.add_cookies([{"name": SESSION, "value": session(live, "anna"), "url": origin}])
        page: Page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        too_early = "409"  # the case after one that is judged before it was asked for: nobody is so fast
        page.goto(QUEUE)
        page.keyboard.press("?")
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("s")  # nothing is pressed behind it
        expect(page.get_by_role("dialog")).to_be_visible()
        page.keyboard.press("Escape")
        page.keyboard.press("s")
        expect(page.get_by_role("heading", level=1)).to_have_text("UA1")
        page.wait_for_load_state()
        page.keyboard.press("a")  # leads to what is missing
        expect(page.get_by_role("radio").first).to_be_focused()
        page.keyboard.press("n")
        expect(page.get_by_role("heading", level=1)).to_have_text("UA2")
        page.wait_for_load_state()
        page.keyboard.press("u")
        expect(page.get_by_role("heading", level=1)).to_have_text("UA1")
        page.wait_for_load_state()
        page.keyboard.press("k")
        expect(page.get_by_role("heading", level=1)).to_have_text("UA2")
        page.wait_for_load_state("networkidle")  # its keys are heard once its script has run
        page.keyboard.press("m")
        expect(page.get_by_role("textbox", name="Comment")).to_be_focused()
    assert [each for each in complaints if too_early not in each] == []
    assert flow.counts(live, NAME).closed == 0
