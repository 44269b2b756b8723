"""The queue and the case page: what reviewers see and send."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from pilotage.govern.cookies import SESSION
from pilotage.govern.records import Role
from pilotage.platform.clock import FixedClock
from pilotage.platform.workspace import Workspace
from pilotage.review import flow
from pilotage.review.records import Filter
from tests.review.arranging import NAME, recorded, reviewer
from tests.review.serving import console, session


def sent(client: TestClient[Litestar], path: str, **fields: str) -> str:
    """Send a form as the page would, and follow where it leads: that page."""
    token = re.search(r'name="_csrf_token" value="([^"]+)"', client.get(f"/use-cases/{NAME}/queue").text)
    if token is None:
        token = re.search(r'value="([^"]+)" name="_csrf_token"', client.get(f"/use-cases/{NAME}/queue").text)
    assert token, "the page carries no CSRF token"
    reply = client.post(path, data={"_csrf_token": token[1], **fields}, follow_redirects=True)
    assert reply.status_code in {200, 409, 422}, reply.text
    return reply.text


def uncertain(work: Workspace, entity: str) -> None:
    recorded(work, entity=entity, review=True, band="uncertain", probability=0.27)


def test_an_empty_queue_says_when_a_case_would_come(client: TestClient[Litestar]) -> None:
    page = client.get(f"/use-cases/{NAME}/queue").text

    assert "Nothing waits" in page and "Start reviewing" not in page


def test_the_queue_counts_and_begins_with_the_oldest(
    client: TestClient[Litestar], live: Workspace, clock: FixedClock
) -> None:
    uncertain(live, "UA1")
    clock.advance(timedelta(minutes=61))
    uncertain(live, "UA2")

    page = client.get(f"/use-cases/{NAME}/queue").text

    assert page.index(">UA1<") < page.index(">UA2<")
    assert page.count("late</span>") == 1
    assert "Start reviewing" in page


def test_starting_takes_the_oldest_and_a_verdict_leads_to_the_next_until_none_is_left(
    client: TestClient[Litestar], live: Workspace, clock: FixedClock
) -> None:
    uncertain(live, "UA1")
    clock.advance(timedelta(minutes=1))
    uncertain(live, "UA2")

    first = sent(client, f"/use-cases/{NAME}/queue/next")
    assert "<h1>UA1</h1>" in first
    assert (
        "In about 3 in 10 cases like this it arrives" in first
        and "74 minutes late" in first
        and "<kbd>a</kbd>" in first
    )
    case = re.search(r"/queue/cases/(case_\w+)/verdict", first)
    assert case
    second = sent(client, f"/queue/cases/{case[1]}/verdict", fence="1", verdict="approved")
    assert "<h1>UA2</h1>" in second
    case = re.search(r"/queue/cases/(case_\w+)/verdict", second)
    assert case
    done = sent(
        client,
        f"/queue/cases/{case[1]}/verdict",
        fence="1",
        verdict="corrected",
        answer="no",
        reason="Exception agreed",
    )

    assert "nothing is left for you" in done
    closed = {case.state: case for case in flow.queue(live, NAME, Filter(state="decided"))}
    assert (closed["approved"].entity, closed["approved"].verdict_answer) == ("UA1", True)
    assert (closed["corrected"].entity, closed["corrected"].verdict_answer) == ("UA2", False)


def test_a_verdict_without_its_reason_comes_back_with_what_it_lacks(
    client: TestClient[Litestar], live: Workspace
) -> None:
    uncertain(live, "UA1")
    page = sent(client, f"/use-cases/{NAME}/queue/next")
    case = re.search(r"/queue/cases/(case_\w+)/verdict", page)
    assert case

    again = sent(client, f"/queue/cases/{case[1]}/verdict", fence="1", verdict="rejected", other=" ")

    assert "must say why." in again and 'role="alert"' in again
    assert flow.find_case(live, case[1]).state == "leased"


def test_a_late_verdict_is_told_so(client: TestClient[Litestar], live: Workspace, clock: FixedClock) -> None:
    uncertain(live, "UA1")
    page = sent(client, f"/use-cases/{NAME}/queue/next")
    case = re.search(r"/queue/cases/(case_\w+)/verdict", page)
    assert case
    clock.advance(timedelta(minutes=6))

    assert "this verdict was not counted" in sent(
        client, f"/queue/cases/{case[1]}/verdict", fence="1", verdict="approved"
    )


def test_looking_at_a_case_does_not_take_it(client: TestClient[Litestar], live: Workspace) -> None:
    uncertain(live, "UA1")
    (case,) = flow.queue(live, NAME)

    page = client.get(f"/queue/cases/{case.id}").text

    assert "Take this case" in page and "Approve" not in page
    assert flow.find_case(live, case.id).state == "open"


def test_a_case_in_other_hands_shows_whose_and_no_form(client: TestClient[Litestar], live: Workspace) -> None:
    uncertain(live, "UA1")
    (case,) = flow.queue(live, NAME)
    flow.lease(live, case.id, reviewer("ben"))

    page = client.get(f"/queue/cases/{case.id}").text

    assert "ben is looking at this case." in page and "Approve" not in page


def test_a_case_given_back_is_open_again(client: TestClient[Litestar], live: Workspace) -> None:
    uncertain(live, "UA1")
    page = sent(client, f"/use-cases/{NAME}/queue/next")
    case = re.search(r"/queue/cases/(case_\w+)/verdict", page)
    assert case
    sent(client, f"/queue/cases/{case[1]}/release", fence="1")

    assert flow.find_case(live, case[1]).state == "open"


def test_renewing_answers_until_when(client: TestClient[Litestar], live: Workspace, clock: FixedClock) -> None:
    uncertain(live, "UA1")
    page = sent(client, f"/use-cases/{NAME}/queue/next")
    case = re.search(r"/queue/cases/(case_\w+)/verdict", page)
    assert case
    clock.advance(timedelta(minutes=1))

    assert "20:06:00" in sent(client, f"/queue/cases/{case[1]}/renew", fence="1")


@pytest.mark.parametrize(("role", "use_case"), [(Role.VIEWER, NAME), (Role.REVIEWER, "another_use_case")])
def test_others_see_neither_queue_nor_case(live: Workspace, role: Role, use_case: str) -> None:
    uncertain(live, "UA1")
    (case,) = flow.queue(live, NAME)
    with TestClient(console(live), raise_server_exceptions=False) as client:
        client.cookies.set(SESSION, session(live, "zoe", role, use_case))
        assert client.get(f"/use-cases/{NAME}/queue").status_code in {403, 404}
        assert client.get(f"/queue/cases/{case.id}").status_code in {403, 404}


def test_a_form_without_its_token_is_refused(client: TestClient[Litestar], live: Workspace) -> None:
    uncertain(live, "UA1")

    assert client.post(f"/use-cases/{NAME}/queue/next").status_code == 403
    assert [case.state for case in flow.queue(live, NAME)] == ["open"]
