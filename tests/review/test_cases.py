"""Cases: who gets them, when, and which verdict counts."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from pilotage.decisions.records import Decision
from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, AuditEntry
from pilotage.govern.rules.entries import entry_of
from pilotage.govern.store import audit_log
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.review import flow, opinions_store, store
from pilotage.review.records import Case
from pilotage.webhooks import flow as webhooks
from tests.postgres import NoPostgres, scratch_cluster
from tests.review.arranging import NAME, a_decision, adopt, go_live, record, recorded, reviewer

pytestmark = pytest.mark.both_stores
ANNA, BEN = reviewer("anna"), reviewer("ben")


def uncertain(work: Workspace, **changes: object) -> Decision:
    return recorded(work, review=True, band="uncertain", probability=0.26, **changes)


def opened(work: Workspace) -> Case:
    return flow.open_case(work, uncertain(work), "uncertain", "")


def test_an_uncertain_decision_of_the_ledger_waits_in_the_queue_due_after_the_deadline(live: Workspace) -> None:
    decision = uncertain(live)

    (case,) = flow.queue(live, NAME)

    assert (case.decision, case.why, case.state) == (decision.id, "uncertain", "open")
    assert case.due_at == decision.decided_at + timedelta(hours=1)


@pytest.mark.parametrize(
    "changes",
    [{"review": False}, {"stage": "shadow"}, {"produced_by": "rule", "reason": "too_slow"}],
    ids=["certain", "shadow", "rule"],
)
def test_what_nobody_needs_to_look_at_opens_no_case(live: Workspace, changes: dict[str, object]) -> None:
    recorded(live, **{"review": True, **changes})

    assert flow.queue(live, NAME) == []


def test_a_decision_that_reaches_the_ledger_late_is_still_taken_in_and_none_twice(
    live: Workspace, clock: FixedClock
) -> None:
    late = a_decision(clock.now() - timedelta(minutes=20), review=True)
    uncertain(live)
    assert flow.take_in(live) == 1

    record(live, late)

    assert flow.take_in(live) == 1
    assert flow.take_in(live) == 0


def test_a_decision_drained_days_later_still_reaches_the_queue(live: Workspace, clock: FixedClock) -> None:
    uncertain(live)
    assert flow.take_in(live) == 1
    late = a_decision(clock.now() - timedelta(days=3), review=True)
    record(live, late)

    assert flow.take_in(live) == 1
    assert flow.queue(live, NAME)[0].decision == late.id


def test_more_decisions_than_one_page_are_all_taken_in(live: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pilotage.review.flow.intake._ENTRIES_AT_ONCE", 3)
    for _ in range(7):
        uncertain(live)

    assert flow.take_in(live) == 7
    assert flow.take_in(live) == 0


def test_the_queue_begins_with_the_case_that_is_due_first(live: Workspace, clock: FixedClock) -> None:
    first = opened(live)
    clock.advance(timedelta(minutes=3))
    second = opened(live)

    assert [case.id for case in flow.queue(live, NAME)] == [first.id, second.id]
    assert flow.lease_next(live, NAME, ANNA).id == first.id  # type: ignore[union-attr]
    assert flow.lease_next(live, NAME, BEN).id == second.id  # type: ignore[union-attr]
    assert flow.lease_next(live, NAME, reviewer("cleo")) is None


def test_opening_a_case_again_gives_the_same_case(live: Workspace) -> None:
    decision = uncertain(live)

    assert flow.open_case(live, decision, "uncertain", "") == flow.open_case(live, decision, "escalated", "again")


def test_two_people_never_hold_one_case_until_the_lease_ends(live: Workspace, clock: FixedClock) -> None:
    case = opened(live)
    flow.lease(live, case.id, ANNA)
    with pytest.raises(Conflict, match="anna is working on case"):
        flow.lease(live, case.id, BEN)

    clock.advance(timedelta(minutes=5))

    assert flow.lease(live, case.id, BEN).fence == 2


def test_a_lease_that_is_renewed_lives_on(live: Workspace, clock: FixedClock) -> None:
    held = flow.lease(live, opened(live).id, ANNA)
    clock.advance(timedelta(minutes=4))
    flow.renew_lease(live, held.id, held.fence, ANNA)
    clock.advance(timedelta(minutes=4))

    assert flow.submit(live, held.id, held.fence, "approved", None, "", ANNA).state == "approved"


def test_a_lease_that_is_over_cannot_be_renewed(live: Workspace, clock: FixedClock) -> None:
    held = flow.lease(live, opened(live).id, ANNA)
    clock.advance(timedelta(minutes=6))

    with pytest.raises(Conflict, match=r"Your time on case .* ended at 20:05 UTC"):
        flow.renew_lease(live, held.id, held.fence, ANNA)


def test_a_case_given_back_is_free_for_others_at_once(live: Workspace) -> None:
    held = flow.lease(live, opened(live).id, ANNA)
    flow.release_lease(live, held.id, held.fence, ANNA)

    assert flow.lease(live, held.id, BEN).leased_to == "ben"
    with pytest.raises(Conflict, match="ben has taken case"):
        flow.submit(live, held.id, held.fence, "approved", None, "", ANNA)


def test_a_verdict_after_the_lease_ended_is_refused_and_changes_nothing(live: Workspace, clock: FixedClock) -> None:
    held = flow.lease(live, opened(live).id, ANNA)
    clock.advance(timedelta(minutes=5, seconds=1))

    with pytest.raises(Conflict, match="this verdict was not counted"):
        flow.submit(live, held.id, held.fence, "approved", None, "", ANNA)

    assert flow.find_case(live, held.id).verdict_at is None


def test_the_same_person_in_a_second_window_shuts_out_the_first(live: Workspace) -> None:
    first = flow.lease(live, opened(live).id, ANNA)
    second = flow.lease(live, first.id, ANNA)

    with pytest.raises(Conflict):
        flow.submit(live, first.id, first.fence, "approved", None, "", ANNA)
    assert flow.submit(live, first.id, second.fence, "approved", None, "", ANNA).verdict_answer is True


def test_a_case_is_never_decided_by_time(live: Workspace, clock: FixedClock) -> None:
    held = flow.lease(live, opened(live).id, ANNA)
    clock.advance(timedelta(days=400))

    (case,) = flow.queue(live, NAME)

    assert (case.verdict_at, case.verdict_by, case.verdict_answer) == (None, "", None)
    assert flow.counts(live, NAME).overdue == 1
    assert flow.lease(live, held.id, BEN).state == "leased"


def test_a_correction_carries_the_other_answer_and_its_reason_into_the_audit_log(live: Workspace) -> None:
    held = flow.lease(live, opened(live).id, ANNA)

    done = flow.submit(live, held.id, held.fence, "corrected", False, "Data looks wrong", ANNA)

    assert (done.state, done.verdict_answer, done.verdict_reason) == ("corrected", False, "Data looks wrong")
    (entry,) = list(_entries(live, "case.corrected"))
    assert "anna" in entry.actor and entry.subject == held.id
    assert entry.detail["given"] is True and entry.detail["answer"] is False
    assert governing.verify(live).valid


def test_a_case_that_cannot_be_decided_has_no_answer(live: Workspace) -> None:
    held = flow.lease(live, opened(live).id, ANNA)

    assert flow.submit(live, held.id, held.fence, "rejected", None, "Flight was cancelled", ANNA).verdict_answer is None


@pytest.mark.parametrize(
    ("verdict", "positive", "reason", "where"),
    [
        ("corrected", None, "x", "answer"),
        ("corrected", True, "x", "answer"),
        ("corrected", False, " ", "reason"),
        ("rejected", None, "", "reason"),
        ("expired", None, "", "verdict"),
        ("approved", None, "x" * 2001, "reason"),
    ],
)
def test_an_incomplete_verdict_says_what_it_lacks(
    live: Workspace, verdict: str, positive: bool | None, reason: str, where: str
) -> None:
    held = flow.lease(live, opened(live).id, ANNA)

    with pytest.raises(InvalidRequest) as refused:
        flow.submit(live, held.id, held.fence, verdict, positive, reason, ANNA)  # type: ignore[arg-type]

    assert where in {problem.where for problem in refused.value.problems}
    assert flow.find_case(live, held.id).state == "leased"


def test_whoever_escalated_a_case_can_neither_take_nor_decide_it(live: Workspace) -> None:
    decision = recorded(live)
    flow.give_feedback(live, decision, "escalate", "I doubt this", ANNA, live.clock.now())
    (case,) = flow.queue(live, NAME)
    assert (case.why, case.note) == ("escalated", "I doubt this")

    with pytest.raises(NotAllowed, match="anna escalated this case"):
        flow.lease(live, case.id, ANNA)
    assert flow.lease_next(live, NAME, ANNA) is None
    held = flow.lease(live, case.id, BEN)
    with pytest.raises(NotAllowed):
        flow.submit(live, case.id, held.fence, "approved", None, "", ANNA)


@pytest.mark.parametrize("named", [" Anna ", "USR_anna", "\u0430nna"])
def test_who_escalated_is_told_by_whichever_way_an_app_writes_their_name(live: Workspace, named: str) -> None:
    decision = recorded(live)
    flow.give_feedback(live, decision, "escalate", "I doubt this", reviewer(named), live.clock.now())
    (case,) = flow.queue(live, NAME)

    with pytest.raises(NotAllowed, match="anna escalated this case"):
        flow.lease(live, case.id, ANNA)
    assert flow.lease(live, case.id, reviewer("annabel")).leased_to == "annabel"


def test_escalating_while_holding_the_case_ends_the_right_to_decide_it(live: Workspace) -> None:
    decision = uncertain(live)
    held = flow.lease(live, flow.open_case(live, decision, "uncertain", "").id, ANNA)
    flow.give_feedback(live, decision, "escalate", "for a colleague", ANNA, live.clock.now())

    with pytest.raises(NotAllowed):
        flow.submit(live, held.id, held.fence, "approved", None, "", ANNA)


def test_a_case_that_does_not_exist_is_not_found(live: Workspace) -> None:
    with pytest.raises(NotFound):
        flow.lease(live, "case_nowhere", ANNA)


def test_of_eight_people_who_take_a_case_at_once_one_gets_it(live: Workspace) -> None:
    case = opened(live)
    people = [reviewer(f"r{number}") for number in range(8)]

    with ThreadPoolExecutor(8) as pool:
        held = [each for each in pool.map(lambda person: _try_lease(live, case.id, person), people) if each]

    assert len(held) == 1
    assert flow.find_case(live, case.id).fence == 1


def test_eight_threads_racing_for_fifty_cases_leave_one_verdict_each(live: Workspace) -> None:
    cases = [opened(live) for _ in range(50)]
    held = {case.id: flow.lease(live, case.id, ANNA) for case in cases}

    def race(number: int) -> int:
        order = cases[number:] + cases[:number]
        return sum(_try_submit(live, held[case.id], number) for case in order)

    with ThreadPoolExecutor(8) as pool:
        won = sum(pool.map(race, range(0, 48, 6)))

    assert won == 50  # of 400 attempts
    with live.database.reading() as connection:
        verdicts = sa.select(store.events.c.case, sa.func.count()).where(store.events.c.kind == "verdict")
        counted = dict(tuple(row) for row in connection.execute(verdicts.group_by(store.events.c.case)))
    assert set(counted.values()) == {1} and len(counted) == 50
    assert sum(1 for _ in _entries(live, "case.approved")) + sum(1 for _ in _entries(live, "case.corrected")) == 50


def test_the_database_refuses_a_second_verdict_whatever_the_code_does(live: Workspace) -> None:
    case = opened(live)
    held = flow.lease(live, case.id, ANNA)
    flow.submit(live, case.id, held.fence, "approved", None, "", ANNA)
    (verdict,) = flow.opinions_on(live, case.id)

    with pytest.raises(sa.exc.IntegrityError), live.database.writing() as connection:
        opinions_store.insert_opinion(connection, verdict)


def _try_lease(work: Workspace, case_id: str, person: object) -> Case | None:
    try:
        return flow.lease(work, case_id, person)  # type: ignore[arg-type]
    except Conflict:
        return None


def _try_submit(work: Workspace, held: Case, number: int) -> bool:
    verdict, positive = ("approved", None) if number % 12 else ("corrected", False)
    try:
        flow.submit(work, held.id, held.fence, verdict, positive, "race", ANNA)  # type: ignore[arg-type]
    except Conflict:
        return False
    return True


def _entries(work: Workspace, action: str) -> Iterator[AuditEntry]:
    with work.database.reading() as connection:
        read = [entry_of(bytes(row.content)) for row in audit_log.in_order(connection)]
    yield from (entry for entry in read if entry.action == action)


@pytest.fixture
def on_postgresql(tmp_path: Path, clock: FixedClock) -> Iterator[Workspace]:
    """The same installation as ``live``, with its control database in PostgreSQL."""
    try:
        with scratch_cluster() as address:
            work = open_workspace(Settings(home=tmp_path / "home", database_url=address), clock)
            adopt(work)
            go_live(work)
            yield work
            work.close()
    except NoPostgres as reason:
        pytest.skip(str(reason))


@pytest.mark.postgres
def test_on_postgresql_too_one_lease_and_one_verdict_come_out_of_a_race(on_postgresql: Workspace) -> None:
    work = on_postgresql
    people = [reviewer(f"r{number}") for number in range(8)]
    held: list[Case] = []
    with ThreadPoolExecutor(8) as pool:
        for case in [opened(work) for _ in range(10)]:
            leases = list(pool.map(_try_lease, [work] * 8, [case.id] * 8, people))
            held += [lease for lease in leases if lease]
        assert len(held) == 10
        won = sum(pool.map(_try_submit_as_holder, [work] * 80, held * 8))

    assert won == 10  # of 80 attempts
    assert flow.counts(work, NAME).closed == 10


@pytest.mark.postgres
def test_on_postgresql_too_an_escalation_opens_a_case_for_others(on_postgresql: Workspace) -> None:
    work = on_postgresql
    decision = recorded(work)
    for _ in range(2):
        flow.give_feedback(work, decision, "escalate", "please look", ANNA, work.clock.now())

    assert [case.why for case in flow.queue(work, NAME)] == ["escalated"]
    assert flow.lease_next(work, NAME, ANNA) is None
    assert flow.take_in(work) == 0


def _try_submit_as_holder(work: Workspace, held: Case) -> bool:
    try:
        flow.submit(work, held.id, held.fence, "approved", None, "", reviewer(held.leased_to))
    except Conflict:
        return False
    return True


def test_a_webhook_tells_that_a_case_was_taken(live: Workspace) -> None:
    webhooks.register(live, SYSTEM, "https://8.8.8.8/pilotage")
    recorded(live, review=True)

    case = flow.lease_next(live, NAME, ANNA)

    assert case is not None
    [sent] = webhooks.page(live).deliveries
    assert (sent.type, sent.subject) == ("pilotage.case.assigned", case.id)
