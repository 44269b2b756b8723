"""Deliveries arrive at least once: retries over days, answers of every kind, crashes, many workers."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from datetime import timedelta
from email.utils import format_datetime
from itertools import pairwise

import pytest

from pilotage.govern import flow as governing
from pilotage.platform.clock import FixedClock
from pilotage.platform.workspace import Workspace
from pilotage.webhooks import flow, store
from pilotage.webhooks.flow.delivering import LEASE
from pilotage.webhooks.records import Attempt, Delivery, Waiting
from pilotage.webhooks.rules import lanes, retrying
from tests.webhooks.conftest import Deed, Registered
from tests.webhooks.receiving import Answer, Received, Receiver, hanging, in_turn, receiving

pytestmark = pytest.mark.both_stores
HOUR = timedelta(hours=1)
ABSURD = "Mon, 01 Jan 2029 00:00:00 +99999999999999999999"


def only(work: Workspace, endpoint: str) -> tuple[Delivery, list[Attempt]]:
    """The endpoint's one delivery with its tries."""
    [delivery] = flow.page(work, endpoint).deliveries
    return flow.delivery(work, delivery.id)


def test_what_arrived_is_noted_with_its_answer_and_not_sent_again(
    work: Workspace, deed: Deed, registered: Registered, receiver: Receiver, deliverer: flow.Deliverer
) -> None:
    endpoint, _ = registered()
    deed()
    deliverer.run_until_idle(work)
    deliverer.run_until_idle(work)
    delivery, [attempt] = only(work, endpoint.id)
    assert receiver.ids == [delivery.event]
    assert (delivery.state, delivery.attempts) == ("delivered", 1)
    assert (attempt.status, attempt.answer, attempt.error) == (200, "thank you", "")
    assert 0 < attempt.latency_ms < 500


def test_a_receiver_that_is_down_gets_it_ten_times_in_three_days_and_then_never(
    work: Workspace,
    clock: FixedClock,
    deed: Deed,
    registered: Registered,
    receiver: Receiver,
    deliverer: flow.Deliverer,
) -> None:
    endpoint, _ = registered()
    receiver.answering = in_turn(then=500)
    deed()
    begun = clock.now()
    for _ in range(6 * 24 * 6):
        deliverer.run_until_idle(work)
        if flow.page(work).deliveries[0].state != "waiting":
            break
        clock.advance(flow.page(work).deliveries[0].due_at - clock.now())
    delivery, attempts = only(work, endpoint.id)
    assert [each.status for each in attempts] == [500] * 10
    assert len(set(receiver.ids)) == 1
    pauses = [later.at - earlier.at for earlier, later in pairwise(attempts)]
    assert pauses == list(retrying.PAUSES)
    assert timedelta(days=3) < clock.now() - begun < timedelta(days=3.2)
    assert delivery.state == "given_up"
    stopped = flow.find(work, endpoint.id)
    assert stopped.disabled_at == clock.now()
    assert "Nothing arrived for two days" in stopped.disabled_because
    assert "webhook.disabled" in [each.action for each in governing.entries(work, "webhook.disabled")]
    clock.advance(30 * 24 * HOUR)
    deliverer.run_until_idle(work)
    assert len(receiver.received) == 10


@pytest.mark.parametrize("chance", [0.0, 0.25, 0.5, 0.75, 0.999999])
def test_jitter_moves_each_pause_by_at_most_a_fifth(clock: FixedClock, chance: float) -> None:
    now, total = clock.now(), timedelta(0)
    for attempts, pause in enumerate(retrying.PAUSES, start=1):
        again = retrying.next_attempt(attempts, now, timedelta(0), chance)
        assert again is not None
        assert 0.8 * pause <= again - now <= 1.2 * pause
        total += again - now
    assert timedelta(days=2.5) < total < timedelta(days=3.8)
    assert retrying.next_attempt(retrying.ATTEMPTS_MAX, now, timedelta(0), chance) is None


def test_500_and_then_200_arrives_at_the_second_try_and_the_endpoint_is_well_again(
    work: Workspace,
    clock: FixedClock,
    deed: Deed,
    registered: Registered,
    receiver: Receiver,
    deliverer: flow.Deliverer,
) -> None:
    endpoint, _ = registered()
    receiver.answering = in_turn(500)
    deed()
    deliverer.run_until_idle(work)
    assert flow.find(work, endpoint.id).failures == 1
    clock.advance(timedelta(seconds=4))
    deliverer.run_until_idle(work)
    assert len(receiver.received) == 1  # five seconds are not over
    clock.advance(timedelta(seconds=1))
    deliverer.run_until_idle(work)
    delivery, attempts = only(work, endpoint.id)
    assert [each.status for each in attempts] == [500, 200]
    assert delivery.state == "delivered"
    assert flow.find(work, endpoint.id).failures == 0


