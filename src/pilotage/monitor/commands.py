"""The command of monitoring."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from pilotage.monitor import flow
from pilotage.monitor.measures import MEASURES, shown
from pilotage.monitor.records import Answerer, Operation
from pilotage.platform.terminal import Terminal
from pilotage.platform.workspace import opened
from pilotage.usecase import flow as defining

ANSWERERS: dict[Answerer, str] = {"model": "the model", "rule": "today's rule", "given": "what was given"}


def monitor(
    use_case: str | None = None, *, json: Annotated[bool, Parameter(name="--json", help="Print JSON.")] = False
) -> None:
    """Read the ledger: volume, fallbacks, realised quality of model and rule, overrides, money so far."""
    terminal = Terminal(json)
    with opened() as work:
        definition = defining.find(work, use_case)
        found = flow.operation(work, definition)
    rows = [(ANSWERERS[each.answerer], each.decisions, *shown(found.kind, each), each.money) for each in found.quality]
    headings = (each.heading.lower() for each in MEASURES[found.kind])
    columns = ("answers of", "matured", *headings, f"money, {found.currency}")
    terminal.table(f"Realised quality of {found.use_case}", columns, rows)
    terminal.say(sentence(found))
    terminal.document(found)


def sentence(found: Operation) -> str:
    """The operate page in one sentence."""
    if not found.decisions:
        return f"{found.use_case} has answered nothing yet."
    fallbacks = sum(found.reasons.values())
    return (
        f"{found.decisions:,} decisions, {fallbacks:,} of them fallbacks; {found.matured:,} outcomes came after them"
        f"{_known_before(found)}; "
        f"{found.overrides:,} overridden; {found.money_so_far:,.0f} {found.currency} so far, "
        f"{found.money_of_rule:,.0f} by the rule alone."
    )


def _known_before(found: Operation) -> str:
    if not found.known_before:
        return ""
    return f", {found.known_before:,} had been read before and count in no figure of quality or money"
