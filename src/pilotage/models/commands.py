"""The commands of modelling."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from pilotage.models import flow
from pilotage.models.records import Comparison
from pilotage.models.rules import wording
from pilotage.platform.errors import EvidenceMissing
from pilotage.platform.terminal import Terminal
from pilotage.platform.workspace import opened
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Definition

Machine = Annotated[bool, Parameter(name="--json", help="Print JSON for machines.")]


def train(use_case: str | None = None, *, json: Machine = False) -> None:
    """Train every candidate and compare them with the rule on time that none of them has seen."""
    terminal = Terminal(json)
    with opened() as work:
        definition = defining.find(work, use_case)
        _show(terminal, definition, flow.train_and_compare(work, definition, terminal.say))


def compare(use_case: str | None = None, *, json: Machine = False) -> None:
    """Print the newest comparison of the rule and the candidates."""
    terminal = Terminal(json)
    with opened() as work:
        definition = defining.find(work, use_case)
        comparison = flow.latest_comparison(work, definition.name)
        if comparison is None:
            raise EvidenceMissing(
                f"{definition.name} has no comparison yet.", f"Run pilotage train {definition.name} first."
            )
        _show(terminal, definition, comparison)


def _show(terminal: Terminal, definition: Definition, comparison: Comparison) -> None:
    rows = [
        (
            one.title + (" ◀" if one.candidate == comparison.recommended else ""),
            wording.interval(one.money, 0),
            wording.interval(one.auc),
            wording.interval(one.precision, 0, 100),
            wording.interval(one.recall, 0, 100),
            wording.interval(one.log_loss, 4),
            f"{one.latency_us:.0f}",
            wording.size(one.size_bytes),
        )
        for one in comparison.candidates
    ]
    names = (f"{comparison.currency} per 1,000", "AUC", "precision %", "recall %", "log loss", "µs a row", "size")
    terminal.table(f"{definition.use_case.title}: the rule and the candidates", ("candidate", *names), rows)
    if not terminal.machine:
        terminal.say(wording.grounds(comparison))
        terminal.say(comparison.reason)
    terminal.document(comparison)
    if comparison.recommended == "rule":
        terminal.next(f"pilotage audit {definition.name}")
    else:
        terminal.next(f"pilotage release {definition.name}")
