"""The operate page, and one decision's whole life."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from tests.living import NAME, happened, release, visitor
from tests.review.arranging import a_decision, adopt, record, recorded, reviewer

from pilotage.decisions.durable import tallies
from pilotage.decisions.durable.segments import name_of
from pilotage.govern.records import SYSTEM, Principal, Role
from pilotage.monitor import flow
from pilotage.outcomes import store as outcomes
from pilotage.outcomes.records import JoinedOutcome
from pilotage.platform.clock import FixedClock
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.releases.records import Stage
from pilotage.review import flow as reviewing

OPERATE = f"/use-cases/{NAME}/operate"
PLANNER = Principal("card:maria", "maria", "card")


def test_before_the_first_decision_the_page_says_what_comes_next(work: Workspace) -> None:
    adopt(work)
    with visitor(work, Role.VIEWER) as person:
        page = person.get(OPERATE)
    assert page.status_code == 200
    assert "No decision yet" in page.text
    assert f"/use-cases/{NAME}/integrate" in page.text


def test_the_first_two_sentences_answer_safe_and_worth(work: Workspace, clock: FixedClock) -> None:
    adopt(work)
    for day in range(7):
        for positive in (True, False):
            at = clock.now() - timedelta(days=day)
            decision = a_decision(at, model_answer=positive, rule_answer=False, answer=positive)
            record(work, decision)
            happened(work, decision.id, positive, at)
    record(work, *(a_decision(clock.now()) for _ in range(100)))
    with visitor(work, Role.VIEWER) as person:
        page = person.get(OPERATE).text
    safe, worth = page.index("Still safe?</strong> Yes"), page.index("Still worth it?</strong> Yes: +1,260 USD")
    assert safe < worth < page.index("questions answered")
    assert "Of 100 alerts about 0 were false alarms; 100 of 100 cases were found" in page
    assert page.count('<svg xmlns="http://www.w3.org/2000/svg"') == 2
    assert "style=" not in page


def test_what_was_not_recorded_and_what_is_missing_is_said(work: Workspace, clock: FixedClock) -> None:
    adopt(work)
    record(work, a_decision(clock.now(), model_answer=True, rule_answer=False, answer=True))
    here = name_of(work.home / "spool")
    with work.database.writing() as connection:
        tallies.add(connection, tallies.Stream("a-writer", here, 1_200, 1_198, 3), clock.now())
    with visitor(work, Role.VIEWER) as person:
        page = person.get(OPERATE).text
    assert "<strong>2 decisions of this installation are missing</strong>" in page
    assert "Of the 1,203 decisions" in page
    assert "1,198 are recorded and 3 were declared not recorded." in page


def test_a_single_day_has_no_line_of_money_yet(work: Workspace, clock: FixedClock) -> None:
    adopt(work)
    decision = a_decision(clock.now(), model_answer=True, rule_answer=False, answer=True)
    record(work, decision)
    happened(work, decision.id, True, clock.now())
    with visitor(work, Role.VIEWER) as person:
        page = person.get(OPERATE)
    assert page.status_code == 200
    assert page.text.count('<svg xmlns="http://www.w3.org/2000/svg"') == 1


def test_fallbacks_are_told_by_reason(work: Workspace) -> None:
    adopt(work)
    late = {"produced_by": "rule", "reason": "too_slow", "model_answer": None, "model_failure": "too_slow"}
    record(work, *(a_decision(work.clock.now(), **late) for _ in range(100)))
    with visitor(work, Role.VIEWER) as person:
        page = person.get(OPERATE).text
    assert "Still safe?</strong> No" in page
    assert "The model did not answer within the latency budget." in page
    assert "too slow" in page


@pytest.mark.both_stores
def test_columns_that_were_unknown_or_could_not_be_read_are_told_with_what_to_do(
    work: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    adopt(work)
    monkeypatch.setattr(flow, "_FLAGS", 8)
    for flags in (["unknown_category:carrier", "not_read:temp:too_slow"], ["unknown_category:carrier"], [], []):
        record(work, a_decision(work.clock.now(), flags=tuple(flags)))
    with visitor(work, Role.VIEWER) as person:
        page = re.sub(r"<[^>]+>", "", person.get(OPERATE).text)
        assert "Of the newest 4 decisions:" in page
        assert "carrier had a value that the model never saw in training in 2 (50.0\u202f%)." in page
        assert "temp could not be read in time in 1 (25.0\u202f%)." in page
        assert f"pilotage train {NAME}" in page and "live: table" in page
        record(work, *(a_decision(work.clock.now() + timedelta(minutes=1)) for _ in range(8)))
        assert "In the newest 8 decisions every column could be read" in person.get(OPERATE).text


def test_failures_that_nobody_noticed_in_shadow_are_told(work: Workspace) -> None:
    adopt(work)
    for failure in ("too_slow", "too_slow", "model_failed"):
        recorded(
            work, stage="shadow", arm="rule", produced_by="rule", reason="shadow",
            probability=None, model_answer=None, model_failure=failure,
        )  # fmt: skip
    recorded(work, stage="shadow", arm="rule", produced_by="rule", reason="shadow")
    with visitor(work, Role.VIEWER) as person:
        page = person.get(OPERATE).text
    assert "Still safe?</strong> Too few to tell" in page
    told = "Of 4 questions that it was asked, <strong>the model could not answer 3 times (too slow 2, model failed 1)"
    assert told in page


@pytest.mark.both_stores
def test_only_what_apps_asked_says_whether_it_is_safe(work: Workspace, clock: FixedClock) -> None:
    release(work, adopt(work), 1)
    live, past = releasing.live(work, NAME).version, clock.now() - timedelta(days=3_000)
    by_command = {"asked_by": SYSTEM.name, "moment": past, "latency_us": 900_000, "version": live}
    record(work, *(a_decision(clock.now(), **by_command) for _ in range(200)))
    recorded(work, version=live)
    with visitor(work, Role.VIEWER) as person:
        page = person.get(OPERATE).text
        home = person.get(f"/use-cases/{NAME}").text
    told = "Still safe?</strong> Too few to tell: apps asked the model 1 question over HTTP so far, 100 are needed."
    assert told in page and told in home
    assert "1 asked over HTTP; told from 100" in page and "1 asked over HTTP; told from 100" in home
    assert "900.0 ms" not in page
    assert "1 asked by apps over HTTP" in home


def test_the_last_day_counts_and_before_it_only_what_a_day_lacks(work: Workspace, clock: FixedClock) -> None:
    definition, now = adopt(work), clock.now()
    late = {"produced_by": "rule", "reason": "too_slow", "model_answer": None, "model_failure": "too_slow"}
    record(work, *(a_decision(now - timedelta(hours=30), **late) for _ in range(50)))
    record(work, *(a_decision(now) for _ in range(80)))
    assert flow.operation(work, definition).recent.failures == {"too_slow": 50}
    record(work, *(a_decision(now) for _ in range(20)))
    found = flow.operation(work, definition)
    assert (found.recent.asked, found.recent.failures, found.service.asked) == (100, {}, 150)


def test_outcomes_that_had_been_read_before_are_told_apart(work: Workspace, clock: FixedClock) -> None:
    adopt(work)
    decision = recorded(work, version=None)
    outcome = JoinedOutcome(decision.id, NAME, decision.entity, True, clock.now(), clock.now(), 1, known_before=True)
    with work.database.writing() as connection:
        outcomes.add(connection, [outcome])
    with visitor(work, Role.VIEWER) as person:
        page = person.get(OPERATE).text
        life = person.get(f"/decisions/{decision.id}").text
    assert "became known for 0, and had been read before for 1" in page
    assert "Of <strong>1</strong> more decisions the outcome had been read before the question was answered" in page
    assert "Of 1 it had been read before they were answered." in page
    assert "It had been read before the question, so no quality counts it." in life


@pytest.mark.both_stores
def test_overrides_and_reviews_are_counted(work: Workspace) -> None:
    adopt(work)
    decision = recorded(work)
    reviewing.give_feedback(work, decision, "shown", "", PLANNER, work.clock.now())
    reviewing.give_feedback(work, decision, "override", "Data looks wrong", PLANNER, work.clock.now())
    reviewing.open_case(work, decision, "escalated", "please look")
    with visitor(work, Role.VIEWER) as person:
        page = person.get(OPERATE).text
    assert "1 of 1 cards shown" in page
    assert "Data looks wrong" in page


def test_changes_of_stage_and_version_are_a_list_with_times(work: Workspace) -> None:
    release(work, adopt(work), 1)
    releasing.set_stage(work, NAME, Stage.SHADOW, 1.0, SYSTEM, "first look")
    releasing.disable(work, NAME, SYSTEM, "weather feed is wrong")
    with visitor(work, Role.VIEWER) as person:
        page = person.get(OPERATE).text
    assert page.index("Switched off") < page.index("Stage shadow") < page.index("Stage off, version 1")


def test_a_decision_is_told_from_the_request_to_the_money(work: Workspace) -> None:
    release(work, adopt(work), 1)
    decision = recorded(work, version=releasing.live(work, NAME).version)
    now = work.clock.now()
    reviewing.give_feedback(work, decision, "shown", "", PLANNER, now)
    reviewing.give_feedback(work, decision, "accept", "", PLANNER, now + timedelta(seconds=1))
    reviewing.give_feedback(work, decision, "escalate", "Aircraft swapped", PLANNER, now + timedelta(seconds=2))
    case = reviewing.queue(work, NAME)[0]
    rita = reviewer("rita")
    leased = reviewing.lease(work, case.id, rita)
    reviewing.submit(work, case.id, leased.fence, "corrected", False, "Old data", rita)
    happened(work, decision.id, False, now)
    happened(work, decision.id, True, now + timedelta(hours=1), revision=2)
    with visitor(work, Role.OWNER) as person:
        page = person.get(f"/decisions/{decision.id}")
    assert page.status_code == 200
    told = [
        "dispatch asked about",
        "The model answered.",
        "maria saw the card.",
        "maria accepted it.",
        "maria escalated it: “Aircraft swapped”.",
        "A case was opened: somebody escalated.",
        "rita corrected it: “Old data”.",
        "It did not happen: arrives more than 30 minutes late.",
        "Corrected. It happened: arrives more than 30 minutes late.",
        "The answer given was worth +180 USD; today&#39;s rule alone +180 USD.",
    ]
    places = [page.text.index(step, page.text.index("Its life")) for step in told]
    assert places == sorted(places)
    assert "last arrival of this aircraft, minutes late" in page.text
    assert f"/queue/cases/{case.id}" in page.text
    assert "Version 1" in page.text


def test_what_has_not_happened_says_what_it_waits_for(work: Workspace) -> None:
    adopt(work)
    decision = recorded(work, stage="shadow", arm="rule", version=None, produced_by="rule", reason="shadow", signals=())
    with visitor(work, Role.VIEWER) as person:
        page = person.get(f"/decisions/{decision.id}").text
    assert "Recorded only: the app never saw this." in page
    assert "outcomes mature within 2 days" in page
    assert "Known when the outcome is." in page


def test_a_decision_of_another_use_case_does_not_exist_for_a_stranger(work: Workspace) -> None:
    adopt(work)
    decision = recorded(work)
    with visitor(work, Role.VIEWER, "another") as person:
        page = person.get(f"/decisions/{decision.id}")
    assert page.status_code == 404
    assert decision.entity not in page.text
