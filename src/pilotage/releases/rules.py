"""What may change in what is live, as pure functions from one :class:`Live` to the next."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from pilotage.platform.errors import Conflict, InvalidRequest
from pilotage.releases.records import Live, Stage, Version


def first(use_case: str, definition: str, now: datetime, by: str) -> Live:
    """What is live before anything was released: nothing."""
    return Live(
        use_case=use_case,
        definition=definition,
        version=None,
        previous_version=None,
        stage=Stage.OFF,
        share=0.0,
        enabled=True,
        reason="Nothing was released yet.",
        revision=0,
        changed_at=now,
        changed_by=by,
    )


def with_version(live: Live, version: Version, definition: str, reason: str, now: datetime, by: str) -> Live:
    """The same stage with another version; the present one becomes the one to roll back to."""
    previous = live.version if live.version != version.id else live.previous_version
    changed = msgspec.structs.replace(live, version=version.id, previous_version=previous, definition=definition)
    return _next(changed, reason, now, by)


def with_stage(live: Live, stage: Stage, share: float, reason: str, now: datetime, by: str) -> Live:
    """Another stage. ``share`` in (0, 1] is the share of entities that get the model's answer from assist on."""
    if stage is not Stage.OFF and live.version is None:
        raise Conflict(f"{live.use_case} has no version, so it cannot be in {stage}.", "Run pilotage release first.")
    if not 0 < share <= 1:
        raise InvalidRequest(f"A share lies above 0 and at most 1; {share} came.", "Give --share 0.2 for one in five.")
    reached = share if stage in (Stage.ASSIST, Stage.AUTOMATE) else 0.0
    return _next(msgspec.structs.replace(live, stage=stage, share=reached), reason, now, by)


def switched(live: Live, enabled: bool, reason: str, now: datetime, by: str) -> Live:
    """The switch: off, the app gets the rule's answer; on, the stage counts again."""
    if live.enabled == enabled:
        state = "on" if enabled else "off"
        raise Conflict(f"{live.use_case} is already switched {state}.", "Nothing was changed.")
    return _next(msgspec.structs.replace(live, enabled=enabled), reason, now, by)


def rolled_back(live: Live, reason: str, now: datetime, by: str) -> Live:
    """The version before the present one, in the same stage."""
    if live.previous_version is None:
        raise Conflict(
            f"{live.use_case} has no earlier version to go back to.",
            f"pilotage disable {live.use_case} is the way out.",
        )
    changed = msgspec.structs.replace(live, version=live.previous_version, previous_version=live.version)
    return _next(changed, reason, now, by)


def difference(before: Live | None, after: Live, numbers: Mapping[str, int]) -> str:
    """What changed, in words: ``Stage shadow, version 2``. ``numbers`` is by version identifier."""
    changed = []
    if before is None or before.stage != after.stage:
        changed.append(f"stage {after.stage}")
    if after.version and (before is None or before.version != after.version):
        changed.append(f"version {numbers[after.version]}")
    if after.share and (before is None or before.share != after.share):
        changed.append(f"share {after.share:.0%}")
    if not after.enabled if before is None else before.enabled != after.enabled:
        changed.append("switched on" if after.enabled else "switched off")
    return ", ".join(changed).capitalize() or "Confirmed"


def _next(live: Live, reason: str, now: datetime, by: str) -> Live:
    if not reason.strip():
        raise InvalidRequest("A change of what is live needs a reason; none came.", "Give --reason in a few words.")
    return msgspec.structs.replace(live, revision=live.revision + 1, reason=reason, changed_at=now, changed_by=by)
