"""The commands of releasing."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from pilotage.govern.records import SYSTEM
from pilotage.platform.settings import read_settings
from pilotage.platform.terminal import Terminal
from pilotage.platform.workspace import opened
from pilotage.releases import flow, rules, switching
from pilotage.releases.records import Live, MeasuredParity, Version
from pilotage.usecase import flow as defining

Machine = Annotated[bool, Parameter(name="--json", help="Print JSON for machines.")]


def versions(use_case: str | None = None, *, json: Machine = False) -> None:
    """List the versions of a use case and which one is live."""
    terminal = Terminal(json)
    with opened() as work:
        definition = defining.find(work, use_case)
        live = flow.live(work, definition.name)
        known = flow.versions(work, definition.name)
        parities = flow.parities(work, definition)
        rows = [_row(each, live.version, parities.get(each.id)) for each in known]
        columns = ("number", "candidate", "made", "artefact", "as in training", "")
        terminal.table(f"Versions of {definition.name}", columns, rows)
        switch = "on" if live.enabled else f"OFF ({live.reason})"
        terminal.say(f"{len(known)} versions; stage {live.stage}, share {live.share:.0%}, switch {switch}.")
        if by_which := flow.earlier_file(work, definition):
            terminal.say(by_which)
        terminal.document({"versions": known, "live": live, "parity": parities})


def history(use_case: str | None = None, *, json: Machine = False) -> None:
    """Show what was live when, newest first: every release, roll-back, change of stage and use of the switch."""
    terminal = Terminal(json)
    with opened() as work:
        name = defining.find(work, use_case).name
        past = flow.history(work, name, limit=None)
        numbers = {each.id: each.number for each in flow.versions(work, name)}
        columns = ("revision", "when (UTC)", "who", "version", "stage", "share", "switch", "why")
        terminal.table(f"What was live of {name}", columns, [_changed(each, numbers) for each in past])
        terminal.say(f"{len(past)} changes; none is ever altered or removed.")
        terminal.document({"use_case": name, "history": past, "numbers": numbers})


def disable(use_case: str | None = None, *, reason: str, json: Machine = False) -> None:
    """Switch a use case off: the app gets the rule's answer from now on.

    Workers on this host follow at once, also while the database cannot be reached; those on others when it has it.
    """
    terminal = Terminal(json)
    done = switching.switch_off(read_settings(), use_case, reason, SYSTEM)
    if done.live is None:
        terminal.say(
            f"{done.use_case} is switched off on this host; the rule answers, also after a restart. The database could "
            "not be reached: other hosts follow once it is back, and the audit log gets its entry then."
        )
    else:
        terminal.say(f"{done.use_case} is switched off; the rule answers. Every worker follows within a second.")
    terminal.document(done.live or {"use_case": done.use_case, "enabled": False, "database": "unreachable"})
    terminal.next(f"pilotage enable {done.use_case} --reason …")


def enable(use_case: str | None = None, *, reason: str, json: Machine = False) -> None:
    """Switch a use case on again, in the stage it was in."""
    terminal = Terminal(json)
    with opened() as work:
        live = switching.switch_on(work, defining.find(work, use_case).name, SYSTEM, reason)
        terminal.say(f"{live.use_case} is switched on, in stage {live.stage}.")
        terminal.document(live)


def rollback(use_case: str | None = None, *, reason: str, json: Machine = False) -> None:
    """Go back to the version before the present one; again, to the one before that."""
    terminal = Terminal(json)
    with opened() as work:
        definition = defining.find(work, use_case)
        name = definition.name
        before = flow.live(work, name)
        live = flow.roll_back(work, name, SYSTEM, reason, before.revision)
        left, number = (flow.version(work, each.version or "").number for each in (before, live))
        terminal.say(
            f"{name} is back from version {left} on version {number}, in stage {live.stage}: revision {live.revision}."
        )
        if by_which := flow.earlier_file(work, definition):
            terminal.say(by_which)
        terminal.document(live)


def _changed(live: Live, numbers: dict[str, int]) -> tuple[object, ...]:
    number = numbers[live.version] if live.version else "none"
    share, switch = f"{live.share:.0%}" if live.share else "–", "on" if live.enabled else "OFF"
    when = f"{live.changed_at:%Y-%m-%d %H:%M:%S}"
    return live.revision, when, live.changed_by, number, live.stage.value, share, switch, live.reason


def _row(version: Version, live: str | None, parity: MeasuredParity | None) -> tuple[object, ...]:
    mark = "live" if version.id == live else ""
    made = f"{version.made_at:%Y-%m-%d %H:%M}"
    return version.number, version.candidate, made, version.artefact[:12], rules.parity_in_short(parity), mark
