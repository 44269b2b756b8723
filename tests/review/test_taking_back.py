"""What was said on the card is taken back: kept and marked, counted no more, its case closed if nobody took it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from pilotage.decisions.records import Decision
from pilotage.govern.records import Principal
from pilotage.govern.rules.entries import entry_of
from pilotage.govern.store import audit_log
from pilotage.monitor import flow as monitoring
from pilotage.monitor import store as readings
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import Conflict, NotAllowed, NotFound, PilotageError
from pilotage.platform.workspace import Workspace
from pilotage.review import flow, store
from pilotage.review.records import Case, Feedback
from pilotage.usecase import flow as defining
from tests.review.arranging import NAME, recorded, reviewer

pytestmark = pytest.mark.both_stores
MARIA = Principal(id="card:maria", name="maria", kind="card")
BEN = Principal(id="card:ben", name="ben", kind="card")


def give(work: Workspace, decision: Decision, kind: str, person: Principal = MARIA) -> Feedback:
    return flow.give_feedback(work, decision, kind, "because", person, work.clock.now())


def case_about(work: Workspace, decision: Decision) -> Case:
    with work.database.reading() as connection:
        found = store.case_of_decision(connection, decision.id)
    assert found is not None
    return found


def deeds(work: Workspace) -> list[str]:
    with work.database.reading() as connection:
        read = [entry_of(bytes(row.content)) for row in audit_log.in_order(connection)]
    return [entry.action for entry in read if entry.action.startswith("decision.")]


@pytest.mark.parametrize("kind", ["useful", "wrong", "override", "escalate", "accept"])
def test_what_was_taken_back_is_kept_marked_and_counted_no_more(live: Workspace, kind: str) -> None:
    decision = recorded(live)
    given = give(live, decision, kind)
    taken = flow.take_back(live, decision, given.id, MARIA)

    assert flow.feedback_on(live, decision.id) == [taken]
    assert (taken.undone_at, taken.kind, taken.reason) == (live.clock.now(), kind, "because")
    with live.database.reading() as connection:
        assert readings.feedback_counts(connection, NAME) == {}
        assert readings.override_reasons(connection, NAME) == {}
    assert deeds(live)[-1] == "decision.taken_back"


def test_it_can_be_taken_back_within_the_seconds_of_the_file_only(live: Workspace, clock: FixedClock) -> None:
    decision = recorded(live)
    first, second = give(live, decision, "useful"), give(live, decision, "wrong")
    clock.advance(timedelta(seconds=60))
    flow.take_back(live, decision, first.id, MARIA)
    clock.advance(timedelta(seconds=1))

    with pytest.raises(Conflict, match="for 60 seconds only"):
        flow.take_back(live, decision, second.id, MARIA)


def test_nobody_takes_back_what_another_said_or_what_was_said_of_another_decision(live: Workspace) -> None:
    decision, other = recorded(live), recorded(live, entity="UA2")
    given = give(live, decision, "wrong")

    with pytest.raises(NotAllowed):
        flow.take_back(live, decision, given.id, BEN)
    for wrong, name in ((other, given.id), (decision, "fbk_nothing")):
        with pytest.raises(NotFound):
            flow.take_back(live, wrong, name, MARIA)
    assert flow.feedback_on(live, decision.id) == [given]


def test_that_somebody_saw_it_cannot_be_taken_back(live: Workspace) -> None:
    decision = recorded(live)
    given = give(live, decision, "shown")

    with pytest.raises(NotFound):
        flow.take_back(live, decision, given.id, MARIA)


def test_a_case_that_nobody_took_is_closed_with_its_escalation_and_opens_when_somebody_asks_again(
    live: Workspace,
) -> None:
    decision = recorded(live)
    given = give(live, decision, "escalate")
    flow.take_back(live, decision, given.id, MARIA)

    assert case_about(live, decision).state == "withdrawn"
    assert flow.queue(live, NAME) == []
    assert (flow.counts(live, NAME).open, flow.counts(live, NAME).closed) == (0, 0)
    assert flow.lease_next(live, NAME, reviewer("anna")) is None
    with pytest.raises(Conflict, match="has taken that back"):
        flow.lease(live, case_about(live, decision).id, reviewer("anna"))
    assert [event.kind for event in flow.history(live, case_about(live, decision).id)] == ["opened", "withdrawn"]

    give(live, decision, "escalate", BEN)
    assert [each.decision for each in flow.queue(live, NAME)] == [decision.id]


def test_a_case_that_somebody_has_taken_stays_theirs(live: Workspace) -> None:
    decision = recorded(live)
    given = give(live, decision, "escalate")
    held = flow.lease_next(live, NAME, reviewer("anna"))
    assert held is not None
    flow.take_back(live, decision, given.id, MARIA)

    assert case_about(live, decision).state == "leased"
    flow.submit(live, held.id, held.fence, "approved", None, "", reviewer("anna"))
    assert case_about(live, decision).state == "approved"


def test_who_took_their_escalation_back_still_may_not_decide_the_case(live: Workspace) -> None:
    decision = recorded(live)
    given = give(live, decision, "escalate")
    give(live, decision, "escalate", BEN)
    flow.take_back(live, decision, given.id, MARIA)
    held = flow.lease_next(live, NAME, reviewer("maria"))

    if held is not None:
        with pytest.raises(NotAllowed):
            flow.submit(live, held.id, held.fence, "approved", None, "", reviewer("maria"))
    assert case_about(live, decision).state in {"open", "leased"}


def test_a_case_that_another_asked_for_too_or_that_policy_wants_stays(live: Workspace) -> None:
    asked_by_two, uncertain = recorded(live), recorded(live, entity="UA2", review=True, band="uncertain")
    given = give(live, asked_by_two, "escalate")
    give(live, asked_by_two, "escalate", BEN)
    flow.take_back(live, asked_by_two, given.id, MARIA)
    given = give(live, uncertain, "escalate")
    flow.take_back(live, uncertain, given.id, MARIA)

    assert {case_about(live, each).state for each in (asked_by_two, uncertain)} == {"open"}


def test_of_many_who_press_at_once_one_takes_it_back(live: Workspace) -> None:
    decision = recorded(live)
    given = give(live, decision, "escalate")

    def press(_: int) -> str:
        try:
            flow.take_back(live, decision, given.id, MARIA)
        except PilotageError as error:
            return type(error).__name__
        return "taken back"

    with ThreadPoolExecutor(4) as pool:
        came = list(pool.map(press, range(8)))

    assert sorted(came) == ["Conflict"] * 7 + ["taken back"]
    assert deeds(live).count("decision.taken_back") == 1


def test_the_life_of_the_decision_says_that_it_was_taken_back(live: Workspace) -> None:
    decision = recorded(live)
    given = give(live, decision, "escalate")
    flow.take_back(live, decision, given.id, MARIA)
    steps, _ = monitoring.life_of(live, defining.find(live, NAME), decision, reviewer("anna"))
    told = [step.text for step in steps]

    assert "maria escalated it: “because”. They took it back." in told
    assert "It was closed: whoever asked for it took that back." in told
