"""An endpoint that cannot keep up with what comes with every decision: its outbox stays bounded."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import structlog

from pilotage.platform.workspace import Workspace
from pilotage.webhooks import flow, store
from pilotage.webhooks.flow import emitting
from pilotage.webhooks.records import EventType, Told
from tests.webhooks.conftest import Deed, Registered
from tests.webhooks.receiving import Receiver

pytestmark = pytest.mark.both_stores
MOST = 10


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emitting, "WAITING_MAX", MOST)
    monkeypatch.setattr(emitting, "_QUIET_SECONDS", 0.0)
    monkeypatch.setattr(emitting, "_left_behind", {})


def emit(work: Workspace, count: int, kind: EventType = EventType.DECISION_ANSWERED) -> int:
    """As a drain does it: all in one transaction."""
    now = datetime(2013, 12, 5, tzinfo=UTC)
    told = [Told(kind, "small", f"dec_{number}", now, {}) for number in range(count)]
    with work.database.writing() as connection:
        return flow.emit(connection, work, told)


def waits(work: Workspace, endpoint: str) -> int:
    with work.database.reading() as connection:
        return len(store.on_their_way(connection, endpoint))


def test_who_is_too_far_behind_gets_no_more_frequent_events_until_it_has_caught_up(
    work: Workspace, registered: Registered, deed: Deed, receiver: Receiver, deliverer: flow.Deliverer
) -> None:
    flow.take_in(work)
    slow, _ = registered(types=("pilotage.decision.answered", "pilotage.stage.changed"))
    assert [emit(work, MOST - 1), emit(work, 1)] == [MOST - 1, 1]
    with structlog.testing.capture_logs() as logs:
        assert [emit(work, 5), emit(work, 5)] == [0, 0], "nobody is told: nothing is kept"
        other, _ = registered(types=("pilotage.decision.answered",))
        assert emit(work, 5) == 5
        deed()
        flow.take_in(work)
        assert (waits(work, slow.id), waits(work, other.id)) == (MOST + 1, 5), "a rare event is kept for both"
        deliverer.run_until_idle(work)
        assert emit(work, 5) == 5
        assert (waits(work, slow.id), waits(work, other.id)) == (5, 5)
    said = [each["event"] for each in logs if each["event"].startswith("webhook_left_behind")]
    assert said == ["webhook_left_behind", "webhook_left_behind_no_more"], "once, and not at each drain"


def test_an_endpoint_that_keeps_up_does_not_end_what_is_said_of_another(
    work: Workspace, registered: Registered
) -> None:
    slow, _ = registered(types=("pilotage.decision.answered",))
    registered(types=("pilotage.outcome.joined",))
    emit(work, MOST)
    with structlog.testing.capture_logs() as logs:
        for _ in range(4):
            emit(work, 1)
            emit(work, 1, EventType.OUTCOME_JOINED)
    assert [(each["event"], each["endpoint"]) for each in logs] == [("webhook_left_behind", slow.id)]
