"""Feedback that an app sends again under the same idempotency key counts once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from pilotage.platform import replies
from pilotage.platform.workspace import Workspace
from pilotage.review import flow
from tests.review.arranging import recorded
from tests.review.serving import app_key, console

BODY = {"kind": "wrong", "person": "maria"}


@pytest.fixture
def client(live: Workspace) -> Iterator[TestClient[Litestar]]:
    with TestClient(console(live), raise_server_exceptions=False) as client:
        yield client


def test_the_same_key_gets_the_same_reply_and_counts_once(client: TestClient[Litestar], live: Workspace) -> None:
    decision = recorded(live)
    path, headers = f"/v1/decisions/{decision.id}/feedback", {**app_key(live), "Idempotency-Key": "one"}
    first, again = (client.post(path, json=BODY, headers=headers) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again.headers["idempotency-replayed"] == "true" and "idempotency-replayed" not in first.headers
    other = client.post(path, json={**BODY, "kind": "useful"}, headers=headers)
    assert other.status_code == 422, "the key came with another body before"
    assert len(flow.feedback_on(live, decision.id)) == 1
    client.post(path, json=BODY, headers={**headers, "Idempotency-Key": "two"})
    assert len(flow.feedback_on(live, decision.id)) == 2


def test_what_was_refused_leaves_its_key_free(client: TestClient[Litestar], live: Workspace) -> None:
    decision = recorded(live)
    path, headers = f"/v1/decisions/{decision.id}/feedback", {**app_key(live), "Idempotency-Key": "one"}
    assert client.post(path, json={**BODY, "kind": "override"}, headers=headers).status_code == 422
    assert client.post(path, json=BODY, headers=headers).status_code == 201


def test_after_a_worker_died_before_it_kept_the_reply_it_counts_once(
    client: TestClient[Litestar], live: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    decision = recorded(live)
    path, headers = f"/v1/decisions/{decision.id}/feedback", {**app_key(live), "Idempotency-Key": "one"}
    with monkeypatch.context() as dying:
        dying.setattr(replies, "keep", _die)
        assert client.post(path, json=BODY, headers=headers).status_code == 500
    with live.database.writing() as connection:
        connection.execute(replies.kept_replies.update().values(leased_until=replies.kept_replies.c.begun_at))
    assert client.post(path, json=BODY, headers=headers).status_code == 201
    assert len(flow.feedback_on(live, decision.id)) == 1


def _die(*_: object) -> None:
    raise RuntimeError
