"""Feedback: what is kept, how often, and which of it is a deed."""

from __future__ import annotations

import pytest

from pilotage.govern.records import Principal
from pilotage.govern.rules.entries import entry_of
from pilotage.govern.store import audit_log
from pilotage.platform.errors import Conflict, InvalidRequest
from pilotage.platform.workspace import Workspace
from pilotage.review import flow
from pilotage.review.rules.feedback import check_origin
from tests.review.arranging import NAME, recorded, reviewer

pytestmark = pytest.mark.both_stores
MARIA = Principal(id="card:maria", name="maria", kind="card")


def deeds(work: Workspace) -> list[str]:
    with work.database.reading() as connection:
        read = [entry_of(bytes(row.content)) for row in audit_log.in_order(connection)]
    return [entry.action for entry in read if entry.action.startswith("decision.")]


def test_shown_is_kept_once_per_person_however_often_it_is_sent(live: Workspace) -> None:
    decision = recorded(live)
    for person in (MARIA, MARIA, reviewer("ben")):
        flow.give_feedback(live, decision, "shown", "", person, live.clock.now())

    assert [each.person for each in flow.feedback_on(live, decision.id)].count("maria") == 1
    assert len(flow.feedback_on(live, decision.id)) == 2


def test_an_override_is_kept_with_its_reason_and_is_a_deed(live: Workspace) -> None:
    decision = recorded(live)
    flow.give_feedback(live, decision, "override", " Exception agreed ", MARIA, live.clock.now())

    (given,) = flow.feedback_on(live, decision.id)
    assert (given.kind, given.reason, given.person) == ("override", "Exception agreed", "maria")
    assert deeds(live) == ["decision.overridden"]


def test_useful_and_wrong_are_opinions_not_deeds(live: Workspace) -> None:
    decision = recorded(live)
    for kind in ("useful", "wrong"):
        flow.give_feedback(live, decision, kind, "", MARIA, live.clock.now())

    assert deeds(live) == []


def test_an_escalation_opens_one_case_however_many_escalate(live: Workspace) -> None:
    decision = recorded(live)
    for person in (MARIA, reviewer("ben")):
        flow.give_feedback(live, decision, "escalate", "please look", person, live.clock.now())

    assert len(flow.queue(live, NAME)) == 1
    assert deeds(live) == ["decision.escalated", "decision.escalated"]


def test_what_a_reviewer_decided_cannot_be_escalated_again_and_leaves_no_trace(live: Workspace) -> None:
    decision = recorded(live)
    flow.give_feedback(live, decision, "escalate", "please look", MARIA, live.clock.now())
    held = flow.lease_next(live, NAME, reviewer("ben"))
    assert held is not None
    flow.submit(live, held.id, held.fence, "approved", None, "", reviewer("ben"))

    with pytest.raises(Conflict, match="already approved by ben"):
        flow.give_feedback(live, decision, "escalate", "again", MARIA, live.clock.now())
    assert len(flow.feedback_on(live, decision.id)) == 1


@pytest.mark.parametrize(
    ("kind", "reason", "where"),
    [("override", " ", "reason"), ("escalate", "", "reason"), ("liked", "", "kind"), ("useful", "x" * 2001, "reason")],
)
def test_feedback_that_does_not_fit_is_refused(live: Workspace, kind: str, reason: str, where: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        flow.give_feedback(live, recorded(live), kind, reason, MARIA, live.clock.now())

    assert [problem.where for problem in refused.value.problems] == [where]


@pytest.mark.parametrize("origin", ["https://app.example", "https://app.example:8443", "http://localhost:9000"])
def test_an_origin_is_scheme_host_and_port(origin: str) -> None:
    assert check_origin(origin) == origin


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "*",
        "null",
        "https://app.example/",
        "https://app.example/page",
        "http://app.example",
        "https://user:pw@app.example",
        "https://APP.example",
        "javascript://app.example",
        "https://app.example:port",
    ],
)
def test_anything_else_is_no_origin(origin: str) -> None:
    with pytest.raises(InvalidRequest):
        check_origin(origin)
