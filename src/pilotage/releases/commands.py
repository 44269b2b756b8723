"""The commands of releasing."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from pilotage.govern.records import SYSTEM
from pilotage.models import flow as modelling
from pilotage.platform.errors import EvidenceMissing
from pilotage.platform.terminal import Terminal
from pilotage.platform.workspace import opened
from pilotage.releases import flow, rules
from pilotage.releases.records import Stage, Version
from pilotage.usecase import flow as defining

Machine = Annotated[bool, Parameter(name="--json", help="Print JSON for machines.")]


def release(
    use_case: str | None = None, *, number: int | None = None, reason: str = "released by hand", json: Machine = False
) -> None:
    """Make a version of the recommended candidate and release it; with --number, release an earlier version.

    In assist and automate the stage goes back to shadow: the gates judge the version before people see its answers.
    """
    terminal = Terminal(json)
    with opened() as work:
        definition = defining.find(work, use_case)
        if number is not None:
            version = flow.version_number(work, definition.name, number)
        else:
            comparison = modelling.latest_comparison(work, definition.name)
            if comparison is None:
                raise EvidenceMissing(
                    f"{definition.name} has no comparison yet.", f"Run pilotage train {definition.name} first."
                )
            version = flow.make_version(work, definition, comparison, comparison.recommended, SYSTEM)
        live = flow.release(work, definition, version, SYSTEM, reason)
        left = rules.stepped_back(flow.history(work, definition.name))
    name = definition.name
    terminal.say(f"Version {version.number} of {name} ({version.candidate}) is released, in stage {live.stage}.")
    if left is not None:
        terminal.say(f"The stage went back from {left} to shadow: no gate has judged this version yet.")
    terminal.document({"version": version, "live": live})
    terminal.next(f"pilotage stage {name} shadow" if live.stage is Stage.OFF else f"pilotage gate {name}")


def versions(use_case: str | None = None, *, json: Machine = False) -> None:
    """List the versions of a use case and which one is live."""
    terminal = Terminal(json)
    with opened() as work:
        definition = defining.find(work, use_case)
        live = flow.live(work, definition.name)
        known = flow.versions(work, definition.name)
        rows = [_row(each, live.version) for each in known]
        terminal.table(f"Versions of {definition.name}", ("number", "candidate", "made", "artefact", ""), rows)
        switch = "on" if live.enabled else f"OFF ({live.reason})"
        terminal.say(f"{len(known)} versions; stage {live.stage}, share {live.share:.0%}, switch {switch}.")
        terminal.document({"versions": known, "live": live})


def disable(use_case: str | None = None, *, reason: str, json: Machine = False) -> None:
    """Switch a use case off: the app gets the rule's answer from now on."""
    terminal = Terminal(json)
    with opened() as work:
        live = flow.disable(work, defining.find(work, use_case).name, SYSTEM, reason)
        terminal.say(f"{live.use_case} is switched off; the rule answers. Every worker follows within a second.")
        terminal.document(live)
        terminal.next(f"pilotage enable {live.use_case} --reason …")


def enable(use_case: str | None = None, *, reason: str, json: Machine = False) -> None:
    """Switch a use case on again, in the stage it was in."""
    terminal = Terminal(json)
    with opened() as work:
        live = flow.enable(work, defining.find(work, use_case).name, SYSTEM, reason)
        terminal.say(f"{live.use_case} is switched on, in stage {live.stage}.")
        terminal.document(live)


def rollback(use_case: str | None = None, *, reason: str, json: Machine = False) -> None:
    """Go back to the version before the present one; again, to the one before that."""
    terminal = Terminal(json)
    with opened() as work:
        live = flow.roll_back(work, defining.find(work, use_case).name, SYSTEM, reason)
        number = flow.version(work, live.version or "").number
        terminal.say(f"{live.use_case} is back on version {number}, in stage {live.stage}.")
        terminal.document(live)


def _row(version: Version, live: str | None) -> tuple[object, ...]:
    mark = "live" if version.id == live else ""
    return version.number, version.candidate, f"{version.made_at:%Y-%m-%d %H:%M}", version.artefact[:12], mark
