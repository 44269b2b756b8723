"""Pulling outcomes: one at a time, within ten maturities, and nothing twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from tests.review.arranging import NAME, a_decision, adopt, record, recorded

from pilotage.data import flow as data
from pilotage.data import store as snapshots
from pilotage.data.records import Segment, Snapshot
from pilotage.decisions.records import Said
from pilotage.monitor import flow as monitoring
from pilotage.outcomes import flow
from pilotage.outcomes.records import OutcomePull
from pilotage.outcomes.rules import told
from pilotage.platform.clock import FixedClock
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import Definition

pytestmark = pytest.mark.both_stores
Happened = dict[str, tuple[Said, datetime]]


class Source:
    """What the outcome source says, and what happens while it is read."""

    def __init__(self) -> None:
        self.says: Happened = {}
        self.meanwhile: list[Definition] = []

    @contextmanager
    def reading_outcomes(self, work: Workspace, definition: Definition) -> Iterator[data.OutcomesOf]:
        def outcomes_of(entities: Sequence[str]) -> Happened:
            said = {entity: self.says[entity] for entity in entities if entity in self.says}
            if self.meanwhile:
                flow.pull(work, self.meanwhile.pop())
            return said

        yield outcomes_of


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Source:
    source = Source()
    monkeypatch.setattr(data, "reading_outcomes", source.reading_outcomes)
    return source


def test_two_pulls_at_once_join_once(work: Workspace, source: Source) -> None:
    definition, decision = adopt(work), recorded(work)
    source.says = {decision.entity: (True, work.clock.now())}
    source.meanwhile = [definition]

    assert flow.pull(work, definition) == OutcomePull(NAME, 0, 0, decisions=1, known=1)
    assert [each.revision for each in flow.of_decision(work, decision.id)] == [1]


def test_a_correction_that_somebody_else_joined_meanwhile_is_not_joined_again(work: Workspace, source: Source) -> None:
    definition, decision = adopt(work), recorded(work)
    source.says = {decision.entity: (True, work.clock.now())}
    flow.pull(work, definition)
    source.says = {decision.entity: (False, work.clock.now() + timedelta(hours=1))}
    source.meanwhile = [definition]

    assert flow.pull(work, definition).corrected == 0
    assert [each.happened for each in flow.of_decision(work, decision.id)] == [False, True]


def test_what_the_source_takes_back_keeps_its_answer(work: Workspace, source: Source) -> None:
    definition, decision = adopt(work), recorded(work)
    source.says = {decision.entity: (True, work.clock.now())}
    flow.pull(work, definition)
    source.says = {}

    assert flow.pull(work, definition) == OutcomePull(NAME, 0, 0, decisions=1, known=1)
    assert flow.newest(work, NAME)[decision.id].happened


def test_decisions_of_more_than_ten_maturities_ago_are_left_alone(
    work: Workspace, source: Source, clock: FixedClock
) -> None:
    definition = adopt(work)  # its outcomes mature within two days
    old = a_decision(clock.now() - timedelta(days=21), entity="old")
    record(work, old)
    recorded(work)
    source.says = {"old": (True, clock.now())}

    found = flow.pull(work, definition)
    assert (found.decisions, found.joined, found.waiting, found.left) == (2, 0, 1, 1)
    assert found.waiting_until == clock.now() + timedelta(days=2)


def read(work: Workspace, at: datetime, known_to: datetime, version: str = "v") -> None:
    """Say that the source of outcomes had been read then, as far as this by its own clock."""
    segment = Segment("0" * 64, 1, known_to, known_to)
    snapshot = Snapshot("arrivals", version, ("flight_id",), "recorded_at", (), (segment,))
    with work.database.writing() as connection:
        snapshots.add_snapshot(connection, NAME, snapshot, at)


def test_a_question_about_now_does_not_hide_those_about_the_past(
    work: Workspace, source: Source, clock: FixedClock
) -> None:
    definition = adopt(work)
    past = clock.now() - timedelta(days=3_000)
    asked = [a_decision(clock.now(), moment=past, entity=f"past {number}") for number in range(3)]
    record(work, *asked, a_decision(clock.now(), entity="now"))
    source.says = {each.entity: (True, past + timedelta(hours=3)) for each in asked[:2]}

    found = flow.pull(work, definition)

    assert (found.decisions, found.joined, found.waiting, found.missing, found.left) == (4, 2, 1, 1, 0)


def test_a_decision_about_a_moment_far_ahead_is_joined_when_it_comes(
    work: Workspace, source: Source, clock: FixedClock
) -> None:
    definition = adopt(work)
    record(work, a_decision(clock.now() - timedelta(days=90), moment=clock.now(), entity="ahead"))
    recorded(work)
    source.says = {"ahead": (True, clock.now())}
    assert flow.pull(work, definition).joined == 1


def test_an_outcome_that_had_been_read_before_the_answer_is_joined_and_counts_in_no_quality(
    work: Workspace, source: Source, clock: FixedClock
) -> None:
    definition, now = adopt(work), clock.now()
    read(work, now - timedelta(hours=2), known_to=now - timedelta(hours=3))
    known = recorded(work, entity="known")
    not_yet = recorded(work, entity="not yet")
    source.says = {"known": (True, now - timedelta(hours=4)), "not yet": (True, now - timedelta(hours=1))}

    found = flow.pull(work, definition)

    assert (found.joined, found.known, found.known_before) == (2, 2, 1)
    joined = flow.newest(work, NAME)
    assert (joined[known.id].known_before, joined[not_yet.id].known_before) == (True, False)
    operation = monitoring.operation(work, definition)
    assert (operation.matured, operation.known_before, operation.quality[0].decisions) == (1, 1, 1)


def test_a_correction_of_what_had_been_read_before_is_no_foresight_either(
    work: Workspace, source: Source, clock: FixedClock
) -> None:
    definition, now = adopt(work), clock.now()
    read(work, now - timedelta(hours=2), known_to=now - timedelta(hours=3))
    decision = recorded(work)
    source.says = {decision.entity: (True, now - timedelta(hours=4))}
    flow.pull(work, definition)
    source.says = {decision.entity: (False, now + timedelta(hours=4))}

    assert flow.pull(work, definition).corrected == 1
    assert flow.newest(work, NAME)[decision.id].known_before


def test_what_was_read_only_after_the_answer_was_not_known_before(
    work: Workspace, source: Source, clock: FixedClock
) -> None:
    definition, now = adopt(work), clock.now()
    decision = recorded(work)
    read(work, now + timedelta(hours=1), known_to=now)
    source.says = {decision.entity: (True, now - timedelta(hours=4))}
    assert flow.pull(work, definition).known_before == 0


def test_the_sentences_account_for_every_decision(work: Workspace, source: Source, clock: FixedClock) -> None:
    definition, now = adopt(work), clock.now()
    read(work, now - timedelta(hours=2), known_to=now - timedelta(hours=3))
    moments = {"known": now, "waits": now, "missing": now - timedelta(days=5)}
    record(work, *(a_decision(now, entity=name, moment=moment) for name, moment in moments.items()))
    record(work, a_decision(now - timedelta(days=21), entity="left"))
    source.says = {"known": (True, now - timedelta(hours=4))}

    said = told(flow.pull(work, definition), definition.use_case.outcome, definition.plan.entity)

    assert said[0] == "An outcome is known for 1 of 4 decisions."
    assert said[1].startswith("Read before the question was answered: 1 of these outcomes.")
    assert said[2].startswith("Waiting: 1.")
    assert said[2].endswith(f"the last by {now + timedelta(days=2):%Y-%m-%d %H:%M} UTC.")
    assert said[3].startswith("Missing: 1. The source arrivals should tell by now and does not")
    assert said[4].startswith("Left: 1. They have no outcome and were answered more than ten times 2 days before")


def test_a_pull_that_takes_long_rests_and_less_so_where_source_or_file_is_another(
    work: Workspace, source: Source, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    definition, decision = adopt(work), recorded(work)
    read(work, clock.now() + timedelta(hours=1), known_to=clock.now())
    source.says = {decision.entity: (True, clock.now())}
    monkeypatch.setattr(flow, "_RESTS_AFTER_SECONDS", 1_000.0)
    assert [flow.pull_due(work, definition) is None for _ in range(2)] == [False, False]

    monkeypatch.setattr(flow, "_RESTS_AFTER_SECONDS", 0.0)
    monkeypatch.setattr(flow, "_RESTS_TIMES", 1_000_000)
    assert flow.pull_due(work, definition) is None

    monkeypatch.setattr(flow, "_RESTS_TIMES_WITH_NEWS", 0)
    read(work, clock.now() + timedelta(hours=2), known_to=clock.now() + timedelta(hours=1), version="w")
    assert [flow.pull_due(work, definition) is None for _ in range(2)] == [False, True]
    monkeypatch.setattr(flow, "_RESTS_TIMES_WITH_NEWS", 1_000_000)
    read(work, clock.now() + timedelta(hours=3), known_to=clock.now() + timedelta(hours=2), version="x")
    assert flow.pull_due(work, definition) is None
    assert flow.pull(work, definition).known == 1
