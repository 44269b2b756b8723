"""The command of monitoring."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from pilotage.monitor import flow
from pilotage.monitor.records import Operation
from pilotage.platform.terminal import Terminal
from pilotage.platform.workspace import opened
from pilotage.usecase import flow as defining

ANSWERERS = {"model": "the model", "rule": "today's rule", "given": "what was given"}


def monitor(
    use_case: str | None = None, *, json: Annotated[bool, Parameter(name="--json", help="Print JSON.")] = False
) -> None:
    """Read the ledger: volume, fallbacks, realised quality of model and rule, overrides, money so far."""
    terminal = Terminal(json)
    with opened() as work:
        definition = defining.find(work, use_case)
        found = flow.operation(work, definition)
    rows = [
        (ANSWERERS[each.answerer], each.decisions, each.alerts, _share(each.precision), _share(each.recall), each.money)
        for each in found.quality
    ]
    columns = ("answers of", "matured", "alerts", "precision", "recall", f"money, {found.currency}")
    terminal.table(f"Realised quality of {found.use_case}", columns, rows)
    terminal.say(sentence(found))
    terminal.document(found)


def sentence(found: Operation) -> str:
    """The operate page in one sentence."""
    if not found.decisions:
        return f"{found.use_case} has answered nothing yet."
    fallbacks = sum(found.reasons.values())
    return (
        f"{found.decisions:,} decisions, {fallbacks:,} of them fallbacks; {found.matured:,} outcomes are known; "
        f"{found.overrides:,} overridden; {found.money_so_far:,.0f} {found.currency} so far, "
        f"{found.money_of_rule:,.0f} by the rule alone."
    )


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"
