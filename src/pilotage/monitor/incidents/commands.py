"""The commands of incidents."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from pilotage.govern.records import EVERY_USE_CASE, SYSTEM
from pilotage.monitor.incidents import flow, rules
from pilotage.platform.counting import plural
from pilotage.platform.instants import iso
from pilotage.platform.terminal import Terminal
from pilotage.platform.workspace import opened

All = Annotated[bool, Parameter(name="--all", help="Closed ones, too.")]
Json = Annotated[bool, Parameter(name="--json", help="Print JSON.")]


def list_(
    *, every: Annotated[bool, Parameter(name="--all", help="Closed ones, too.")] = False, json: Json = False
) -> None:
    """List what went wrong and needs a person: open incidents, or all."""
    terminal = Terminal(json)
    with opened() as work:
        found = flow.listed(work, only_open=not every)
    terminal.document({"incidents": found})
    still_open = [each for each in found if each.is_open]
    terminal.say(f"{plural(len(still_open), 'open incident')}." if still_open else "No incident is open.")
    if found:
        rows = [
            (
                each.id,
                rules.title(each.kind),
                "the installation" if each.use_case == EVERY_USE_CASE else each.use_case,
                iso(each.opened_at)[:19],
                each.times_seen,
                _state(each.acknowledged_by, each.closed_by),
            )
            for each in found
        ]
        terminal.table("Incidents", ("incident", "what", "where", "opened (UTC)", "times", "state"), rows)
        terminal.next(f"pilotage incidents show {found[0].id}")


def show(incident: str, *, json: Json = False) -> None:
    """Show one incident with its timeline."""
    terminal = Terminal(json)
    with opened() as work:
        found = flow.find(work, incident)
    about = found.incident
    terminal.document(found)
    terminal.say(f"{rules.title(about.kind)}: {about.why}")
    rows = [(iso(each.at)[:19], each.what, each.by, each.text) for each in found.steps]
    seen = f"seen {plural(about.times_seen, 'time')}, last at {iso(about.last_seen_at)[:19]}"
    terminal.table(f"{incident}, {seen}", ("at (UTC)", "what", "by", "text"), rows)
    if about.is_open:
        terminal.next(f"pilotage incidents {'close' if about.acknowledged_at else 'acknowledge'} {incident} --note …")


def acknowledge(incident: str, *, note: str = "", json: Json = False) -> None:
    """Say that somebody takes an incident on.

    Parameters
    ----------
    incident
        Its identifier.
    note
        What is known or being done.
    """
    terminal = Terminal(json)
    with opened() as work:
        terminal.document(flow.acknowledge(work, incident, SYSTEM, note))
    terminal.say(f"{incident} is acknowledged.")
    terminal.next(f"pilotage incidents close {incident} --note …")


def close(incident: str, *, note: str, json: Json = False) -> None:
    """Close an incident. Where its cause is still there, a new one opens.

    Parameters
    ----------
    incident
        Its identifier.
    note
        What was found or done.
    """
    terminal = Terminal(json)
    with opened() as work:
        terminal.document(flow.close(work, incident, SYSTEM, note))
    terminal.say(f"{incident} is closed.")


def _state(acknowledged_by: str, closed_by: str) -> str:
    if closed_by:
        return f"closed by {closed_by}"
    return f"acknowledged by {acknowledged_by}" if acknowledged_by else "open"
