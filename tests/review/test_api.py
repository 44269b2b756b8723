"""The card over HTTP: bound to one use case, one entity, one site; readable nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from pilotage.govern import flow as governing
from pilotage.platform.clock import FixedClock
from pilotage.platform.workspace import Workspace
from pilotage.releases.records import Stage
from pilotage.review import flow
from tests.review import arranging
from tests.review.arranging import NAME, go_live, recorded
from tests.review.serving import ORIGIN, app_key, card_headers, console, minted

FLIGHT = "UA1545-2013-12-05"


@pytest.fixture
def client(live: Workspace) -> Iterator[TestClient[Litestar]]:
    with TestClient(console(live), raise_server_exceptions=False) as client:
        yield client


def test_a_card_shows_the_newest_decision_of_its_entity(client: TestClient[Litestar], live: Workspace) -> None:
    decision = recorded(live)

    reply = client.get("/v1/card", headers=card_headers(minted(client, live, FLIGHT)))

    assert reply.status_code == 200
    assert (reply.json()["state"], reply.json()["decision"]) == ("answer", decision.id)
    assert reply.headers["access-control-allow-origin"] == ORIGIN
    assert reply.headers["cache-control"] == "no-store"
    assert "set-cookie" not in reply.headers and "access-control-allow-credentials" not in reply.headers


def test_an_entity_without_a_decision_says_what_to_do(client: TestClient[Litestar], live: Workspace) -> None:
    body = {"entity": "XX1", "origin": ORIGIN, "person": "maria"}

    reply = client.post(f"/v1/use-cases/{NAME}/card-tokens", json=body, headers=app_key(live))

    assert reply.status_code == 404
    assert f"POST /v1/use-cases/{NAME}/decisions" in reply.json()["detail"]


@pytest.mark.parametrize(
    "changes",
    [{"origin": "http://evil.example"}, {"actions": ["approve"]}, {"entity": ""}, {"surprise": 1}, {"person": ""}],
)
def test_a_token_request_that_does_not_fit_is_refused(
    client: TestClient[Litestar], live: Workspace, changes: dict[str, object]
) -> None:
    recorded(live)
    body = {"entity": FLIGHT, "origin": ORIGIN, "person": "maria", **changes}

    reply = client.post(f"/v1/use-cases/{NAME}/card-tokens", json=body, headers=app_key(live))

    assert reply.status_code in {400, 422}


def test_only_a_key_of_this_use_case_mints(client: TestClient[Litestar], live: Workspace) -> None:
    recorded(live)
    body = {"entity": FLIGHT, "origin": ORIGIN, "person": "maria"}

    assert client.post(f"/v1/use-cases/{NAME}/card-tokens", json=body).status_code == 401
    foreign = app_key(live, "another_use_case")
    assert client.post(f"/v1/use-cases/{NAME}/card-tokens", json=body, headers=foreign).status_code == 404


def test_a_token_is_good_on_its_own_site_only(client: TestClient[Litestar], live: Workspace) -> None:
    recorded(live)
    token = minted(client, live, FLIGHT)

    reply = client.get("/v1/card", headers=card_headers(token, "https://evil.example"))

    assert reply.status_code == 403
    assert "probability" not in reply.text and "UA1545" not in reply.text


def test_a_token_is_good_for_five_minutes_only(
    client: TestClient[Litestar], live: Workspace, clock: FixedClock
) -> None:
    recorded(live)
    token = minted(client, live, FLIGHT)
    clock.advance(timedelta(minutes=5, seconds=1))

    reply = client.get("/v1/card", headers=card_headers(token))

    assert reply.status_code == 401
    assert reply.headers["access-control-allow-origin"] == ORIGIN, "the card must be able to read that it is over"


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x.y.z", "Basic abc", "Bearer pk_nobody"])
def test_without_a_token_of_ours_there_is_no_card(client: TestClient[Litestar], header: str) -> None:
    assert client.get("/v1/card", headers={"Authorization": header, "Origin": ORIGIN}).status_code == 401


def test_a_key_is_no_card_token(client: TestClient[Litestar], live: Workspace) -> None:
    recorded(live)
    assert client.get("/v1/card", headers={**app_key(live), "Origin": ORIGIN}).status_code == 401


def test_a_token_in_the_address_is_refused(client: TestClient[Litestar], live: Workspace) -> None:
    recorded(live)
    token = minted(client, live, FLIGHT)
    assert client.get(f"/v1/card?token={token}", headers={"Origin": ORIGIN}).status_code == 422


def test_a_token_for_one_entity_cannot_speak_about_another(client: TestClient[Litestar], live: Workspace) -> None:
    own, foreign = recorded(live), recorded(live, entity="DL7-2013-12-05")
    token = governing.mint_card_token(
        live, use_case=NAME, entity=own.entity, decision=foreign.id, origin=ORIGIN, person="maria", actions=("wrong",)
    )

    assert client.get("/v1/card", headers=card_headers(token)).status_code == 403
    reply = client.post("/v1/card/feedback", json={"kind": "wrong"}, headers=card_headers(token))
    assert reply.status_code == 403
    assert flow.feedback_on(live, foreign.id) == []


def test_feedback_is_kept_under_the_name_in_the_token(client: TestClient[Litestar], live: Workspace) -> None:
    decision = recorded(live)
    headers = card_headers(minted(client, live, FLIGHT))

    reply = client.post("/v1/card/feedback", json={"kind": "override", "reason": "Agreed"}, headers=headers)

    assert reply.status_code == 201
    (given,) = flow.feedback_on(live, decision.id)
    assert (given.kind, given.reason, given.person) == ("override", "Agreed", "maria")


def test_a_card_does_only_what_its_token_grants(client: TestClient[Litestar], live: Workspace) -> None:
    decision = recorded(live)
    headers = card_headers(minted(client, live, FLIGHT, actions=["useful"]))

    assert (
        client.post("/v1/card/feedback", json={"kind": "override", "reason": "x"}, headers=headers).status_code == 403
    )
    assert client.post("/v1/card/feedback", json={"kind": "useful"}, headers=headers).status_code == 201
    assert client.post("/v1/card/feedback", json={"kind": "shown"}, headers=headers).status_code == 201
    assert len(flow.feedback_on(live, decision.id)) == 2


@pytest.mark.parametrize("body", [{"kind": "liked"}, {"kind": "override"}, {"reason": "x"}, {"kind": "useful", "x": 1}])
def test_feedback_that_does_not_fit_says_so_readably(
    client: TestClient[Litestar], live: Workspace, body: dict[str, object]
) -> None:
    recorded(live)
    reply = client.post("/v1/card/feedback", json=body, headers=card_headers(minted(client, live, FLIGHT)))

    assert reply.status_code in {400, 422}
    assert reply.headers["access-control-allow-origin"] == ORIGIN


def test_a_card_is_refused_with_the_problem_details_of_every_other_route(
    client: TestClient[Litestar], live: Workspace
) -> None:
    recorded(live)
    headers = card_headers(minted(client, live, FLIGHT))
    nobody = client.get("/v1/card", headers={"Origin": ORIGIN})
    unfit = client.post("/v1/card/feedback", json={"kind": "useful", "x": 1}, headers=headers)
    unknown = client.post("/v1/card/feedback", json={"kind": "liked"}, headers=headers)

    for reply, code, path in (
        (nobody, "not-authenticated", "/v1/card"),
        (unfit, "invalid-request", "/v1/card/feedback"),
        (unknown, "invalid-request", "/v1/card/feedback"),
    ):
        body = reply.json()
        assert reply.headers["content-type"].startswith("application/problem+json")
        assert (body["type"], body["instance"]) == (f"urn:pilotage:problem:{code}", path)
        assert body["status"] == reply.status_code
    assert nobody.headers["www-authenticate"] == "Bearer"
    assert "token-url" in nobody.json()["detail"]
    assert unfit.json()["problems"]


@pytest.mark.parametrize("stage", [Stage.SHADOW, Stage.OFF])
def test_in_shadow_and_off_nothing_is_shown_and_nothing_counts_as_shown(
    client: TestClient[Litestar], live: Workspace, stage: Stage
) -> None:
    decision = recorded(live, stage=stage.value, arm="rule", produced_by="rule", reason=stage.value)
    go_live(live, stage)
    headers = card_headers(minted(client, live, FLIGHT))

    assert client.get("/v1/card", headers=headers).json() == {"state": "nothing"}
    assert client.post("/v1/card/feedback", json={"kind": "shown"}, headers=headers).status_code == 409
    assert flow.feedback_on(live, decision.id) == []


def test_what_is_missing_is_named_in_the_files_words(client: TestClient[Litestar], live: Workspace) -> None:
    inputs = {"carrier": "UA", "distance_miles": 1400.0, "aircraft_last_delay": None}
    recorded(
        live,
        produced_by="default",
        reason="missing_columns",
        answer=False,
        rule_answer=None,
        probability=None,
        band=None,
        signals=(),
        inputs=inputs,
    )

    card = client.get("/v1/card", headers=card_headers(minted(client, live, FLIGHT))).json()

    assert card["words"] == "Cannot say: “last arrival of this aircraft, minutes late” is missing."


@pytest.mark.parametrize("path", ["/v1/card", "/v1/card/feedback"])
def test_a_preflight_is_answered_without_cookies(client: TestClient[Litestar], path: str) -> None:
    asked = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    reply = client.options(path, headers=asked)

    assert reply.status_code == 204
    assert reply.headers["access-control-allow-origin"] == ORIGIN
    assert {"authorization", "content-type"} <= set(reply.headers["access-control-allow-headers"].split(", "))
    assert "set-cookie" not in reply.headers and "access-control-allow-credentials" not in reply.headers


def test_an_app_may_tell_feedback_itself_about_its_own_use_case_only(
    client: TestClient[Litestar], live: Workspace
) -> None:
    decision = recorded(live)
    body = {"kind": "wrong", "person": "maria"}
    path = f"/v1/decisions/{decision.id}/feedback"

    assert client.post(path, json=body, headers=app_key(live)).status_code == 201
    assert client.post(path, json=body, headers=app_key(live, "another_use_case")).status_code == 404
    assert client.post(path, json=body).status_code == 401
    assert client.post("/v1/decisions/dec_none/feedback", json=body, headers=app_key(live)).status_code == 404
    assert len(flow.feedback_on(live, decision.id)) == 1


@pytest.mark.parametrize(
    "taken",
    [
        {"stage": "shadow", "produced_by": "rule", "reason": "shadow"},
        {"stage": "off", "produced_by": "rule", "reason": "off", "model_answer": None, "probability": None},
        {"arm": "rule", "produced_by": "rule", "reason": "rule_arm"},
    ],
)
def test_nobody_is_kept_to_have_seen_what_was_not_to_be_shown(
    client: TestClient[Litestar], live: Workspace, taken: dict[str, object]
) -> None:
    decision, seen, key = recorded(live, **taken), recorded(live), app_key(live)
    shown = {"kind": "shown", "person": "maria"}
    reply = client.post(f"/v1/decisions/{decision.id}/feedback", json=shown, headers=key)
    assert reply.status_code == 409 and "nothing of the model is shown" in reply.text
    assert flow.feedback_on(live, decision.id) == []
    wrong = {"kind": "wrong", "person": "maria"}  # of the rule's answer, which the app had
    assert client.post(f"/v1/decisions/{decision.id}/feedback", json=wrong, headers=key).status_code == 201
    assert client.post(f"/v1/decisions/{seen.id}/feedback", json=shown, headers=key).status_code == 201


def test_the_module_is_served_to_any_page_under_its_own_version(client: TestClient[Litestar]) -> None:
    from pilotage.web import embedding

    reply = client.get(embedding.PATH)
    assert reply.headers["content-type"].startswith("text/javascript")
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.headers["cache-control"] == "public, no-cache"
    assert "set-cookie" not in reply.headers
    again = client.get(embedding.PATH, headers={"If-None-Match": reply.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    kept = client.get(f"{embedding.PATH}?v={embedding.version()}")
    assert "immutable" in kept.headers["cache-control"]
    assert arranging.NAME not in reply.text