def test_410_disables_the_endpoint_and_what_happens_then_is_not_sent(
    work: Workspace,
    clock: FixedClock,
    deed: Deed,
    registered: Registered,
    receiver: Receiver,
    deliverer: flow.Deliverer,
) -> None:
    endpoint, _ = registered()
    receiver.answering = in_turn(410)
    deed()
    deliverer.run_until_idle(work)
    stopped = flow.find(work, endpoint.id)
    assert stopped.disabled_at is not None
    assert "410" in stopped.disabled_because
    [entry] = governing.entries(work, "webhook.disabled")
    assert (entry.actor, entry.subject) == ("Pilotage", endpoint.id)
    deed()
    clock.advance(4 * 24 * HOUR)
    deliverer.run_until_idle(work)
    delivery, attempts = only(work, endpoint.id)
    assert (delivery.state, len(attempts), len(receiver.received)) == ("given_up", 1, 1)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("as_date", [False, True])
def test_who_asks_to_wait_is_left_alone_so_long_with_everything(
    work: Workspace,
    clock: FixedClock,
    deed: Deed,
    registered: Registered,
    receiver: Receiver,
    deliverer: flow.Deliverer,
    status: int,
    as_date: bool,
) -> None:
    registered()
    until = clock.now() + HOUR
    asked = format_datetime(until, usegmt=True) if as_date else "3600"
    receiver.answering = lambda received: (status, {"retry-after": asked}, b"")
    deed()
    deliverer.run_until_idle(work)
    receiver.answering = in_turn()
    deed()
    clock.advance(0.9 * HOUR)
    deliverer.run_until_idle(work)
    assert len(receiver.received) == 1
    clock.advance(0.11 * HOUR)
    deliverer.run_until_idle(work)
    assert len(receiver.received) == 3
    assert len(set(receiver.ids)) == 2


@pytest.mark.parametrize("asked", ["soon", "-5", "", "99999999999999999999", "Mon, 99 Foo", "²", ABSURD])
def test_a_wait_that_cannot_be_read_or_is_for_ever_stops_nothing(clock: FixedClock, asked: str) -> None:
    assert retrying.asked_to_wait(429, {"retry-after": asked}, clock.now()) in (timedelta(0), 24 * HOUR)
    assert retrying.asked_to_wait(500, {"retry-after": "60"}, clock.now()) == timedelta(0)


def test_no_redirect_is_followed_not_even_to_the_metadata_service(
    work: Workspace, deed: Deed, registered: Registered, receiver: Receiver
) -> None:
    with receiving() as elsewhere, closing(flow.Deliverer(seconds=10)) as deliverer:
        for target in ("http://169.254.169.254/latest/meta-data/", elsewhere.url):
            endpoint, _ = registered()
            receiver.answering = lambda received, target=target: (307, {"location": target}, b"")
            deed()
            started = time.monotonic()
            deliverer.run_until_idle(work)
            attempts = flow.attempts_of(work, flow.page(work, endpoint.id).deliveries)
            [attempt] = next(iter(attempts.values()))
            assert attempt.status == 307
            assert "no redirect is followed" in attempt.error
            assert time.monotonic() - started < 5, "who followed to where nobody answers would have waited"
        assert elsewhere.received == []


def test_a_name_that_leads_to_the_metadata_service_later_is_not_called(
    work: Workspace, deed: Deed, registered: Registered
) -> None:
    for address in ("169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1"):
        endpoint, _ = registered()  # checked then, and again whenever it is connected to
        with work.database.writing() as connection:
            store.update_endpoint(connection, endpoint.id, url="http://hooks.example/x")
        deed()
        deliverer = flow.Deliverer(seconds=0.5, resolving=lambda host, port, found=address: [found])
        deliverer.run_until_idle(work)
        deliverer.close()
        log = flow.attempts_of(work, flow.page(work, endpoint.id).deliveries)
        [attempt] = next(iter(log.values()))
        assert attempt.status is None
        assert f"hooks.example lies at {address}" in attempt.error


def test_a_receiver_that_hangs_is_given_its_time_and_no_more(
    work: Workspace, deed: Deed, registered: Registered, receiver: Receiver
) -> None:
    endpoint, _ = registered()
    receiver.answering = hanging(5)
    deed()
    started = time.monotonic()
    with closing(flow.Deliverer(seconds=0.5)) as deliverer:
        deliverer.run_until_idle(work)
    assert 0.4 < time.monotonic() - started < 4
    delivery, [attempt] = only(work, endpoint.id)
    assert (delivery.state, attempt.status) == ("waiting", None)
    assert "did not answer within 0.5 s" in attempt.error


def test_those_that_hang_do_not_hold_up_one_that_answers(
    work: Workspace, deed: Deed, registered: Registered, receiver: Receiver
) -> None:
    let_go = threading.Event()

    def hang(received: Received) -> Answer:
        let_go.wait(20)
        return 200, {}, b""

    with receiving() as slow:
        slow.answering = hang
        for _ in range(12):
            registered(slow.url)
        registered(receiver.url)
        for _ in range(20):
            deed()
        deliverer = flow.Deliverer(seconds=30)
        give_up = time.monotonic() + 15
        while len(receiver.received) < 20 and time.monotonic() < give_up:
            deliverer.run(work)
            time.sleep(0.05)
        arrived, hung = len(set(receiver.ids)), len(slow.received)
        let_go.set()
        deliverer.close()
    assert arrived == 20
    assert 12 <= hung <= lanes.LANES_MAX, "all of them hung meanwhile, and none had been answered"


