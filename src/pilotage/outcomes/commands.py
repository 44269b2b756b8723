"""The command of outcomes."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from pilotage.data import flow as data
from pilotage.outcomes import flow
from pilotage.outcomes.rules import told
from pilotage.platform.terminal import Terminal
from pilotage.platform.workspace import opened
from pilotage.usecase import flow as defining


def outcomes(
    use_case: str | None = None, *, json: Annotated[bool, Parameter(name="--json", help="Print JSON.")] = False
) -> None:
    """Sync the outcome source and join what became known to the decisions."""
    terminal = Terminal(json)
    with opened() as work:
        definition = defining.find(work, use_case)
        data.sync(work, definition)
        found = flow.pull(work, definition)
    terminal.say(f"{found.joined:,} outcomes joined, {found.corrected:,} corrected.")
    for sentence in told(found, definition.use_case.outcome, definition.plan.entity):
        terminal.say(sentence)
    terminal.document(found)
    terminal.next(f"pilotage monitor {definition.name}")
