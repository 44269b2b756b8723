"""The card as JSON, as a native app reads it: every state, with tokens minted here or signed by the app's server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from pilotage.client import sign_card_token
from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.platform.clock import FixedClock
from pilotage.platform.workspace import Workspace
from pilotage.releases.records import Stage
from pilotage.review import flow
from tests.review import arranging
from tests.review.arranging import NAME, recorded
from tests.review.serving import ORIGIN, card_headers, console, minted

RULE: dict[str, Any] = {"produced_by": "rule", "reason": "too_slow", "probability": None, "band": None, "signals": ()}
ALWAYS = {
    "state",
    "version",
    "decision",
    "title",
    "entity",
    "words",
    "answer",
    "action",
    "actions",
    "reasons",
    "reason_words",
}
STATES: list[tuple[dict[str, Any], str, set[str]]] = [
    ({}, "answer", ALWAYS | {"band", "band_words", "probability", "tenths", "signals"}),
    (RULE, "rule", ALWAYS | {"because"}),
    (
        {"review": True, "band": "uncertain"},
        "uncertain",
        ALWAYS | {"because", "band", "band_words", "probability", "tenths", "signals"},
    ),
    (
        {**RULE, "produced_by": "default", "reason": "missing_columns", "rule_answer": None, "answer": False},
        "missing",
        ALWAYS,
    ),
    ({**RULE, "stage": "shadow", "arm": "rule", "reason": "shadow"}, "nothing", {"state"}),
]


@pytest.fixture
def client(live: Workspace) -> Iterator[TestClient[Litestar]]:
    with TestClient(console(live)) as client:
        yield client


@pytest.fixture
def secret(live: Workspace) -> str:
    made = governing.principal_of_key(live, governing.make_key(live, SYSTEM, "app", (Grant(Role.APP, NAME),)))
    assert made is not None
    return governing.card_secret(live, made.id)


def signed(work: Workspace, secret: str, entity: str, **changes: Any) -> dict[str, str]:
    said = {"entity": entity, "origin": ORIGIN, "person": "maria", "now": work.clock.now().timestamp()} | changes
    return card_headers(sign_card_token(secret, said.pop("use_case", NAME), **said))


@pytest.mark.parametrize(("changes", "state", "fields"), STATES, ids=[state for _, state, _ in STATES])
@pytest.mark.parametrize("by", ["minted", "signed"])
def test_each_state_has_its_fields(
    live: Workspace, client: TestClient[Litestar], secret: str, by: str, changes: Any, state: str, fields: set[str]
) -> None:
    decision = recorded(live, **changes)
    token = card_headers(minted(client, live, decision.entity))
    reply = client.get("/v1/card", headers=token if by == "minted" else signed(live, secret, decision.entity))

    assert reply.status_code == 200
    assert reply.json()["state"] == state
    assert set(reply.json()) == fields
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["access-control-allow-origin"] == ORIGIN


def test_a_native_app_sends_the_origin_that_its_token_names(
    live: Workspace, client: TestClient[Litestar], secret: str
) -> None:
    decision = recorded(live)
    headers = signed(live, secret, decision.entity, origin="https://app.example")

    assert client.get("/v1/card", headers=headers).json()["decision"] == decision.id
    assert client.get("/v1/card", headers={"Authorization": headers["Authorization"]}).status_code == 403


def test_a_signed_token_shows_the_newest_decision_at_asking(
    live: Workspace, clock: FixedClock, client: TestClient[Litestar], secret: str
) -> None:
    headers = signed(live, secret, "UA9")
    assert client.get("/v1/card", headers=headers).status_code == 404
    first = recorded(live, entity="UA9")
    assert client.get("/v1/card", headers=headers).json()["decision"] == first.id
    clock.advance(timedelta(seconds=1))
    second = recorded(live, entity="UA9")
    assert client.get("/v1/card", headers=headers).json()["decision"] == second.id


def test_feedback_names_the_decision_shown_and_no_other_entitys(
    live: Workspace, client: TestClient[Litestar], secret: str
) -> None:
    shown, other = recorded(live, entity="UA1"), recorded(live, entity="UA2")
    recorded(live, entity="UA1")
    headers = signed(live, secret, "UA1")

    def say(**said: str) -> Any:
        return client.post("/v1/card/feedback", json={"kind": "wrong", **said}, headers=headers)

    assert say(decision=shown.id).json()["decision"] == shown.id
    assert say(decision=other.id).status_code == 403
    assert say(decision="dec_nothing").status_code == 403
    assert say().status_code == 422
    assert flow.feedback_on(live, other.id) == []


def test_what_is_said_can_be_taken_back_by_its_own_card_only(
    live: Workspace, client: TestClient[Litestar], secret: str
) -> None:
    decision = recorded(live, entity="UA1")
    recorded(live, entity="UA2")
    mine = signed(live, secret, "UA1")
    given = client.post("/v1/card/feedback", json={"kind": "wrong", "decision": decision.id}, headers=mine).json()
    assert (given["undo_seconds"], given["undone_at"]) == (60, None)
    body = {"feedback": given["id"]}

    for headers in (signed(live, secret, "UA2"), signed(live, secret, "UA1", person="ben")):
        assert client.post("/v1/card/feedback/undo", json=body, headers=headers).status_code == 403
    assert client.post("/v1/card/feedback/undo", json={"feedback": "fbk_0"}, headers=mine).status_code == 404
    assert client.post("/v1/card/feedback/undo", json=body, headers=mine).json()["undone_at"] is not None
    assert client.post("/v1/card/feedback/undo", json=body, headers=mine).status_code == 409
    assert client.options("/v1/card/feedback/undo", headers={"Origin": ORIGIN}).status_code == 204


def test_that_an_action_was_accepted_is_kept_where_state_and_token_allow_it(
    live: Workspace, client: TestClient[Litestar], secret: str
) -> None:
    decision = recorded(live, entity="UA1")
    said = {"kind": "accept", "decision": decision.id}
    without = signed(live, secret, "UA1", actions=("useful", "wrong"))
    assert client.post("/v1/card/feedback", json=said, headers=without).status_code == 403
    mine = signed(live, secret, "UA1")
    assert "accept" in client.get("/v1/card", headers=mine).json()["actions"]
    given = client.post("/v1/card/feedback", json=said, headers=mine).json()
    assert (given["kind"], given["undo_seconds"]) == ("accept", 60)

    missing = recorded(live, entity="UA2", produced_by="default", reason="missing_columns", rule_answer=None)
    refused = client.post(
        "/v1/card/feedback",
        json={"kind": "accept", "decision": missing.id},
        headers=signed(live, secret, "UA2"),
    )
    assert refused.status_code == 409
    assert [each.kind for each in flow.feedback_on(live, decision.id)] == ["accept"]


def test_that_it_was_shown_cannot_be_taken_back(live: Workspace, client: TestClient[Litestar], secret: str) -> None:
    decision = recorded(live)
    headers = signed(live, secret, decision.entity)
    given = client.post("/v1/card/feedback", json={"kind": "shown", "decision": decision.id}, headers=headers).json()

    assert given["undo_seconds"] == 0
    assert client.post("/v1/card/feedback/undo", json={"feedback": given["id"]}, headers=headers).status_code == 404


def test_a_signed_token_carries_chosen_buttons_of_its_use_case_only(
    live: Workspace, client: TestClient[Litestar], secret: str
) -> None:
    decision = recorded(live)
    headers = signed(live, secret, decision.entity, actions=["useful", "delete everything"])

    assert client.get("/v1/card", headers=headers).json()["actions"] == ["useful"]
    said = {"kind": "wrong", "decision": decision.id}
    assert client.post("/v1/card/feedback", json=said, headers=headers).status_code == 403
    assert client.get("/v1/card", headers=signed(live, secret, decision.entity, use_case="other")).status_code == 403


def test_in_shadow_there_is_nothing_and_shown_is_not_taken(
    live: Workspace, client: TestClient[Litestar], secret: str
) -> None:
    decision = recorded(live)
    arranging.go_live(live, Stage.SHADOW)
    headers = signed(live, secret, decision.entity)

    assert client.get("/v1/card", headers=headers).json() == {"state": "nothing"}
    said = {"kind": "shown", "decision": decision.id}
    assert client.post("/v1/card/feedback", json=said, headers=headers).status_code == 409
    assert flow.feedback_on(live, decision.id) == []
