"""The nouns of webhooks: endpoints, events, deliveries, attempts."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct

EVERY_TYPE = "*"
"""Stands for every type of event that does not come with every single decision."""


class EventType(enum.StrEnum):
    """What can be told. The text is the CloudEvents ``type``."""

    VERSION_MADE = "pilotage.version.made"
    VERSION_RELEASED = "pilotage.version.released"
    VERSION_ROLLED_BACK = "pilotage.version.rolled_back"
    STAGE_CHANGED = "pilotage.stage.changed"
    SWITCH_DISABLED = "pilotage.switch.disabled"
    SWITCH_ENABLED = "pilotage.switch.enabled"
    USE_CASE_ADOPTED = "pilotage.use_case.adopted"
    CONTRACT_ADOPTED = "pilotage.contract.adopted"
    CONTRACT_RETIRED = "pilotage.contract.retired"
    CASE_ASSIGNED = "pilotage.case.assigned"
    CASE_DECIDED = "pilotage.case.decided"
    CASE_REOPENED = "pilotage.case.reopened"
    CASE_OVERDUE = "pilotage.case.overdue"
    CASE_LAPSED = "pilotage.case.lapsed"
    FEEDBACK_GIVEN = "pilotage.feedback.given"
    FEEDBACK_TAKEN_BACK = "pilotage.feedback.taken_back"
    OUTCOME_JOINED = "pilotage.outcome.joined"
    DECISION_ANSWERED = "pilotage.decision.answered"
    INCIDENT_OPENED = "pilotage.incident.opened"
    INCIDENT_CLOSED = "pilotage.incident.closed"
    WEBHOOK_TEST = "pilotage.webhook.test"


DeliveryState = Literal["waiting", "delivered", "given_up"]


class Told(Struct, frozen=True):
    """Something that happened, before it is an event: its type, its use case, what it is about, and particulars."""

    type: EventType
    use_case: str
    subject: str
    at: datetime
    data: dict[str, Any]


class Event(Struct, frozen=True):
    """Something that happened. ``body`` is the CloudEvent byte for byte as it is sent; ``entry`` the audit log's."""

    id: str
    type: str
    use_case: str
    subject: str
    at: datetime
    body: bytes
    entry: int | None = None


class Endpoint(Struct, frozen=True, kw_only=True):
    """An address of another system, and what it is told. Without its secrets.

    It is told deeds after the audit log's entry ``since_entry``. ``failures`` counts attempts since the last one that
    succeeded, the first of them at ``failing_since``; until ``resting_until`` it is left alone. A secret that was
    replaced signs until ``old_secret_until``, too.
    """

    id: str
    url: str
    description: str
    types: tuple[str, ...]
    use_case: str
    made_at: datetime
    made_by: str
    since_entry: int
    old_secret_until: datetime | None = None
    disabled_at: datetime | None = None
    disabled_because: str = ""
    failures: int = 0
    failing_since: datetime | None = None
    resting_until: datetime | None = None


class Secrets(Struct, frozen=True):
    """An endpoint's secrets as stored: encrypted with a key of this installation."""

    sealed: bytes
    old_sealed: bytes | None = None
    old_until: datetime | None = None


class Delivery(Struct, frozen=True, kw_only=True):
    """One event on its way to one endpoint. ``attempts`` counts those that were begun."""

    id: str
    endpoint: str
    event: str
    type: str
    subject: str
    state: DeliveryState
    attempts: int
    made_at: datetime
    due_at: datetime
    replay: bool = False


class Attempt(Struct, frozen=True, kw_only=True):
    """One try: what the other side answered, cut short, or why it did not. ``latency_ms`` is in milliseconds."""

    delivery: str
    number: int
    at: datetime
    status: int | None
    latency_ms: float
    answer: str
    error: str


class Claim(Struct, frozen=True, kw_only=True):
    """A delivery that one worker holds for a while: all that it takes to send it."""

    delivery: str
    number: int
    lease: str
    endpoint: Endpoint
    secrets: Secrets
    event: str
    body: bytes


class Waiting(Struct, frozen=True):
    """An endpoint with deliveries that are due: how many, the oldest one's time, and whether it failed last."""

    endpoint: str
    count: int
    due_at: datetime
    failing: bool


class Page(Struct, frozen=True):
    """A stretch of the delivery log, newest first; ``before`` asks for the next one."""

    deliveries: tuple[Delivery, ...]
    before: str | None
