"""The list of decisions."""

from __future__ import annotations

import msgspec
from tests.living import NAME, visitor
from tests.review.arranging import adopt, recorded

from pilotage.decisions.contract import Contract, example_request
from pilotage.govern.records import Role
from pilotage.platform.workspace import Workspace

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
