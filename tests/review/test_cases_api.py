"""A queue of one's own over HTTP: the same rules as in the console."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow as defining
from tests.review.arranging import NAME, go_live, of_kind, recorded
from tests.review.serving import app_key, console
from tests.review.test_intake import adopted


@pytest.fixture
def live(work: Workspace) -> Workspace:
    """In assist; every answer of the model is judged by a person who does not see it."""
    adopted(work, "  samples: {blind: 1}\n")
    go_live(work)
    return work


@pytest.fixture
def client(live: Workspace) -> Iterator[TestClient[Litestar]]:
    """An app with a key that may review."""
    with TestClient(console(live), raise_server_exceptions=False) as client:
        client.headers.update(key(live))
        yield client


def key(work: Workspace, use_case: str = NAME, role: Role = Role.REVIEWER) -> dict[str, str]:
    """Headers with a key of this role."""
    made = governing.make_key(work, SYSTEM, f"queue of {use_case}", (Grant(role, use_case),))
    return {"Authorization": f"Bearer {made}"}


def taken(client: TestClient[Litestar], person: str = "maria") -> dict[str, Any]:
    """The next case, taken for this person."""
    reply = client.post(f"/v1/use-cases/{NAME}/cases/next", json={"person": person})
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


def test_a_blind_case_shows_nothing_of_the_model_until_it_is_judged(
    client: TestClient[Litestar], live: Workspace
) -> None:
    decision = recorded(live, probability=0.6731, band="uncertain")

    listed = client.get(f"/v1/use-cases/{NAME}/cases").text
    view = taken(client)
    looked = client.get(f"/v1/cases/{view['case']['id']}").text

    for text in (listed, json.dumps(view), looked):
        for secret in ("0.6731", "67", "Close call", "uncertain", decision.id, "74 minutes late", "ver_1"):
            assert secret not in text.replace(view["case"]["id"], ""), secret
    assert (view["given"], view["model"], view["rule"], view["case"]["rank"]) == (None, None, "", 0.0)

    said = {"person": "maria", "fence": view["case"]["fence"], "answer": True}
    after = client.post(f"/v1/cases/{view['case']['id']}/verdict", json=said).json()
    assert (after["case"]["state"], after["given"], after["model"]["probability"]) == ("approved", True, 0.6731)
    assert [(each["person"], each["blind"], each["verdict"]) for each in after["opinions"]] == [
        ("maria", True, "approved")
    ]


def test_a_judgement_against_the_unseen_answer_is_a_correction(client: TestClient[Litestar], live: Workspace) -> None:
    recorded(live)
    view = taken(client)

    said = {"person": "maria", "fence": view["case"]["fence"], "answer": False}
    after = client.post(f"/v1/cases/{view['case']['id']}/verdict", json=said).json()

    assert (after["case"]["state"], after["case"]["verdict_answer"]) == ("corrected", False)
    undone = client.post(f"/v1/cases/{view['case']['id']}/undo", json={"person": "maria"}).json()
    assert (undone["state"], undone["verdict_answer"], undone["blind"]) == ("open", None, False)


def test_renewing_giving_back_and_commenting(client: TestClient[Litestar], live: Workspace) -> None:
    recorded(live)
    view = taken(client)
    path, held = f"/v1/cases/{view['case']['id']}", {"person": "maria", "fence": view["case"]["fence"]}

    assert client.post(f"{path}/renew", json=held).json()["state"] == "leased"
    assert client.post(f"{path}/lease", json={"person": "ben"}).status_code == 409
    noted = client.post(f"{path}/comments", json={"person": "maria", "text": "Ask the crew"})
    assert (noted.status_code, noted.json()["text"]) == (201, "Ask the crew")
    assert client.post(f"{path}/release", json=held).json()["state"] == "open"
    assert client.post(f"{path}/verdict", json={**held, "answer": True}).status_code == 409
    assert client.post(f"{path}/lease", json={"person": "ben"}).json()["case"]["leased_to"] == "ben"
    assert [each["case"] for each in client.get(path).json()["comments"]] == [view["case"]["id"]]  # the late one waits


def test_a_case_given_back_is_skipped_and_its_history_says_so(client: TestClient[Litestar], live: Workspace) -> None:
    for entity in ("UA1", "UA2"):
        recorded(live, entity=entity)
    first = taken(client)["case"]
    client.post(f"/v1/cases/{first['id']}/release", json={"person": "maria", "fence": first["fence"]})

    said = {"person": "maria", "skip": first["id"]}
    second = client.post(f"/v1/use-cases/{NAME}/cases/next", json=said).json()["case"]
    history = client.get(f"/v1/cases/{first['id']}/history").json()

    assert {first["entity"], second["entity"]} == {"UA1", "UA2"}
    assert [(each["kind"], each["person"], each["detail"]) for each in history] == [
        ("opened", "", ""),
        ("leased", "maria", ""),
        ("released", "maria", ""),
    ]
    other = key(live, "another")
    assert client.get(f"/v1/cases/{first['id']}/history", headers=other).status_code == 404


def test_an_empty_queue_gives_no_case(client: TestClient[Litestar]) -> None:
    assert taken(client) is None
    assert client.get(f"/v1/use-cases/{NAME}/cases").json()["cases"] == []


def test_a_key_says_for_whom_it_reviews(client: TestClient[Litestar], live: Workspace) -> None:
    recorded(live)

    refused = client.post(f"/v1/use-cases/{NAME}/cases/next", json={})

    assert refused.status_code == 422 and "does not say for whom" in refused.text


def test_filters_and_their_mistakes(client: TestClient[Litestar], live: Workspace) -> None:
    recorded(live, entity="UA1")
    recorded(live, entity="UA2")
    path = f"/v1/use-cases/{NAME}/cases"

    assert [each["entity"] for each in client.get(path, params={"entity": "ua2"}).json()["cases"]] == ["UA2"]
    assert len(client.get(path, params={"why": "blind", "limit": 1}).json()["cases"]) == 1
    assert client.get(path, params={"why": "random"}).json()["cases"] == []
    assert client.get(path, params={"show": "decided"}).json()["cases"] == []
    assert client.get(path, params={"show": "nonsense"}).status_code == 422
    assert client.get(path, params={"limit": 501}).status_code == 422


def test_keys_of_others_see_no_case(client: TestClient[Litestar], live: Workspace) -> None:
    recorded(live)
    view = taken(client)
    path = f"/v1/cases/{view['case']['id']}"

    for headers, expected in ((key(live, "another_use_case"), 404), (app_key(live), 403), ({"Authorization": ""}, 401)):
        client.headers.update(headers)
        assert client.get(path).status_code == expected
        assert client.post(f"{path}/undo", json={"person": "maria"}).status_code == expected


def test_a_number_is_taken_as_json_has_it(work: Workspace) -> None:
    defining.adopt(work, of_kind("number"), SYSTEM)
    go_live(work)
    recorded(work, answer=7.0, model_answer=7.0, rule_answer=7.0, probability=None, band=None, review=True)
    with TestClient(console(work), raise_server_exceptions=False) as client:
        client.headers.update(key(work))
        view = taken(client)
        said = {"person": "maria", "fence": view["case"]["fence"], "verdict": "corrected", "reason": "Runway closed"}
        reply = client.post(f"/v1/cases/{view['case']['id']}/verdict", json={**said, "answer": 1e-05})

    assert (reply.status_code, reply.json()["case"]["verdict_answer"]) == (200, 1e-05)


def test_what_is_approved_is_not_said_to_be_otherwise(work: Workspace) -> None:
    defining.adopt(work, of_kind("number"), SYSTEM)
    go_live(work)
    recorded(work, answer=7.0, model_answer=7.0, rule_answer=7.0, probability=None, band=None, review=True)
    with TestClient(console(work), raise_server_exceptions=False) as client:
        client.headers.update(key(work))
        view = taken(client)
        path = f"/v1/cases/{view['case']['id']}/verdict"
        said = {"person": "maria", "fence": view["case"]["fence"], "verdict": "approved"}
        refused = client.post(path, json={**said, "answer": 8})
        kept = client.post(path, json={**said, "answer": 7})

    assert refused.status_code == 422 and "yet another answer is said to be right" in refused.text
    assert (kept.status_code, kept.json()["case"]["state"]) == (200, "approved")


@pytest.mark.both_stores
def test_the_next_case_of_those_that_somebody_asks_for(client: TestClient[Litestar], live: Workspace) -> None:
    recorded(live, entity="UA1")
    recorded(live, entity="DL2")
    path = f"/v1/use-cases/{NAME}/cases/next"

    def taken_of(person: str, **asked: object) -> str | None:
        reply = client.post(path, json={"person": person, **asked})
        assert reply.status_code == 200, reply.text
        return reply.json() and str(reply.json()["case"]["entity"])

    assert taken_of("maria", entity="dl") == "DL2"
    assert taken_of("ben", entity="dl") is None
    assert taken_of("ben", why="random") is None
    assert taken_of("ben", overdue=True) is None
    assert taken_of("ben", why="known") == "UA1"  # which may as well be blind: they are not told apart
    assert taken_of("maria", entity="ua") is None  # her own is none of these
    assert client.post(path, json={"person": "ben", "why": "nonsense"}).status_code == 422


def test_names_are_bounded(client: TestClient[Litestar]) -> None:
    path = f"/v1/use-cases/{NAME}/cases"

    assert client.post(f"{path}/next", json={"person": "x" * 201}).status_code == 422
    assert client.get(path, params={"person": "x" * 201}).status_code == 422


def test_a_view_is_renamed_by_whose_it_is(client: TestClient[Litestar], live: Workspace) -> None:
    path = f"/v1/use-cases/{NAME}/views"
    made = client.post(path, json={"person": "maria", "name": "Mine", "entity": "UA"}).json()
    renamed = client.put(f"{path}/{made['id']}", json={"person": "maria", "name": "Of UA"})
    assert (renamed.status_code, renamed.json()["name"], renamed.json()["shared"]) == (200, "Of UA", False)
    assert [each["name"] for each in client.get(path, params={"person": "maria"}).json()] == ["Of UA"]
    assert client.put(f"{path}/{made['id']}", json={"person": "ben", "name": "His"}).status_code == 404
    assert client.put(f"{path}/{made['id']}", json={"person": "maria", "name": " "}).status_code == 422
    assert client.put(f"{path}/{made['id']}", json={"person": "maria", "name": "A", "shared": True}).status_code == 403


def test_ones_own_quality_is_told_and_that_of_all_to_who_leads(client: TestClient[Litestar], live: Workspace) -> None:
    for number, person in enumerate(["maria", "ben", "cleo", "dora"]):
        recorded(live, entity=f"UA{number}")
        view = taken(client, person)
        said = {"person": person, "fence": view["case"]["fence"], "answer": person != "ben"}
        assert client.post(f"/v1/cases/{view['case']['id']}/verdict", json=said).status_code == 200
    path, owner = f"/v1/use-cases/{NAME}/review-quality", key(live, role=Role.OWNER)
    of_maria = client.get(path, params={"person": "maria"}).json()
    assert (of_maria["mine"]["opinions"], of_maria["mine"]["people"], of_maria["together"]) == (1, 1, None)
    led = client.get(path, params={"person": "maria"}, headers=owner).json()
    assert (led["together"]["opinions"], led["together"]["people"]) == (4, 4)
    assert led["together"]["blind"]["of"] == 4
    assert "ben" not in json.dumps(led), "nobody is named"
    nobody = client.get(path, params={"person": "eve"}, headers=key(live, "other")).status_code
    assert nobody in (403, 404)
