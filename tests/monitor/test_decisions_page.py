"""The list of decisions, its search, and what of a decision's life is told to whom."""

from __future__ import annotations

import html
import re
from datetime import timedelta

import msgspec
import pytest
from tests.living import NAME, release, visitor
from tests.review.arranging import adopt, go_live, recorded, reviewer
from tests.review.test_intake import adopted

from pilotage.decisions.contract import Contract, example_request
from pilotage.govern.records import Role
from pilotage.platform.clock import FixedClock
from pilotage.platform.workspace import Workspace
from pilotage.review import flow as reviewing

PAGE = f"/use-cases/{NAME}/decisions"


def test_before_the_first_decision_the_page_tells_how_to_ask(work: Workspace) -> None:
    adopt(work)
    with visitor(work, Role.VIEWER) as person:
        page = person.get(PAGE)
    assert page.status_code == 200
    assert f"curl {work.settings.address}/v1{PAGE}" in page.text


def test_the_example_fits_the_contract(work: Workspace) -> None:
    plan = adopt(work).plan
    entity, request = Contract(plan).decode(example_request(plan, work.clock.now()).encode())
    assert entity == "example-1"
    assert set(request) == set(plan.request)


def test_decisions_are_found_by_a_part_of_their_entity(work: Workspace) -> None:
    adopt(work)
    for entity in ("UA-1-JFK", "B6-2-EWR", "100%_sure"):
        recorded(work, entity=entity)
    with visitor(work, Role.VIEWER) as person:
        everything, found = person.get(PAGE).text, person.get(f"{PAGE}?q=ua-1").text
        percent, nothing = person.get(f"{PAGE}?q=%25_s").text, person.get(f"{PAGE}?q=zz").text
    assert all(entity in everything for entity in ("UA-1-JFK", "B6-2-EWR", "100%_sure"))
    assert ("UA-1-JFK" in found, "B6-2-EWR" in found) == (True, False)
    assert ("100%_sure" in percent, "UA-1-JFK" in percent) == (True, False)
    assert "Nothing found" in nothing


def test_what_an_entity_is_called_is_never_markup(work: Workspace) -> None:
    adopt(work)
    recorded(work, entity="<script>alert(1)</script>")
    with visitor(work, Role.VIEWER) as person:
        page = person.get(f"{PAGE}?q=<script>").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_a_stranger_is_sent_to_log_in_and_an_outsider_sees_nothing(work: Workspace) -> None:
    adopt(work)
    with visitor(work, Role.VIEWER, "another") as person:
        assert person.get(PAGE).status_code == 404
        person.client.cookies.clear()
        assert person.get(PAGE).headers["location"].startswith("/log-in")


def test_a_decision_without_a_model_has_no_probability(work: Workspace) -> None:
    adopt(work)
    decision = recorded(work, produced_by="default", reason="missing_columns", probability=None, band=None)
    assert msgspec.structs.asdict(decision)["band"] is None
    with visitor(work, Role.VIEWER) as person:
        page = person.get(PAGE).text
    assert "the declared default answers" in page


def _shown(page: str) -> set[str]:
    return set(re.findall(r'href="/decisions/dec_\w+">([^<]+)<', page))


@pytest.mark.both_stores
def test_decisions_are_found_by_reason_producer_stage_version_day_and_id(work: Workspace, clock: FixedClock) -> None:
    version = release(work, adopt(work), 1).version
    first = recorded(work, entity="A", version=version)
    clock.advance(timedelta(days=1))
    recorded(work, entity="B", reason="too_slow", produced_by="rule", stage="shadow")
    with visitor(work, Role.VIEWER) as person:
        for query, wanted in {
            "": {"A", "B"},
            "reason=too_slow": {"B"},
            "produced_by=model": {"A"},
            "stage=shadow": {"B"},
            "version=1": {"A"},
            "since=2013-12-06": {"B"},
            "until=2013-12-05": {"A"},
            "since=2013-12-05&until=2013-12-05&reason=too_slow": set(),
            f"q={first.id}": {"A"},
            "q=b&stage=assist": set(),
        }.items():
            assert _shown(person.get(f"{PAGE}?{query}").text) == wanted, query
        for mistake in ("reason=because", "version=2", "stage=on", "produced_by=me", "since=yesterday"):
            assert person.get(f"{PAGE}?{mistake}").status_code == 422, mistake
        assert person.get(f"{PAGE}?until=9999-12-31&since=0001-01-01").status_code == 200
        assert person.get(f"{PAGE}?q=%00").status_code == 200


