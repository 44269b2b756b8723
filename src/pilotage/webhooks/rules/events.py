"""Which deed is which event, and its body: a CloudEvent 1.0 in structured JSON. No inputs, entities or free texts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import msgspec

from pilotage.govern.records import EVERY_USE_CASE, AuditEntry
from pilotage.platform.errors import InvalidRequest
from pilotage.platform.instants import iso
from pilotage.webhooks.records import EVERY_TYPE, Endpoint, EventType, Told

FREQUENT: Final = frozenset({EventType.DECISION_ANSWERED, EventType.OUTCOME_JOINED})
"""These come with every decision: an endpoint gets them only when it names them."""

MEANINGS: Final[Mapping[EventType, tuple[str, str]]] = MappingProxyType(
    {
        EventType.VERSION_MADE: ("A version was made of a comparison's candidate.", "the version"),
        EventType.VERSION_RELEASED: ("A version became the live one.", "the version"),
        EventType.VERSION_ROLLED_BACK: ("The version before became the live one again.", "the version"),
        EventType.STAGE_CHANGED: ("The stage or the share of entities changed.", "the use case"),
        EventType.SWITCH_DISABLED: ("The model was switched off: the rule answers.", "the use case"),
        EventType.SWITCH_ENABLED: ("The model was switched on again.", "the use case"),
        EventType.USE_CASE_ADOPTED: ("A use-case file was adopted.", "the use case"),
        EventType.CONTRACT_ADOPTED: ("A contract of a source was adopted.", "the use case and the source"),
        EventType.CONTRACT_RETIRED: ("A contract of a source counts no more.", "the use case and the source"),
        EventType.CASE_ASSIGNED: ("A reviewer took a case.", "the case"),
        EventType.CASE_DECIDED: ("A reviewer decided a case.", "the case"),
        EventType.CASE_REOPENED: ("A reviewer took back the verdict that had decided a case.", "the case"),
        EventType.CASE_OVERDUE: ("Nobody decided a case by its deadline.", "the case"),
        EventType.CASE_LAPSED: ("Nobody decided a case at all: the way before holds.", "the case"),
        EventType.FEEDBACK_GIVEN: ("A person said useful, wrong, accept, override or escalate.", "the feedback"),
        EventType.FEEDBACK_TAKEN_BACK: ("A person took back what they had said.", "the feedback"),
        EventType.OUTCOME_JOINED: ("What really happened was joined to a decision.", "the decision"),
        EventType.DECISION_ANSWERED: ("A question was answered, and the answer is in the ledger.", "the decision"),
        EventType.INCIDENT_OPENED: ("Something went wrong and needs a person.", "the incident"),
        EventType.INCIDENT_CLOSED: ("An incident was closed: by a person, or as its cause is gone.", "the incident"),
        EventType.WEBHOOK_TEST: ("Somebody tries an endpoint out; only that one gets it.", "the endpoint"),
    }
)
"""What each type says, and what its subject is."""

_LIVE_KEYS = ("stage", "share", "version", "enabled", "revision")
_DEEDS: Mapping[str, tuple[EventType, tuple[str, ...]]] = MappingProxyType(
    {
        "version.made": (EventType.VERSION_MADE, ("number", "candidate", "version")),
        "version.released": (EventType.VERSION_RELEASED, _LIVE_KEYS),
        "version.rolled_back": (EventType.VERSION_ROLLED_BACK, _LIVE_KEYS),
        "stage.changed": (EventType.STAGE_CHANGED, _LIVE_KEYS),
        "switch.disabled": (EventType.SWITCH_DISABLED, _LIVE_KEYS),
        "switch.enabled": (EventType.SWITCH_ENABLED, _LIVE_KEYS),
        "use_case.adopted": (EventType.USE_CASE_ADOPTED, ()),
        "contract.adopted": (EventType.CONTRACT_ADOPTED, ()),
        "contract.retired": (EventType.CONTRACT_RETIRED, ()),
        "case.approved": (EventType.CASE_DECIDED, ("decision",)),
        "case.corrected": (EventType.CASE_DECIDED, ("decision",)),
        "case.rejected": (EventType.CASE_DECIDED, ("decision",)),
        "case.reopened": (EventType.CASE_REOPENED, ("decision",)),
        "case.overdue": (EventType.CASE_OVERDUE, ("decision",)),
        "case.lapsed": (EventType.CASE_LAPSED, ("decision",)),
        "incident.opened": (EventType.INCIDENT_OPENED, ("kind", "version", "incident")),
        "incident.closed": (EventType.INCIDENT_CLOSED, ("kind", "version", "incident")),
    }
)
"""By action in the audit log: the event, and the particulars that are told. All others stay here."""

ACTIONS = tuple(_DEEDS)


def told_by(entry: AuditEntry) -> Told | None:
    """What an entry of the audit log tells others; None where it is nobody's business."""
    if entry.action not in _DEEDS:
        return None
    kind, keys = _DEEDS[entry.action]
    detail = entry.detail
    use_case = str(detail.get("use_case") or entry.subject.partition("/")[0])
    data = {"use_case": use_case, **{key: detail[key] for key in keys if key in detail}}
    if kind is EventType.CASE_DECIDED:
        data["verdict"] = entry.action.partition(".")[2]
    data["audit_entry"] = entry.number
    return Told(kind, use_case, _subject(kind, entry), entry.at, data)