def waits(name: str, count: int, clock: FixedClock, failing: bool = False) -> Waiting:
    return Waiting(name, count, clock.now(), failing)


def test_each_endpoint_has_a_lane_before_any_has_two(clock: FixedClock) -> None:
    busy = [waits(f"busy {n:02}", 1_000, clock) for n in range(20)]
    chosen = lanes.to_start([*busy, waits("quiet", 1, clock)], {}, 0)
    assert len(chosen) == lanes.LANES_MAX
    assert "quiet" in [each.endpoint for each in chosen[:21]]
    assert lanes.to_start(busy, {"other": lanes.LANES_MAX}, 0) == []
    assert len(lanes.to_start([waits("busy", 1_000, clock)], {"busy": 1}, 0)) == lanes.LANES_OF_ONE_MAX - 1


def test_many_that_fail_leave_lanes_to_those_that_answer(clock: FixedClock) -> None:
    failing = [waits(f"a{n:02}", 1_000, clock, failing=True) for n in range(40)]
    chosen = lanes.to_start([*failing, waits("well", 5, clock)], {}, 0)
    assert chosen[0].endpoint == "well"
    assert len(chosen) == 1 + lanes.LANES_OF_FAILING_MAX
    assert lanes.to_start(failing, {"a00": 1}, lanes.LANES_OF_FAILING_MAX) == []


def test_an_enormous_answer_counts_and_is_cut(
    work: Workspace, deed: Deed, registered: Registered, receiver: Receiver, deliverer: flow.Deliverer
) -> None:
    endpoint, _ = registered()
    receiver.answering = lambda received: (200, {}, b"\x00\xff" + b"x" * 30_000_000)
    deed()
    deliverer.run_until_idle(work)
    delivery, [attempt] = only(work, endpoint.id)
    assert (delivery.state, attempt.status) == ("delivered", 200)
    assert len(attempt.answer) == 1_000
    assert "\x00" not in attempt.answer


def test_who_dies_between_sending_and_noting_sends_it_again_under_the_same_id(
    work: Workspace,
    clock: FixedClock,
    deed: Deed,
    registered: Registered,
    receiver: Receiver,
    deliverer: flow.Deliverer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    endpoint, _ = registered()
    deed()

    def die(*arguments: object) -> bool:
        raise MemoryError

    dying = flow.Deliverer(seconds=5)
    monkeypatch.setattr(dying, "_note", die)
    dying.run_until_idle(work)
    dying.close()
    assert len(receiver.received) == 1
    deliverer.run_until_idle(work)
    assert len(receiver.received) == 1  # the lease of the dead one still holds
    clock.advance(LEASE)
    deliverer.run_until_idle(work)
    delivery, attempts = only(work, endpoint.id)
    assert receiver.ids == [delivery.event] * 2
    assert receiver.received[0].body == receiver.received[1].body
    assert (delivery.state, delivery.attempts, [each.number for each in attempts]) == ("delivered", 2, [2])


def test_who_comes_back_after_losing_its_lease_changes_nothing_but_a_success(
    work: Workspace,
    clock: FixedClock,
    deed: Deed,
    registered: Registered,
    receiver: Receiver,
    deliverer: flow.Deliverer,
) -> None:
    endpoint, _ = registered()
    deed()
    flow.take_in(work)

    def slow(received: Received) -> Answer:
        receiver.answering = in_turn()
        clock.advance(LEASE)
        assert deliverer.send(work, endpoint.id) is True  # another worker, meanwhile
        return 500, {}, b""

    receiver.answering = slow
    late = flow.Deliverer(seconds=2)
    assert late.send(work, endpoint.id) is False
    late.close()
    delivery, attempts = only(work, endpoint.id)
    assert delivery.state == "delivered"
    assert [(each.number, each.status) for each in attempts] == [(1, 500), (2, 200)]


def test_two_workers_send_each_event_once(
    work: Workspace, deed: Deed, registered: Registered, receiver: Receiver
) -> None:
    for _ in range(3):
        registered()
    for _ in range(15):
        deed()
    workers = [flow.Deliverer() for _ in range(2)]
    threads = [threading.Thread(target=each.run_until_idle, args=(work,)) for each in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in workers:
        each.close()
    assert len(receiver.received) == 45
    assert sorted(receiver.ids) == sorted(3 * list(set(receiver.ids)))
    assert len(set(receiver.ids)) == 15
    assert {each.attempts for each in flow.page(work).deliveries} == {1}


def test_nobody_there_is_a_failure_like_others(
    work: Workspace, deed: Deed, registered: Registered, deliverer: flow.Deliverer
) -> None:
    with receiving() as gone:
        endpoint, _ = registered(gone.url)
    deed()
    deliverer.run_until_idle(work)
    delivery, [attempt] = only(work, endpoint.id)
    assert (delivery.state, attempt.status) == ("waiting", None)
    assert "cannot be reached" in attempt.error
