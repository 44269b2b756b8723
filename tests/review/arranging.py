"""A small use case, decisions about it and people, for the tests of review and of the card."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from pilotage.decisions import store as ledger
from pilotage.decisions.durable.draining import digest_of
from pilotage.decisions.records import Decision
from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, Grant, Principal, Role
from pilotage.platform.identifiers import new_id
from pilotage.platform.workspace import Workspace
from pilotage.releases import rules as release_rules
from pilotage.releases import store as releases
from pilotage.releases.records import Live, Stage
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Definition

NAME = "late_arrival"
FILE = """
use_case: late_arrival
title: Late arrivals
owner: lead@airline.example
brief:
  workflow: Planners rebook connecting passengers when an inbound aircraft is late.
  users: Dispatch planners
  decision: Prepare a rebooking or leave the plan as it is.
  kpi: Rebooking cost per late arrival
  value: {currency: USD, caught: 180, false_alarm: -60}
sources:
  flights:
    database: env:DISPATCH_DATABASE
    table: flights
    key: [flight_id]
    event_time: scheduled_departure
    known_at: published_at
  arrivals:
    database: env:DISPATCH_DATABASE
    table: arrivals
    key: [flight_id]
    event_time: arr_time
    known_at: recorded_at
decision:
  entity: flight_id
  source: flights
  moment: scheduled_departure - INTERVAL '60' MINUTE
  request:
    carrier: category
    tail_number: {kind: category, required: false}
    distance_miles: {kind: number, unit: miles}
    scheduled_departure: datetime
outcome:
  source: arrivals
  positive: arr_delay > 30
  says: arrives more than 30 minutes late
inputs:
  carrier: request
  distance_miles: request
  aircraft_last_delay:
    latest: arrivals
    by: tail_number
    take: arr_delay
    says: last arrival of this aircraft, minutes late
rule:
  positive: aircraft_last_delay > 30
  says: the last arrival of the same aircraft was more than 30 minutes late
policy:
  actions: {positive: Prepare rebooking, negative: Leave as planned}
review:
  deadline: 1 hour
  guidelines: Look at the aircraft's last leg first.
"""
OF_KIND = {
    "category": ("category: upper(why)", "category: carrier", "right: 1, wrong: -1", "{late: Call the crew}", "late"),
    "number": (
        "number: arr_delay\n  unit: minutes",
        "number: aircraft_last_delay",
        "too_low: -1, too_high: -1",
        "{}",
        "7",
    ),
}
SIGNALS: tuple[dict[str, Any], ...] = (
    {
        "column": "aircraft_last_delay",
        "value": "74",
        "sentence": "The last arrival of this aircraft was 74 minutes late; 4 are typical.",
        "weight": 1.3,
    },
    {
        "column": "wind_speed_mph",
        "value": "31",
        "sentence": "Wind at the origin blows at 31 miles per hour; 10 are typical.",
        "weight": 0.4,
    },
    {"column": "carrier", "value": "UA", "sentence": "United is seldom late on this route.", "weight": -0.5},
)


def of_kind(kind: str, policy: str = "") -> Definition:
    """The same with an outcome of another kind: a category or a number; ``policy`` instead of no actions."""
    outcome, rule, value, actions, default = OF_KIND[kind]
    text = FILE.replace("positive: arr_delay > 30", outcome)
    text = text.replace("positive: aircraft_last_delay > 30", rule)
    text = text.replace("caught: 180, false_alarm: -60", value)
    before = "actions: {positive: Prepare rebooking, negative: Leave as planned}"
    after = f"{policy or f'actions: {actions}'}\n  default: {default}"
    return defining.parse_definition(text.replace(before, after), "late_arrival.yaml")


def adopt(work: Workspace) -> Definition:
    """The use case, adopted."""
    return defining.adopt(work, defining.parse_definition(FILE, "late_arrival.yaml"), SYSTEM)


def go_live(work: Workspace, stage: Stage = Stage.ASSIST, enabled: bool = True) -> Live:
    """Make this stage live, as a release would."""
    with work.database.writing() as connection:
        before = releases.find_live(connection, NAME) or release_rules.first(NAME, "", work.clock.now(), "")
        live = msgspec.structs.replace(before, stage=stage, enabled=enabled, share=1.0, revision=before.revision + 1)
        releases.insert_live(connection, live)
    return live


def a_decision(at: datetime, **changes: Any) -> Decision:
    """An answer of the model, in assist, about one flight."""
    usual = Decision(
        id=new_id("dec", at),
        use_case=NAME,
        entity="UA1545-2013-12-05",
        moment=at,
        decided_at=at,
        stage="assist",
        arm="model",
        version="ver_1",
        revision=1,
        produced_by="model",
        reason="model",
        answer=True,
        action="Prepare rebooking",
        probability=0.68,
        model_answer=True,
        rule_answer=True,
        band="high",
        review=False,
        flags=(),
        inputs={"carrier": "UA", "distance_miles": 1400.0, "aircraft_last_delay": 74.0},
        signals=SIGNALS,
        asked_by="dispatch",
        latency_us=900,
    )
    return msgspec.structs.replace(usual, **changes)


def record(work: Workspace, *decisions: Decision) -> None:
    """Put decisions into the ledger as they are drained: a batch per use case, vouched for by the audit log."""
    for use_case in {each.use_case for each in decisions}:
        rows = [(each, ledger.encode(each)) for each in sorted(decisions, key=lambda each: each.id)]
        rows = [row for row in rows if row[0].use_case == use_case]
        batch = new_id("bat", work.clock.now())
        detail = {
            "batch": batch,
            "decisions": len(rows),
            "first": rows[0][0].id,
            "last": rows[-1][0].id,
            "sha256": digest_of([content for _, content in rows]),
        }
        with work.database.writing() as connection:
            ledger.insert_all(connection, rows, batch)
            governing.record(connection, work, SYSTEM, "decisions.recorded", use_case, detail)


def recorded(work: Workspace, **changes: Any) -> Decision:
    """One decision of now, in the ledger."""
    decision = a_decision(work.clock.now(), **changes)
    record(work, decision)
    return decision


def reviewer(name: str) -> Principal:
    """Somebody who may review."""
    return Principal(id=f"usr_{name}", name=name, kind="person", grants=(Grant(Role.REVIEWER, NAME),))
