"""The command of outcomes: joining them, and what could not be joined."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from pilotage.data import flow as data
from pilotage.outcomes import flow, quarantine
from pilotage.outcomes.records import Waiting
from pilotage.outcomes.rules import told
from pilotage.platform.counting import plural
from pilotage.platform.terminal import Terminal
from pilotage.platform.workspace import opened
from pilotage.usecase import flow as defining


def outcomes(
    use_case: str | None = None,
    *,
    quarantined: Annotated[bool, Parameter(help="List what was told of decisions that nobody knows.")] = False,
    json: Annotated[bool, Parameter(name="--json", help="Print JSON.")] = False,
) -> None:
    """Sync the outcome source and join what became known to the decisions; or list what could not be joined."""
    terminal = Terminal(json)
    with opened() as work:
        definition = defining.find(work, use_case)
        if quarantined:
            _list(terminal, quarantine.waiting(work, definition.name))
            return
        data.sync(work, definition)
        found = flow.pull(work, definition)
    terminal.say(f"{found.joined:,} outcomes joined, {found.corrected:,} corrected.")
    for sentence in told(found, definition.use_case.outcome, definition.plan.entity):
        terminal.say(sentence)
    terminal.document(found)
    terminal.next(f"pilotage monitor {definition.name}")


def _list(terminal: Terminal, waiting: list[Waiting]) -> None:
    rows = [(each.report.name, _about(each), each.caller, f"{each.age.days} days", each.why) for each in waiting]
    terminal.say(f"{plural(len(rows), 'outcome')} in quarantine.")
    if rows:
        terminal.table("Quarantined outcomes", ("event", "about", "told by", "age", "why"), rows)
    terminal.document(waiting)


def _about(each: Waiting) -> str:
    return each.report.decision or each.report.entity
