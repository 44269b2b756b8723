"""Each way in for JSON refuses what two readers could read in two ways: names that come twice, other types."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from litestar.testing import TestClient

from pilotage.decisions.records import Decision
from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.platform.workspace import Workspace
from pilotage.webhooks import flow as webhooks
from tests.review.arranging import adopt, go_live, recorded
from tests.review.serving import app_key, console

TYPE = {"Content-Type": "application/json"}


@pytest.fixture
def decision(work: Workspace) -> Decision:
    adopt(work)
    go_live(work)
    return recorded(work)


@pytest.fixture
def client(work: Workspace, decision: Decision) -> Iterator[TestClient]:  # type: ignore[type-arg]
    with TestClient(console(work)) as opened:
        yield opened


@pytest.mark.parametrize(
    ("body", "headers", "status", "said"),
    [
        (b'{"kind": "useful", "kind": "override", "person": "maria"}', TYPE, 422, "kind"),
        (b'{"kind": "useful", "person": "maria"}', {"Content-Type": "text/plain"}, 415, "application/json"),
        (b'{"kind": "useful", "person": "maria"}', TYPE | {"Content-Encoding": "gzip"}, 415, "Compressed"),
        (b'{"kind": "useful", "person": "maria"}', TYPE, 201, ""),
        (b'{"kind": "useful", "person": "maria"}', {"Content-Type": "application/merge-patch+json"}, 201, ""),
    ],
)
def test_feedback_is_taken_from_json_that_says_each_thing_once(
    client: TestClient,  # type: ignore[type-arg]
    work: Workspace,
    decision: Decision,
    body: bytes,
    headers: dict[str, str],
    status: int,
    said: str,
) -> None:
    answer = client.post(f"/v1/decisions/{decision.id}/feedback", content=body, headers=app_key(work) | headers)
    assert (answer.status_code, said in answer.text) == (status, True), answer.text


def test_an_endpoint_for_webhooks_is_not_registered_twice_in_one_body(client: TestClient, work: Workspace) -> None:  # type: ignore[type-arg]
    key = governing.make_key(work, SYSTEM, "ops", (Grant(Role.ADMIN),))
    body = b'{"url": "https://one.example/", "types": ["pilotage.stage.changed"], "url": "https://two.example/"}'
    answer = client.post("/v1/webhooks", content=body, headers={"Authorization": f"Bearer {key}", **TYPE})
    assert (answer.status_code, answer.json()["problems"][0]["where"]) == (422, "url")
    assert webhooks.all_endpoints(work) == []


def test_who_may_not_is_told_so_before_his_body_is_looked_at(client: TestClient, decision: Decision) -> None:  # type: ignore[type-arg]
    assert client.post(f"/v1/decisions/{decision.id}/feedback", content=b'{"a": 1, "a": 2}').status_code == 401
