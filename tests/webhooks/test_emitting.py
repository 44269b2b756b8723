"""What happened becomes an event exactly once, and only for those who are to be told."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM
from pilotage.govern.store import audit_log
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import Conflict, InvalidRequest, NotFound
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.webhooks import flow, store
from pilotage.webhooks.flow import endpoints, looking
from pilotage.webhooks.records import EventType, Told
from tests.webhooks.conftest import Deed, Registered
from tests.webhooks.receiving import Receiver

pytestmark = pytest.mark.both_stores


def events(work: Workspace) -> list[sa.Row[tuple[object, ...]]]:
    with work.database.reading() as connection:
        return list(connection.execute(sa.select(store.events).order_by(store.events.c.entry)))


def test_a_deed_that_was_taken_back_tells_nobody(
    work: Workspace, registered: Registered, receiver: Receiver, deliverer: flow.Deliverer
) -> None:
    registered()
    with pytest.raises(RuntimeError), work.database.writing() as connection:
        governing.record(connection, work, SYSTEM, "stage.changed", "late_arrival", {})
        told = Told(EventType.FEEDBACK_GIVEN, "late_arrival", "fbk_1", work.clock.now(), {})
        flow.emit(connection, work, [told])
        raise RuntimeError
    deliverer.run_until_idle(work)
    assert (events(work), receiver.received) == ([], [])


def test_each_deed_becomes_one_event_whoever_looks(work: Workspace, deed: Deed, registered: Registered) -> None:
    registered()
    numbers = [deed() for _ in range(30)]
    threads = [threading.Thread(target=flow.take_in, args=(work,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [row.entry for row in events(work)] == numbers


def test_what_happened_before_the_registration_is_not_sent_and_what_happens_while_nobody_serves_is(
    work: Workspace, deed: Deed, registered: Registered, receiver: Receiver, deliverer: flow.Deliverer
) -> None:
    deed("before")
    registered()
    deed("after")
    deliverer.run_until_idle(work)
    assert [json.loads(each.body)["subject"] for each in receiver.received] == ["after"]


def test_the_outbox_survives_a_restart(
    work: Workspace, deed: Deed, registered: Registered, receiver: Receiver, deliverer: flow.Deliverer
) -> None:
    registered()
    deed()
    assert flow.take_in(work) == 1
    again = open_workspace(work.settings, work.clock)
    deliverer.run_until_idle(again)
    again.close()
    assert len(receiver.received) == 1


def test_a_long_log_of_other_deeds_is_passed_over(work: Workspace, deed: Deed, registered: Registered) -> None:
    registered()
    with work.database.writing() as connection:
        for _ in range(2_100):
            governing.record(connection, work, SYSTEM, "log-in", "anna", {})
    last = deed()
    for _ in range(4):
        flow.take_in(work)
    assert [row.entry for row in events(work)] == [last]


def test_an_entry_that_somebody_changed_stops_nothing(work: Workspace, deed: Deed, registered: Registered) -> None:
    registered()
    broken, sound = deed(), deed()
    with work.database.writing() as connection:
        changed = audit_log.entries.update().where(audit_log.entries.c.number == broken)
        connection.execute(changed.values(content=b"changed"))
    flow.take_in(work)
    assert [row.entry for row in events(work)] == [sound]


@pytest.mark.parametrize(
    ("action", "detail", "kind", "subject"),
    [
        ("version.released", {"version": [None, "ver_2"]}, "pilotage.version.released", "ver_2"),
        ("version.rolled_back", {"version": ["ver_2", "ver_1"]}, "pilotage.version.rolled_back", "ver_1"),
        ("version.made", {"version": "ver_3", "number": 3}, "pilotage.version.made", "ver_3"),
        ("switch.disabled", {"enabled": [True, False]}, "pilotage.switch.disabled", "late_arrival"),
        ("switch.enabled", {"enabled": [False, True]}, "pilotage.switch.enabled", "late_arrival"),
        ("use_case.adopted", {}, "pilotage.use_case.adopted", "late_arrival"),
    ],
)
def test_the_subject_is_the_id_of_what_it_is_about(
    work: Workspace, deed: Deed, registered: Registered, action: str, detail: dict[str, object], kind: str, subject: str
) -> None:
    registered()
    deed(action=action, **detail)
    flow.take_in(work)
    [row] = events(work)
    assert (row.type, row.subject, row.use_case) == (kind, subject, "late_arrival")


def test_a_verdict_tells_case_and_decision_and_neither_person_nor_words(
    work: Workspace, registered: Registered
) -> None:
    registered()
    detail = {"use_case": "late_arrival", "decision": "dec_1", "entity": "canary", "answer": True, "reason": "canary"}
    with work.database.writing() as connection:
        governing.record(connection, work, SYSTEM, "case.corrected", "case_1", detail)
    flow.take_in(work)
    [row] = events(work)
    body = json.loads(row.body)
    assert body["subject"] == "case_1"
    assert body["data"] == {
        "use_case": "late_arrival",
        "decision": "dec_1",
        "verdict": "corrected",
        "audit_entry": body["data"]["audit_entry"],
    }


def test_each_is_told_its_types_and_its_use_case_and_frequent_ones_only_by_name(
    work: Workspace, deed: Deed, registered: Registered
) -> None:
    every, _ = registered()
    frequent, _ = registered(types=("pilotage.decision.answered",))
    other, _ = registered(use_case="other")
    deed()
    flow.take_in(work)
    answered = Told(EventType.DECISION_ANSWERED, "late_arrival", "dec_1", work.clock.now(), {})
    with work.database.writing() as connection:
        assert flow.emit(connection, work, [answered]) == 1
    assert [each.type for each in flow.page(work, every.id).deliveries] == ["pilotage.stage.changed"]
    assert [each.type for each in flow.page(work, frequent.id).deliveries] == ["pilotage.decision.answered"]
    assert flow.page(work, other.id).deliveries == ()


def test_a_frequent_event_that_nobody_wants_is_not_kept(work: Workspace, registered: Registered) -> None:
    registered()
    answered = Told(EventType.DECISION_ANSWERED, "late_arrival", "dec_1", work.clock.now(), {})
    with work.database.writing() as connection:
        assert flow.emit(connection, work, [answered]) == 0
    assert events(work) == []


def test_one_event_is_sent_again_under_its_id(
    work: Workspace, deed: Deed, registered: Registered, receiver: Receiver, deliverer: flow.Deliverer
) -> None:
    endpoint, _ = registered()
    other, _ = registered(types=("pilotage.version.made",))
    deed()
    deliverer.run_until_idle(work)
    event = receiver.received[0].id
    with pytest.raises(NotFound, match="no event"):
        flow.replay(work, SYSTEM, other.id, event)  # it does not want this type
    flow.replay(work, SYSTEM, endpoint.id, event)
    with pytest.raises(Conflict, match="still on its way"):
        flow.replay(work, SYSTEM, endpoint.id, event)
    deliverer.run_until_idle(work)
    assert receiver.ids == [event, event]
    assert receiver.received[0].body == receiver.received[1].body
    assert sorted(each.replay for each in flow.page(work).deliveries) == [False, True]


def test_a_replay_since_an_instant_sends_what_is_wanted_and_not_on_its_way(
    work: Workspace,
    clock: FixedClock,
    deed: Deed,
    registered: Registered,
    receiver: Receiver,
    deliverer: flow.Deliverer,
) -> None:
    first, _ = registered()
    deed("old")
    flow.take_in(work)
    clock.advance(timedelta(hours=1))
    since = clock.now()
    deed("new")
    deed("other", action="switch.disabled")
    deliverer.run_until_idle(work)
    late, _ = registered(types=("pilotage.stage.changed",))
    deed("waiting")
    flow.take_in(work)
    receiver.received.clear()
    assert flow.replay_since(work, SYSTEM, late.id, since) == 1
    deliverer.run_until_idle(work)
    got = [json.loads(each.body)["subject"] for each in receiver.received]
    assert sorted(got) == ["new", "waiting", "waiting"]  # one of them for the first endpoint
    [entry] = governing.entries(work, "webhook.replayed")
    assert entry.detail["events"] == 1
    with pytest.raises(NotFound):
        flow.replay(work, SYSTEM, first.id, "evt_none")


def test_a_test_event_goes_to_its_endpoint_alone_whatever_is_sent_again(
    work: Workspace, registered: Registered, receiver: Receiver, deliverer: flow.Deliverer
) -> None:
    endpoint, _ = registered()
    other, _ = registered(types=("*",))
    since = work.clock.now()
    tried = flow.send_test(work, SYSTEM, endpoint.id)
    deliverer.run_until_idle(work)
    assert flow.replay_since(work, SYSTEM, other.id, since) == 0
    with pytest.raises(NotFound):
        flow.replay(work, SYSTEM, other.id, tried.event)
    flow.replay(work, SYSTEM, endpoint.id, tried.event)
    deliverer.run_until_idle(work)
    assert receiver.ids == [tried.event] * 2


def test_a_disabled_endpoint_gets_nothing_and_when_enabled_what_waited(
    work: Workspace, deed: Deed, registered: Registered, receiver: Receiver, deliverer: flow.Deliverer
) -> None:
    endpoint, _ = registered()
    deed("waited")
    flow.take_in(work)
    flow.disable(work, SYSTEM, endpoint.id)
    deed("meanwhile")
    deliverer.run_until_idle(work)
    assert receiver.received == []
    with pytest.raises(Conflict, match="disabled"):
        flow.send_test(work, SYSTEM, endpoint.id)
    with pytest.raises(Conflict, match="disabled"):
        flow.replay_since(work, SYSTEM, endpoint.id, work.clock.now())
    flow.enable(work, SYSTEM, endpoint.id)
    deliverer.run_until_idle(work)
    assert [json.loads(each.body)["subject"] for each in receiver.received] == ["waited"]


def test_old_events_are_forgotten_with_their_log_and_what_waits_stays(
    work: Workspace,
    clock: FixedClock,
    deed: Deed,
    registered: Registered,
    receiver: Receiver,
    deliverer: flow.Deliverer,
) -> None:
    endpoint, _ = registered()
    deed("sent")
    deliverer.run_until_idle(work)
    deed("waits")
    flow.take_in(work)
    clock.advance(timedelta(days=31))
    assert flow.forget_old(work) == 1
    assert [each.subject for each in flow.page(work).deliveries] == ["waits"]
    flow.disable(work, SYSTEM, endpoint.id)
    assert flow.forget_old(work) == 1
    assert flow.page(work).deliveries == ()


def test_many_old_events_are_forgotten_in_short_transactions(
    work: Workspace, clock: FixedClock, deed: Deed, registered: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "_FORGOTTEN_AT_ONCE", 3)
    endpoint, _ = registered()
    for number in range(8):
        deed(f"old {number}")
    flow.take_in(work)
    flow.disable(work, SYSTEM, endpoint.id)
    clock.advance(timedelta(days=31))
    removed, real = [], store.forget
    monkeypatch.setattr(store, "forget", lambda *asked: removed.append(real(*asked)) or removed[-1])
    assert flow.forget_old(work) == sum(removed) >= 8
    assert max(removed) == 3
    assert flow.page(work).deliveries == ()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "plain text of 1 to"),
        ("https://" + "a" * 1000, "plain text of 1 to"),
        ("https://hööks.example/", "plain text"),
        ("https://hooks.example/a b", "plain text"),
        ("https://a..b/", "names no host"),
        ("https:///path", "names no host"),
        ("https://[::1", "names no host"),
        ("ftp://hooks.example/", "no address that can be called"),
        ("https://anna:canary-word@hooks.example/", "holds a user or password"),
        ("http://8.8.8.8/", "without encryption"),
        ("https://10.0.0.7/", "not in the open internet"),
        ("https://169.254.169.254/latest", "not in the open internet"),
        ("https://[64:ff9b::a9fe:a9fe]/", "not in the open internet"),
        ("https://127.0.0.2/", "not in the open internet"),
    ],
)
def test_an_address_that_may_not_be_called_is_refused_at_once(work: Workspace, url: str, says: str) -> None:
    with pytest.raises(Exception, match=says) as refusal:
        flow.register(work, SYSTEM, url)
    assert "canary" not in str(refusal.value)
    assert flow.all_endpoints(work) == []


def test_what_does_not_exist_cannot_be_wanted(work: Workspace, receiver: Receiver) -> None:
    with pytest.raises(InvalidRequest, match=r"no event of type 'pilotage.nothing'"):
        flow.register(work, SYSTEM, receiver.url, ("pilotage.nothing",))
    with pytest.raises(InvalidRequest, match="at most 200 letters"):
        flow.register(work, SYSTEM, receiver.url, description="x" * 201)
    with pytest.raises(InvalidRequest, match="0 to 168 hours"):
        flow.rotate(work, SYSTEM, "whk_x", hours=float("nan"))
    with pytest.raises(NotFound):
        flow.rotate(work, SYSTEM, "whk_x")


def test_there_are_not_more_than_can_be_told(
    work: Workspace, registered: Registered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoints, "ENDPOINTS_MAX", 2)
    registered()
    first, _ = registered()
    with pytest.raises(Conflict, match="2 endpoints already"):
        registered()
    flow.disable(work, SYSTEM, first.id)
    registered()


def test_secrets_are_nowhere_in_database_files_and_logs(
    work: Workspace,
    tmp_path: Path,
    deed: Deed,
    registered: Registered,
    receiver: Receiver,
    deliverer: flow.Deliverer,
    capfd: pytest.CaptureFixture[str],
) -> None:
    from pilotage.platform.logs import configure

    configure("DEBUG")
    endpoint, secret = registered()
    newer = flow.rotate(work, SYSTEM, endpoint.id)
    receiver.answering = lambda received: (500, {}, f"your secret is {newer}, {secret}".encode())
    deed()
    deliverer.run_until_idle(work)
    said = capfd.readouterr()
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    [attempt] = next(iter(flow.attempts_of(work, flow.page(work).deliveries).values()))
    assert "your secret is █████" in attempt.answer
    for each in (secret, newer):
        word = each.removeprefix("whsec_")
        assert word not in said.out + said.err
        assert word.encode() not in kept
