"""Which decisions become cases, for whom, and in which order."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pilotage.govern.records import SYSTEM
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import NotAllowed, PilotageError
from pilotage.platform.identifiers import new_id
from pilotage.platform.workspace import Workspace
from pilotage.review import flow, opinions_store, store
from pilotage.review.flow import intake
from pilotage.review.rules.ordering import rank
from pilotage.usecase import flow as defining
from tests.review.arranging import FILE, NAME, a_decision, go_live, of_kind, record, recorded, reviewer


def adopted(work: Workspace, review: str) -> None:
    """The use case of these tests with this part ``review``."""
    text = FILE.replace("  deadline: 1 hour\n", f"  deadline: 1 hour\n{review}")
    defining.adopt(work, defining.parse_definition(text, "late_arrival.yaml"), SYSTEM)


def kinds(work: Workspace) -> dict[str, int]:
    found: dict[str, int] = {}
    for case in flow.queue(work, NAME, limit=10_000):
        found[case.why] = found.get(case.why, 0) + 1
    return found


def test_random_and_blind_shares_are_drawn_evenly_and_the_same_way_twice(live: Workspace) -> None:
    adopted(live, "  samples: {random: 0.3, blind: 0.1}\n")
    record(live, *(a_decision(live.clock.now()) for _ in range(2000)))

    found = kinds(live)

    assert set(found) == {"random", "blind"}
    assert 520 < found["random"] < 680  # 600 are expected, 20.5 the standard deviation
    assert 150 < found["blind"] < 250
    assert flow.take_in(live) == 0


def test_large_batches_are_taken_in_some_at_a_time_and_none_is_missed(
    live: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    adopted(live, "  samples: {random: 1}\n")
    for many in (7, 1, 3, 12, 1, 1):
        record(live, *(a_decision(live.clock.now()) for _ in range(many)))
    monkeypatch.setattr(intake, "_HELD", 5)
    asked, real = list[int](), store.came_with
    monkeypatch.setattr(store, "came_with", lambda *of: asked.append(len(of[1])) or real(*of))

    assert flow.take_in(live) == 25
    assert asked == [1, 2, 1, 2]
    assert kinds(live) == {"random": 25}


def test_only_the_models_answers_are_sampled_and_in_shadow_only_disagreement(live: Workspace) -> None:
    adopted(live, "  samples: {random: 1, disagreement: 1}\n")
    recorded(live, produced_by="rule", reason="too_slow")
    recorded(live, stage="shadow", produced_by="rule", reason="shadow", model_answer=True, rule_answer=True)
    assert flow.queue(live, NAME) == []

    recorded(live, stage="shadow", produced_by="rule", reason="shadow", model_answer=True, rule_answer=False)

    assert kinds(live) == {"disagreement": 1}


def test_a_condition_of_the_file_makes_a_case_and_demands_two_pairs_of_eyes(live: Workspace) -> None:
    adopted(
        live,
        "  samples: {high_risk: distance_miles > 1000, high_value: distance_miles > 500}\n  four_eyes: [high_risk]\n",
    )
    for miles in (400.0, 700.0, 1400.0):
        recorded(live, inputs={"carrier": "UA", "distance_miles": miles})
    recorded(live, inputs={"carrier": "UA", "distance_miles": None})  # unknown is not above

    found = {case.why: case.wanted for case in flow.queue(live, NAME)}

    assert found == {"high_risk": 2, "high_value": 1}


@pytest.mark.parametrize(
    "late",
    ["EXTRACT(HOUR FROM scheduled_departure) >= 22", "scheduled_departure >= TIMESTAMP '2013-12-05 22:00:00'"],
)
def test_conditions_may_be_of_instants(live: Workspace, late: str) -> None:
    stake = "at_stake: 100 * EXTRACT(HOUR FROM scheduled_departure)"
    adopted(live, f'  samples: {{high_risk: "{late}"}}\n  skills: {{night: "{late}"}}\n  {stake}\n')
    departs = live.clock.now().replace(hour=21, minute=30)
    for entity, at in (("day", departs), ("night", departs + timedelta(hours=1)), ("unknown", None)):
        recorded(live, entity=entity, review=True, inputs={"scheduled_departure": at})

    found = {case.entity: (case.why, case.skill) for case in flow.queue(live, NAME)}

    assert found == {"day": ("uncertain", ""), "night": ("high_risk", "night"), "unknown": ("uncertain", "")}
    amounts = flow.stakes(live, defining.find(live, NAME), flow.queue(live, NAME))
    assert sorted(amounts.values()) == [2100.0, 2200.0]


@pytest.mark.both_stores
def test_a_case_that_needs_a_skill_goes_only_to_those_who_have_it(live: Workspace) -> None:
    adopted(live, "  skills: {long_haul: distance_miles > 1000}\n")
    recorded(live, review=True)
    anna, ben = reviewer("anna"), reviewer("ben")
    with live.database.writing() as connection:
        opinions_store.set_skills(connection, "ben", NAME, ["long_haul"])

    assert flow.lease_next(live, NAME, anna) is None
    (case,) = flow.queue(live, NAME)
    with pytest.raises(NotAllowed, match="needs the skill 'long_haul', which anna does not have"):
        flow.lease(live, case.id, anna)
    assert flow.lease_next(live, NAME, ben).id == case.id  # type: ignore[union-attr]


def test_what_is_uncertain_and_at_stake_comes_first_and_waiting_counts(live: Workspace, clock: FixedClock) -> None:
    adopted(live, "  samples: {high_value: distance_miles > 3000, random: 1}\n")
    sure = recorded(live, probability=0.95)
    close = recorded(live, probability=0.5)
    dear = recorded(live, probability=0.95, inputs={"distance_miles": 4000.0})

    assert [case.decision for case in flow.queue(live, NAME)] == [dear.id, close.id, sure.id]

    clock.advance(timedelta(hours=6))
    recorded(live, probability=0.5, inputs={"distance_miles": 4000.0})
    assert flow.queue(live, NAME)[2].decision == sure.id


def test_nothing_of_the_model_moves_a_blind_case(live: Workspace) -> None:
    sure, close = (a_decision(live.clock.now(), probability=p) for p in (0.99, 0.5))

    assert rank(sure, "blind", True, 0.0) == rank(close, "blind", True, 0.0)
    assert rank(sure, "random", False, 0.0) > rank(close, "random", False, 0.0)


def test_a_number_of_a_wide_interval_comes_before_one_of_a_narrow_interval(work: Workspace) -> None:
    defining.adopt(work, of_kind("number"), SYSTEM)
    go_live(work)
    number = {"answer": 10.0, "probability": None, "band": None, "review": True}
    for entity, low, high in (("sure", 9.0, 11.0), ("unsure", 2.0, 18.0), ("less sure", 7.0, 13.0)):
        recorded(work, entity=entity, low=low, high=high, **number)

    assert [case.entity for case in flow.queue(work, NAME)] == ["unsure", "less sure", "sure"]


def test_decisions_of_a_use_case_that_nobody_adopted_open_nothing_and_stop_nothing(live: Workspace) -> None:
    stranger = a_decision(live.clock.now(), use_case="unknown", id=new_id("dec", live.clock.now()), review=True)
    record(live, stranger)
    assert flow.take_in(live) == 0
    recorded(live, review=True)

    assert flow.take_in(live) == 1


def test_a_decision_that_a_condition_cannot_be_asked_of_stops_nobody(live: Workspace) -> None:
    adopted(live, "  samples: {high_risk: distance_miles > 1000}\n")
    recorded(live, review=True, inputs={"carrier": "UA", "distance_miles": "far"})  # of an earlier file
    recorded(live, inputs={"carrier": "UA", "distance_miles": 1400.0})

    assert kinds(live) == {"uncertain": 1, "high_risk": 1}


@pytest.mark.parametrize(
    ("review", "said"),
    [
        ("  samples: {random: 0.8, blind: 0.4}\n", "random and blind together are more than all answers"),
        ("  samples: {high_risk: distance_miles}\n", "It gives a number; true or false is wanted"),
        ("  samples: {high_risk: miles > 3}\n", "There is no column miles"),
        ("  four_eyes: [high_value]\n", "four_eyes names high_value, and samples does not say which cases those are"),
        ("  falls_back: 30 minutes\n", "falls_back (30 minutes) is not after the deadline (1 hour)"),
        ("  skills: {long: distance_miles}\n", "It gives a number; true or false is wanted"),
        ("  at_stake: carrier\n", "It gives a text; a number is wanted"),
        ("  at_stake: distance_miles > 3\n", "It gives true or false; a number is wanted"),
        ("  at_stake: miles * 3\n", "There is no column miles"),
    ],
)
def test_a_file_that_asks_what_cannot_be_done_is_refused(review: str, said: str) -> None:
    text = FILE.replace("  deadline: 1 hour\n", f"  deadline: 1 hour\n{review}")

    with pytest.raises(PilotageError) as refused:
        defining.parse_definition(text, "late_arrival.yaml")

    assert any(said in problem.message for problem in refused.value.problems)


@pytest.fixture
def live(work: Workspace) -> Workspace:
    """In assist, with the model answering; each test adopts its own file."""
    adopted(work, "")
    go_live(work)
    return work
