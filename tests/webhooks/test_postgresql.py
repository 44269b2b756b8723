"""The same on PostgreSQL: leases and the cursor under several workers at once."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from pilotage.govern.records import SYSTEM
from pilotage.platform.clock import FixedClock
from pilotage.platform.workspace import Workspace
from pilotage.webhooks import flow
from tests.webhooks.conftest import Deed, Registered
from tests.webhooks.receiving import Receiver, in_turn

pytestmark = [pytest.mark.postgres, pytest.mark.parametrize("store", ["postgresql"], indirect=True)]


def test_three_workers_send_each_event_once_retry_replay_and_forget(
    work: Workspace, clock: FixedClock, deed: Deed, registered: Registered, receiver: Receiver
) -> None:
    endpoint, _ = registered()
    registered()
    receiver.answering = lambda received: (200, {}, b"\x00 fine")
    for _ in range(30):
        deed()
    workers = [flow.Deliverer() for _ in range(3)]
    threads = [threading.Thread(target=each.run_until_idle, args=(work,)) for each in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    failed = [one.error for log in flow.attempts_of(work, flow.page(work, limit=99).deliveries).values() for one in log]
    assert set(failed) == {""}
    assert len(receiver.received) == 60
    assert len(set(receiver.ids)) == 30
    receiver.answering = in_turn(410)
    since = clock.now()
    assert flow.replay_since(work, SYSTEM, endpoint.id, since) == 30
    workers[0].run_until_idle(work)
    assert flow.find(work, endpoint.id).disabled_at == clock.now()
    flow.enable(work, SYSTEM, endpoint.id)
    clock.advance(timedelta(minutes=1))
    workers[0].run_until_idle(work)
    assert len({each.event for each in flow.page(work, endpoint.id).deliveries if each.state == "delivered"}) > 20
    for each in workers:
        each.close()
    clock.advance(timedelta(days=31))
    assert flow.forget_old(work) == 30
    assert datetime.now(UTC) < clock.now()
