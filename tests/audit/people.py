"""A use case on people: whether somebody comes back, decided from ages, sexes and races."""

from __future__ import annotations

from pilotage.usecase.flow import parse_definition
from pilotage.usecase.records import Definition

TEXT = """
use_case: returning
title: Who comes back
owner: court@example.org

brief:
  workflow: A clerk reads the file.
  users: Clerks
  decision: Whether to invite somebody again.
  kpi: Invitations kept
  value: {currency: USD, caught: 10, false_alarm: -2}

sources:
  people:
    files: env:PEOPLE/*.parquet
    key: [id]
    event_time: screened_at
    known_at: screened_at

decision:
  entity: id
  source: people
  request:
    age: number
    race: category
    priors: number

outcome:
  source: people
  positive: returned = 1
  says: comes back

inputs:
  age: request
  race: request
  priors: request

rule:
  positive: priors > 3
  says: more than three before

policy:
  actions: {positive: Invite, negative: Wait}

groups: [race, sex, age]
"""


def people(text: str = TEXT) -> Definition:
    """The use case."""
    return parse_definition(text, "people.yaml")
