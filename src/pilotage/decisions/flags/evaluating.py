"""What is live of a use case, as flags for one entity. Pure functions: the same arms as decisions have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from pilotage.decisions import rules
from pilotage.decisions.flags.records import BulkFailure, Evaluation, Failure, Flag, Reason
from pilotage.platform.errors import InvalidRequest
from pilotage.platform.strictness import UNDECODABLE, demand_unique_names
from pilotage.releases.records import Live

KINDS = ("stage", "enabled", "arm")
TARGETING_KEY = "targetingKey"


def context_of(body: bytes) -> dict[str, Any] | BulkFailure:
    """The context that a request brings; an empty body brings none."""
    if not body:
        return {}
    try:
        context = msgspec.json.decode(body, type=Evaluation).context
        demand_unique_names(body)
    except UNDECODABLE as error:
        return BulkFailure("PARSE_ERROR", f"The body is no evaluation request: {error}.")
    except InvalidRequest as error:
        return BulkFailure("PARSE_ERROR", error.message)
    if not isinstance(context.get(TARGETING_KEY, ""), str):
        return BulkFailure("INVALID_CONTEXT", f"{TARGETING_KEY} must be a text: the entity of the decision.")
    return context


def split_key(key: str) -> tuple[str, str]:
    """Use case and kind of a flag's key ``<use_case>.<kind>``; the kind is empty where there is none such."""
    use_case, _, kind = key.rpartition(".")
    return (use_case, kind) if kind in KINDS else (key, "")


def not_found(key: str) -> Failure:
    """The answer for keys that are none, or that the caller may not know of."""
    known = ", ".join(f"<use_case>.{kind}" for kind in KINDS)
    return Failure(key, "FLAG_NOT_FOUND", f"There is no flag {key}. Flags are {known}.")


def evaluated(live: Live, kind: str, context: dict[str, Any]) -> Flag | Failure:
    """One flag of a use case."""
    key = f"{live.use_case}.{kind}"
    metadata: dict[str, bool | str | float] = {"use_case": live.use_case, "revision": live.revision}
    if live.version is not None:
        metadata["version"] = live.version
    if kind == "stage":
        return Flag(key, live.stage.value, "STATIC", live.stage.value, metadata)
    if kind == "enabled":
        return Flag(key, live.enabled, "STATIC", "on" if live.enabled else "off", metadata)
    entity = context.get(TARGETING_KEY)
    if not entity:
        return Failure(key, "TARGETING_KEY_MISSING", f"{key} depends on the entity: send it as {TARGETING_KEY}.")
    if not live.enabled:
        return Flag(key, "rule", "DISABLED", "rule", metadata)
    arm = rules.arm_of(live.use_case, entity, live.stage, live.share)
    reason: Reason = "SPLIT" if live.stage in rules.MODEL_ANSWERS and 0 < live.share < 1 else "STATIC"
    return Flag(key, arm, reason, arm, {**metadata, "share": live.share})


def all_flags(lives: Iterable[Live], context: dict[str, Any]) -> list[Flag | Failure]:
    """Every flag of these use cases, in the order of their names."""
    ordered = sorted(lives, key=lambda live: live.use_case)
    return [evaluated(live, kind, context) for live in ordered for kind in KINDS]
