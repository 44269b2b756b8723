"""What the rooms above do reaches other systems: switch, feedback, outcomes, decisions; nothing of what was asked."""

from __future__ import annotations

import json
from contextlib import nullcontext
from datetime import timedelta

import pytest

from pilotage.data import flow as data
from pilotage.decisions import store as ledger
from pilotage.decisions.durable import draining
from pilotage.govern.records import SYSTEM, Principal
from pilotage.outcomes import flow as outcomes
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.review import flow as reviewing
from pilotage.webhooks import flow
from pilotage.webhooks.records import EventType
from tests.review.arranging import NAME, a_decision, adopt, go_live, recorded
from tests.webhooks.conftest import Registered
from tests.webhooks.receiving import Receiver

MARIA = Principal(id="card:maria", name="maria", kind="card")


def bodies(work: Workspace, receiver: Receiver, deliverer: flow.Deliverer) -> list[dict[str, object]]:
    deliverer.run_until_idle(work)
    return sorted((json.loads(each.body) for each in receiver.received), key=lambda body: str(body["time"]))


def test_the_switch_and_feedback_are_told_without_persons_and_words(
    work: Workspace, registered: Registered, receiver: Receiver, deliverer: flow.Deliverer
) -> None:
    adopt(work)
    go_live(work)
    registered(use_case=NAME)
    decision = recorded(work)
    releasing.disable(work, NAME, SYSTEM, "canary reason")
    for kind in ("shown", "useful", "accept", "override", "escalate"):
        reviewing.give_feedback(work, decision, kind, "canary reason", MARIA, work.clock.now())
    told = bodies(work, receiver, deliverer)
    assert sorted(str(each["type"]) for each in told) == [*["pilotage.feedback.given"] * 4, "pilotage.switch.disabled"]
    kinds = [each["data"]["kind"] for each in told if each["type"] == EventType.FEEDBACK_GIVEN]  # type: ignore[index]
    assert sorted(kinds) == ["accept", "escalate", "override", "useful"]
    whole = json.dumps(told)
    assert "canary" not in whole and "maria" not in whole and decision.entity not in whole


def test_decisions_are_told_once_each_to_those_who_name_them(
    work: Workspace, registered: Registered, receiver: Receiver, deliverer: flow.Deliverer
) -> None:
    adopt(work)
    registered(types=("pilotage.decision.answered",))
    now = work.clock.now()
    first, second = a_decision(now, inputs={"name": "canary"}), a_decision(now, entity="canary entity")
    for segment in ([first], [first, second]):  # the second one repeats a decision, as after a crash
        draining.keep(work, [ledger.encode(each) for each in segment])
    told = bodies(work, receiver, deliverer)
    assert {each["subject"] for each in told} == {first.id, second.id}
    assert len(told) == 2
    assert "canary" not in json.dumps(told)
    assert told[0]["data"]["answer"] == first.answer  # type: ignore[index]


def test_an_outcome_and_its_correction_are_told_and_not_the_repetition(
    work: Workspace,
    registered: Registered,
    receiver: Receiver,
    deliverer: flow.Deliverer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    definition = adopt(work)
    decision = recorded(work)
    registered(types=("pilotage.outcome.joined",))
    now = work.clock.now()
    for happened, at in ((True, now), (True, now), (False, now + timedelta(hours=1))):
        said = {decision.entity: (happened, at)}
        monkeypatch.setattr(data, "reading_outcomes", lambda *_, said=said: nullcontext(lambda _: said))
        outcomes.pull(work, definition)
    told = bodies(work, receiver, deliverer)
    assert sorted(each["data"]["revision"] for each in told) == [1, 2]  # type: ignore[index]
    assert {each["subject"] for each in told} == {decision.id}
