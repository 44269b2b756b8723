"""The switch in both its places: this host's file, which needs nothing but the disk, and the database."""

from __future__ import annotations

import contextlib
import getpass

from msgspec import Struct
from sqlalchemy.exc import DBAPIError

from pilotage.govern.records import SYSTEM, Principal
from pilotage.platform.clock import SystemClock
from pilotage.platform.errors import Conflict, NotFound, SettingsError
from pilotage.platform.settings import Settings
from pilotage.platform.signing import Signer
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.releases import flow, hostswitch
from pilotage.releases.hostswitch import SwitchedOff
from pilotage.releases.records import Live
from pilotage.usecase import flow as defining


class Done(Struct, frozen=True):
    """A use case was switched off; ``live`` is None where only this host knows yet, as the database was away."""

    use_case: str
    live: Live | None


def switch_off(settings: Settings, use_case: str | None, reason: str, by: Principal) -> Done:
    """Switch off on this host at once, and everywhere as soon as the database can be told.

    Raises:
        NotFound: there is no such use case.
        Conflict: it is switched off already.
        SettingsError: the database cannot be reached, and no use case was named.
    """
    if use_case is None or "/" in use_case or "." in use_case:  # a file, or the only one: the database knows which
        use_case = _named(settings, use_case)
    signer = Signer.at(settings.home / "keys" / "signing.pem")
    off = SwitchedOff(use_case, reason, getpass.getuser(), SystemClock().now())
    hostswitch.write(settings.of_host, signer, off)
    try:
        work = open_workspace(settings)
    except DBAPIError:
        return Done(use_case, None)
    try:
        live = flow.disable(work, defining.find_adopted(work, use_case).name, by, reason)
    except DBAPIError:
        return Done(use_case, None)
    except (Conflict, NotFound):
        hostswitch.clear(settings.of_host, use_case)
        raise
    finally:
        work.close()
    hostswitch.clear(settings.of_host, use_case)
    return Done(use_case, live)


def switch_on(work: Workspace, use_case: str, by: Principal, reason: str) -> Live:
    """Switch on again, in the stage that was left; what only this host knew is told to the database first.

    Raises:
        Conflict: it is on, here and in the database.
    """
    settle(work, use_case)
    live = flow.enable(work, use_case, by, reason)
    hostswitch.clear(work.settings.of_host, use_case)
    return live


def settle(work: Workspace, use_case: str) -> None:
    """Bring a switch that was used on this host while the database was away into it, with its audit-log entry.

    A file that was not signed here is left where it is until somebody switches the use case on: it says nothing that
    could be recorded in anybody's name.
    """
    off = hostswitch.read(work.settings.of_host, work.signer, use_case)
    if off is None:
        if use_case in hostswitch.names(work.settings.of_host) and flow.live(work, use_case).enabled:
            flow.disable(work, use_case, SYSTEM, "A switch file on this host, not signed here")
        return
    reason = f"{off.reason} (by {off.by} on the host at {off.at:%Y-%m-%d %H:%M:%S} UTC; the database was away)"
    with contextlib.suppress(Conflict):  # it is off already
        flow.disable(work, use_case, SYSTEM, reason)
    hostswitch.clear(work.settings.of_host, use_case)


def _named(settings: Settings, use_case: str | None) -> str:
    try:
        work = open_workspace(settings)
    except DBAPIError as error:
        raise SettingsError(
            "The control database cannot be reached, so it cannot be asked which use case is meant.",
            "Name it: pilotage disable NAME --reason … switches it off on this host at once.",
        ) from error
    try:
        return defining.find(work, use_case).name
    finally:
        work.close()
