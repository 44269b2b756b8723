"""Pulling outcomes: one at a time, within ten maturities, and nothing twice."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from tests.review.arranging import NAME, a_decision, adopt, record, recorded

from pilotage.data import flow as data
from pilotage.outcomes import flow
from pilotage.outcomes.records import OutcomePull
from pilotage.platform.clock import FixedClock
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import Definition

Happened = dict[str, tuple[bool, datetime]]


class Source:
    """What the outcome source says, and what happens while it is read."""

    def __init__(self) -> None:
        self.says: Happened = {}
        self.meanwhile: list[Definition] = []

    def outcomes_of(self, work: Workspace, definition: Definition, entities: list[str]) -> Happened:
        said = {entity: self.says[entity] for entity in entities if entity in self.says}
        if self.meanwhile:
            flow.pull(work, self.meanwhile.pop())
        return said


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Source:
    source = Source()
    monkeypatch.setattr(data, "outcomes_of", source.outcomes_of)
    return source


def test_two_pulls_at_once_join_once(work: Workspace, source: Source) -> None:
    definition, decision = adopt(work), recorded(work)
    source.says = {decision.entity: (True, work.clock.now())}
    source.meanwhile = [definition]

    assert flow.pull(work, definition) == OutcomePull(NAME, 0, 0, 0)
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

    assert flow.pull(work, definition) == OutcomePull(NAME, 0, 0, 0)
    assert flow.newest(work, NAME)[decision.id].happened


def test_decisions_of_more_than_ten_maturities_ago_are_left_alone(
    work: Workspace, source: Source, clock: FixedClock
) -> None:
    definition = adopt(work)  # its outcomes mature within two days
    old = a_decision(clock.now() - timedelta(days=21), entity="old")
    record(work, old)
    recorded(work)
    source.says = {"old": (True, clock.now())}

    assert flow.pull(work, definition) == OutcomePull(NAME, 0, 0, 1)