@pytest.mark.both_stores
def test_pages_go_on_where_the_one_before_ended_though_new_ones_come(work: Workspace, clock: FixedClock) -> None:
    adopt(work)
    for number in range(60):
        clock.advance(timedelta(seconds=1))
        recorded(work, entity=f"flight {number:02}")
    with visitor(work, Role.VIEWER) as person:
        first = person.get(f"{PAGE}?stage=assist").text
        further = html.unescape(re.findall(r'href="(\?[^"]*before=[^"]*)"', first)[0])
        recorded(work, entity="newcomer")
        second = person.get(f"{PAGE}{further}").text
    assert _shown(first) == {f"flight {number:02}" for number in range(10, 60)}
    assert _shown(second) == {f"flight {number:02}" for number in range(10)}
    assert "stage=assist" in further and "Older ones" not in second


def test_a_page_looks_through_a_bounded_number_and_says_where_to_go_on(
    work: Workspace, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    adopt(work)
    monkeypatch.setattr("pilotage.decisions.store.LOOKED_THROUGH_MAX", 3)
    for number in range(7):
        clock.advance(timedelta(seconds=1))
        recorded(work, entity=f"flight {number}", reason="too_slow" if number == 0 else "model")
    with visitor(work, Role.VIEWER) as person:
        page, looks = person.get(f"{PAGE}?reason=too_slow").text, 1
        while not _shown(page):
            further = html.unescape(re.findall(r'href="(\?[^"]*before=[^"]*)"', page)[0])
            page, looks = person.get(f"{PAGE}{further}").text, looks + 1
        exact = person.get(f"{PAGE}?q=flight 0").text
    assert (_shown(page), looks) == ({"flight 0"}, 3)
    assert _shown(exact) == {"flight 0"}


@pytest.mark.both_stores
def test_a_blind_case_keeps_the_answer_from_its_reviewers_and_from_nobody_else(work: Workspace) -> None:
    adopted(work, "  samples: {blind: 1}\n")
    go_live(work)
    decision = recorded(work, entity="UA1", probability=0.6731, version=None)
    reviewing.take_in(work)
    told = ("67.3", "Prepare rebooking", "74 minutes late")
    with visitor(work, Role.REVIEWER) as person:
        whole, listed = person.get(f"/decisions/{decision.id}").text, person.get(PAGE).text
        assert "without the model&#39;s opinion" in whole or "without the model's opinion" in whole
        assert not any(secret in page for secret in told for page in (whole, listed))
        assert "Kept from reviewers" in listed and "UA1" in _shown(listed)
        assert _shown(person.get(f"{PAGE}?produced_by=model").text) == set()
    with visitor(work, Role.VIEWER) as person:
        assert "67.3" in person.get(f"/decisions/{decision.id}").text
        assert "67.3" in person.get(PAGE).text


def test_the_life_of_a_decision_has_its_case_opinions_and_comments_for_those_who_review(work: Workspace) -> None:
    adopted(work, "  samples: {random: 1}\n")
    go_live(work)
    decision = recorded(work, version=None)
    reviewing.take_in(work)
    anna = reviewer("anna")
    case = reviewing.lease_next(work, NAME, anna)
    assert case
    reviewing.comment(work, case.id, "the crew is late", "https://wiki.example/crew", anna)
    with visitor(work, Role.REVIEWER) as person:
        before = person.get(f"/decisions/{decision.id}").text
        reviewing.submit(work, case.id, case.fence, "corrected", False, "local knowledge", anna)
        after = person.get(f"/decisions/{decision.id}").text
    assert "the crew is late" in before and "judged" not in before.split("Its life")[1]
    assert "anna judged no: “local knowledge”." in after
    with visitor(work, Role.VIEWER) as person:
        outside = person.get(f"/decisions/{decision.id}").text
    assert "the crew is late" not in outside and "anna corrected it" in outside
