"""Cases that nobody judged in time are told as one incident, which ends when none is left."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.living import visitor
from tests.review.arranging import NAME, adopt, go_live, recorded, reviewer

from pilotage.app import recurring
from pilotage.govern.records import SYSTEM, Role
from pilotage.monitor.incidents import flow as incidents
from pilotage.monitor.incidents import overdue
from pilotage.platform.clock import FixedClock
from pilotage.platform.workspace import Workspace
from pilotage.review import flow as reviewing

pytestmark = pytest.mark.both_stores


def waits(work: Workspace, *entities: str) -> None:
    for entity in entities:
        recorded(work, entity=entity, review=True, band="uncertain")
    reviewing.take_in(work)


def told(work: Workspace) -> list[str]:
    overdue.tend(work)
    return [each.why for each in incidents.listed(work, only_open=True)]


def judge_all(work: Workspace) -> None:
    while case := reviewing.lease_next(work, NAME, reviewer("anna")):
        reviewing.submit(work, case.id, case.fence, "approved", None, "", reviewer("anna"))


def test_one_incident_stands_while_cases_are_past_their_time(work: Workspace, clock: FixedClock) -> None:
    adopt(work)
    go_live(work)
    waits(work, "UA1", "UA2")
    assert told(work) == []

    clock.advance(timedelta(hours=2))  # they are due within one
    assert [each[:12] for each in told(work) + told(work)] == ["2 cases wait"] * 2
    with visitor(work, Role.VIEWER) as person:
        assert "Cases wait beyond their deadline" in person.get(f"/use-cases/{NAME}").text

    judge_all(work)
    clock.advance(timedelta(minutes=2))
    assert told(work) == []


def test_closed_by_hand_it_opens_again_when_more_cases_pass_their_time(work: Workspace, clock: FixedClock) -> None:
    adopt(work)
    go_live(work)
    waits(work, "UA1")
    clock.advance(timedelta(hours=2))
    assert len(told(work)) == 1
    (incident,) = incidents.listed(work, only_open=True)
    incidents.close(work, incident.id, SYSTEM, "nobody is there before Monday")
    assert told(work) == []

    waits(work, "UA2")
    clock.advance(timedelta(hours=2))
    assert [each[:12] for each in told(work)] == ["2 cases wait"]


def test_it_is_what_every_installation_does_again_and_again(work: Workspace) -> None:
    assert overdue.tend in [job.run for job in recurring(work)]
