"""What is done when workers crash again and again: what was released last is taken back, as a person would."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from pilotage.govern.records import SYSTEM
from pilotage.monitor.incidents import flow as incidents
from pilotage.monitor.incidents.records import OtherKind
from pilotage.platform.errors import Conflict, PilotageError
from pilotage.platform.workspace import Workspace, opened
from pilotage.releases import flow as releasing
from pilotage.releases.records import Live, Stage
from pilotage.usecase import flow as defining

SUSPECT = timedelta(hours=1)
"""A version that has been live for longer did not begin to crash by itself."""
CRASHED = "The workers crashed again and again."
REASON = "The workers crashed again and again after a version was released."

log = structlog.get_logger()


def step_back_or_say() -> None:
    """Open the installation and step back; where that fails, the workers are restarted all the same."""
    try:
        with opened() as work:
            step_back(work)
    except (PilotageError, SQLAlchemyError) as error:
        log.error("not_rolled_back", error=type(error).__name__)


def step_back(work: Workspace) -> Live | None:
    """Roll the version that was released last back, or switch its use case off where it is the first.

    None where nothing was released within :data:`SUSPECT`, or what is live is already what was stepped back to: then
    it is not the version, and nothing is changed; and where somebody else changed it at the same moment. The audit log
    names the reason, and an incident is opened where it was for us to say.
    """
    now = work.clock.now()
    past = {name: releasing.history(work, name) for name in defining.names(work)}
    since = {name: at for name, each in past.items() if (at := _live_since(each)) is not None and now - at <= SUSPECT}
    suspects = sorted((at, name) for name, at in since.items())
    if not suspects:
        log.error("crash_loop_without_release", hours=SUSPECT / timedelta(hours=1))
        incidents.see(
            work, OtherKind.CRASH_LOOP, f"{CRASHED} Nothing was released shortly before: it is not a version."
        )
        return None
    _, name = suspects[-1]
    judged = past[name][0]
    try:
        changed = releasing.roll_back(work, name, SYSTEM, REASON, judged.revision)
    except Conflict as error:
        if releasing.live(work, name).revision != judged.revision:  # a person, or another replica, was quicker
            log.error("stepped_back_by_others", use_case=name)
            return None
        log.error("no_version_to_step_back_to", use_case=name, error=error.message)
        changed = releasing.disable(work, name, SYSTEM, REASON)
    log.error("stepped_back", use_case=name, version=changed.version, enabled=changed.enabled)
    done = (
        "The version before it is live again."
        if changed.enabled
        else "The use case was switched off: the rule answers."
    )
    incidents.see(
        work,
        OtherKind.CRASH_LOOP,
        f"{CRASHED} This version was released shortly before. {done}",
        name,
        judged.version or "",
    )
    return changed


def _live_since(history: list[Live]) -> datetime | None:
    """When the present version was released; None where it does not run or was put there by us. Newest first."""
    if not history:
        return None
    live = history[0]
    if live.version is None or not live.enabled or live.stage is Stage.OFF or live.reason == REASON:
        return None
    same = [each for each in history if each.version == live.version]
    return min(each.changed_at for each in same)
