"""What a decision drawn for a sample demands besides: two people where the file says so, a person who was asked for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from litestar.testing import TestClient

from pilotage.platform.clock import FixedClock
from pilotage.platform.workspace import Workspace
from pilotage.review import flow
from tests.review.arranging import NAME, go_live, recorded, reviewer
from tests.review.serving import app_key, card_headers, console, minted
from tests.review.test_intake import adopted

LONG = "high_risk: distance_miles > 1000"


@pytest.fixture
def live(work: Workspace) -> Workspace:
    """In assist; each test adopts its own file."""
    adopted(work, "")
    go_live(work)
    return work


def card(work: Workspace, entity: str, kind: str = "") -> dict[str, Any]:
    """The card about an entity, after maria did this on it."""
    with TestClient(console(work)) as client:
        headers = card_headers(minted(client, work, entity))
        if kind:
            said = {"kind": kind, "reason": "I doubt this"}
            assert client.post("/v1/card/feedback", json=said, headers=headers).status_code == 201
        found: dict[str, Any] = client.get("/v1/card", headers=headers).json()
        return found


@pytest.mark.parametrize(
    ("review", "listed", "wanted"),
    [
        (f"  samples: {{blind: 1, {LONG}}}\n  four_eyes: [high_risk]\n", "blind", 2),
        (f"  samples: {{{LONG}}}\n  four_eyes: [uncertain]\n", "high_risk", 2),
        ("  samples: {random: 1}\n  four_eyes: [random]\n", "uncertain", 2),
        ("  samples: {blind: 1}\n  four_eyes: [high_risk, random, escalated]\n", "blind", 1),
    ],
)
def test_four_eyes_hold_for_whichever_reason_a_decision_has(
    live: Workspace, review: str, listed: str, wanted: int
) -> None:
    adopted(live, review if "high_risk:" in review else review.replace("high_risk, ", ""))
    recorded(live, review=True)

    assert [(case.why, case.wanted) for case in flow.queue(live, NAME)] == [(listed, wanted)]


@pytest.mark.both_stores
@pytest.mark.parametrize("sample", ["random", "blind"])
def test_who_asks_for_a_person_on_a_sampled_case_is_heard(live: Workspace, clock: FixedClock, sample: str) -> None:
    adopted(live, f"  samples: {{{sample}: 1}}\n  four_eyes: [escalated]\n  falls_back: 2 days\n")
    decision = recorded(live, entity="UA1", rule_answer=False)
    (before,) = flow.queue(live, NAME)
    assert card(live, "UA1")["state"] == "answer"

    assert card(live, "UA1", "escalate")["state"] == "uncertain"

    (after,) = flow.queue(live, NAME)
    assert (after.id, after.why, after.wanted, after.note) == (before.id, sample, 2, "I doubt this")
    assert after.rank < before.rank if sample == "random" else after.rank == before.rank
    held = flow.lease(live, after.id, reviewer("anna"))
    assert ("I doubt this" in str(flow.look(live, held, "anna"))) is (sample == "random")

    clock.advance(timedelta(days=3))
    flow.tend(live)
    lapsed = card(live, "UA1")
    assert (lapsed["state"], lapsed["answer"], lapsed["decision"]) == ("rule", False, decision.id)


def test_a_person_is_asked_no_more_once_that_was_taken_back(live: Workspace) -> None:
    adopted(live, "  samples: {random: 1}\n")
    recorded(live, entity="UA1")
    flow.take_in(live)
    with TestClient(console(live)) as client:
        headers = card_headers(minted(client, live, "UA1"))
        given = client.post("/v1/card/feedback", json={"kind": "escalate", "reason": "x"}, headers=headers).json()
        assert client.get("/v1/card", headers=headers).json()["state"] == "uncertain"
        client.post("/v1/card/feedback/undo", json={"feedback": given["id"]}, headers=headers)
        assert client.get("/v1/card", headers=headers).json()["state"] == "answer"


@pytest.mark.parametrize("blind", [0, 1], ids=["by itself", "drawn blind"])
def test_what_may_do_harm_waits_for_a_person_also_where_it_is_drawn_blind(live: Workspace, blind: int) -> None:
    adopted(live, f"  samples: {{blind: {blind}, {LONG}}}\n")
    recorded(live, entity="far", inputs={"distance_miles": 4000.0})
    recorded(live, entity="near", inputs={"distance_miles": 400.0})
    flow.take_in(live)

    assert (card(live, "far")["state"], card(live, "near")["state"]) == ("uncertain", "answer")


def test_an_uncertain_answer_drawn_blind_falls_back_to_the_way_before(live: Workspace, clock: FixedClock) -> None:
    adopted(live, "  samples: {blind: 1}\n")
    recorded(live, entity="close", review=True, rule_answer=False)
    recorded(live, entity="sure", rule_answer=False)
    flow.take_in(live)
    clock.advance(timedelta(days=8))
    flow.tend(live)

    assert (card(live, "close")["state"], card(live, "close")["answer"]) == ("rule", False)
    assert (card(live, "sure")["state"], card(live, "sure")["answer"]) == ("answer", True)


def test_a_decision_that_a_condition_cannot_be_asked_of_can_be_escalated(live: Workspace) -> None:
    adopted(live, f"  samples: {{{LONG}}}\n  skills: {{long: distance_miles > 1000}}\n")
    decision = recorded(live, entity="UA1", inputs={"distance_miles": "far"})  # of an earlier file

    with TestClient(console(live), raise_server_exceptions=False) as client:
        said = {"kind": "escalate", "person": "maria", "reason": "I doubt this"}
        reply = client.post(f"/v1/decisions/{decision.id}/feedback", json=said, headers=app_key(live))

    assert reply.status_code == 201, reply.text
    assert [(case.why, case.skill) for case in flow.queue(live, NAME)] == [("escalated", "")]