def body(identifier: str, source: str, told: Told) -> bytes:
    """The CloudEvent (version 1.0, JSON format); ``source`` is the address of this installation."""
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": identifier,
        "source": source,
        "type": told.type.value,
        "subject": told.subject,
        "time": iso(told.at),
        "datacontenttype": "application/json",
        "data": told.data,
    }
    return msgspec.json.encode(event)


def wants(endpoint: Endpoint, kind: str, use_case: str) -> bool:
    """Whether an endpoint is to be told events of this type about this use case."""
    if endpoint.use_case not in (EVERY_USE_CASE, use_case) or kind == EventType.WEBHOOK_TEST:
        return False
    return kind in endpoint.types or (EVERY_TYPE in endpoint.types and kind not in FREQUENT)


def wanted_types(endpoint: Endpoint) -> list[str]:
    """The types that an endpoint is to be told."""
    return [kind.value for kind in EventType if wants(endpoint, kind, endpoint.use_case)]


def interested(endpoints: Iterable[Endpoint], kind: str, use_case: str) -> list[Endpoint]:
    """The endpoints that are told now: those that want it and are not disabled."""
    return [each for each in endpoints if each.disabled_at is None and wants(each, kind, use_case)]


def checked_types(types: Sequence[str]) -> tuple[str, ...]:
    """The types as given, each once; nothing means every type but the frequent ones.

    Raises:
        InvalidRequest: one of them does not exist.
    """
    known = {EVERY_TYPE, *EventType} - {EventType.WEBHOOK_TEST}
    given = tuple(dict.fromkeys(each.strip() for each in types if each.strip())) or (EVERY_TYPE,)
    if unknown := [each for each in given if each not in known]:
        raise InvalidRequest(
            f"There is no event of type {unknown[0][:80]!r}.", "Known: " + ", ".join(sorted(known)) + "."
        )
    return tuple(str(each) for each in given)


def _subject(kind: EventType, entry: AuditEntry) -> str:
    version = entry.detail.get("version")
    if kind in (EventType.VERSION_RELEASED, EventType.VERSION_ROLLED_BACK) and isinstance(version, list):
        version = version[-1]
    about_version = kind in (EventType.VERSION_MADE, EventType.VERSION_RELEASED, EventType.VERSION_ROLLED_BACK)
    return version if about_version and isinstance(version, str) and version else entry.subject
