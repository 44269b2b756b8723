"""What is sent is what Standard Webhooks and CloudEvents say, by the libraries of others."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from pilotage.govern.records import SYSTEM
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import SettingsError
from pilotage.platform.workspace import Workspace
from pilotage.webhooks import flow
from pilotage.webhooks.flow.sealing import new_secret
from pilotage.webhooks.rules import signing
from tests.webhooks.conftest import Deed, Registered
from tests.webhooks.receiving import Received, Receiver


@pytest.fixture
def sent(
    work: Workspace, deed: Deed, registered: Registered, receiver: Receiver, deliverer: flow.Deliverer
) -> tuple[Received, str]:
    """One delivery, and the secret that it was signed with."""
    _, secret = registered()
    deed()
    deliverer.run_until_idle(work)
    return receiver.received[0], secret


def refused(received: Received, secret: str, body: bytes | None = None, **headers: str) -> bool:
    try:
        Webhook(secret).verify(received.body if body is None else body, {**received.headers, **headers})
    except WebhookVerificationError:
        return True
    return False


def test_the_library_of_others_verifies_what_was_sent(sent: tuple[Received, str]) -> None:
    received, secret = sent
    assert Webhook(secret).verify(received.body, received.headers)["type"] == "pilotage.stage.changed"
    assert received.path == "/hooks/"
    assert received.headers["content-type"] == "application/cloudevents+json"


def test_our_signature_is_the_one_of_the_specification() -> None:
    # The example of the specification's signature scheme, made with its library.
    secret, at = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", datetime.fromtimestamp(1614265330).astimezone()
    body = b'{"test": 2432232314}'
    wanted = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert signing.signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body) == wanted


def test_a_tampered_body_id_or_time_and_another_secret_are_refused(sent: tuple[Received, str]) -> None:
    received, secret = sent
    assert not refused(received, secret)
    assert refused(received, secret, body=received.body.replace(b"assist", b"automate"))
    assert refused(received, secret, **{"webhook-id": "evt_other"})
    assert refused(received, secret, **{"webhook-timestamp": str(int(received.headers["webhook-timestamp"]) + 1)})
    assert refused(received, new_secret())


def test_what_was_sent_six_minutes_ago_is_refused(
    work: Workspace,
    clock: FixedClock,
    deed: Deed,
    registered: Registered,
    receiver: Receiver,
    deliverer: flow.Deliverer,
) -> None:
    clock.advance(timedelta(minutes=-6))
    _, secret = registered()
    deed()
    deliverer.run_until_idle(work)
    with pytest.raises(WebhookVerificationError, match="too old"):
        Webhook(secret).verify(receiver.received[0].body, receiver.received[0].headers)


def test_a_retry_is_signed_anew_with_its_own_time(
    work: Workspace,
    clock: FixedClock,
    deed: Deed,
    registered: Registered,
    receiver: Receiver,
    deliverer: flow.Deliverer,
) -> None:
    clock.advance(timedelta(minutes=-20))
    _, secret = registered()
    receiver.answering = lambda received: (500, {}, b"")
    deed()
    deliverer.run_until_idle(work)
    receiver.answering = lambda received: (200, {}, b"")
    clock.advance(timedelta(minutes=20))
    deliverer.run_until_idle(work)
    first, second = receiver.received
    assert first.id == second.id
    assert refused(first, secret)
    assert not refused(second, secret)


def test_after_a_rotation_both_secrets_verify_and_later_only_the_new_one(
    work: Workspace,
    clock: FixedClock,
    deed: Deed,
    registered: Registered,
    receiver: Receiver,
    deliverer: flow.Deliverer,
) -> None:
    clock.advance(timedelta(hours=-25))
    endpoint, old = registered()
    new = flow.rotate(work, SYSTEM, endpoint.id)
    clock.advance(timedelta(hours=23))
    deed()
    deliverer.run_until_idle(work)
    both = receiver.received[-1].headers["webhook-signature"].split(" ")
    assert len(both) == 2
    assert both[0] == signing.signature(new, receiver.received[-1].id, clock.now(), receiver.received[-1].body)
    assert both[1] == signing.signature(old, receiver.received[-1].id, clock.now(), receiver.received[-1].body)
    clock.advance(timedelta(hours=2))
    deed()
    deliverer.run_until_idle(work)
    assert refused(receiver.received[-1], old)
    assert not refused(receiver.received[-1], new)


def test_while_both_count_the_library_takes_either(
    work: Workspace, deed: Deed, registered: Registered, receiver: Receiver, deliverer: flow.Deliverer
) -> None:
    endpoint, old = registered()
    new = flow.rotate(work, SYSTEM, endpoint.id)
    deed()
    deliverer.run_until_idle(work)
    assert not refused(receiver.received[0], old)
    assert not refused(receiver.received[0], new)


def test_a_rotation_without_overlap_ends_the_old_secret_at_once(
    work: Workspace, deed: Deed, registered: Registered, receiver: Receiver, deliverer: flow.Deliverer
) -> None:
    endpoint, old = registered()
    new = flow.rotate(work, SYSTEM, endpoint.id, hours=0)
    deed()
    deliverer.run_until_idle(work)
    assert refused(receiver.received[0], old)
    assert not refused(receiver.received[0], new)


def test_the_body_is_a_cloudevent_for_the_library_of_others(work: Workspace, sent: tuple[Received, str]) -> None:
    received, _ = sent
    event = from_http_event(HTTPMessage(received.headers, received.body))
    assert event.get_specversion() == "1.0"
    assert event.get_id() == received.id
    assert event.get_source() == work.settings.address
    assert event.get_type() == "pilotage.stage.changed"
    assert event.get_subject() == "late_arrival"
    assert event.get_time() == work.clock.now()
    assert event.get_data() == {
        "use_case": "late_arrival",
        "stage": ["shadow", "assist"],
        "revision": 7,
        "audit_entry": 2,
    }


def test_words_that_people_wrote_are_not_sent(sent: tuple[Received, str]) -> None:
    received, _ = sent
    assert b"canary-words" not in received.body
    assert "reason" not in json.loads(received.body)["data"]


def test_a_secret_opens_with_the_key_of_its_installation_and_for_its_endpoint_only(
    work: Workspace, deed: Deed, registered: Registered, receiver: Receiver, deliverer: flow.Deliverer
) -> None:
    endpoint, secret = registered()
    other, _ = registered()
    with work.database.reading() as connection:
        from pilotage.webhooks import store

        kept = store.secrets_of(connection, endpoint.id)
    assert secret.encode() not in kept.sealed
    with pytest.raises(SettingsError, match="does not open"):
        flow.delivering.sealing.usable(work, other.id, kept, work.clock.now())
    (work.home / "keys" / "webhooks.secret").write_bytes(b"x" * 32)
    deed()
    deliverer.run_until_idle(work)
    assert receiver.received == []
    page = flow.page(work, endpoint.id)
    _, [attempt] = flow.delivery(work, page.deliveries[0].id)
    assert (attempt.status, page.deliveries[0].state) == (None, "waiting")
    assert "rotate" not in attempt.error and "does not open with the key" in attempt.error
