"""The commands of modelling."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from pilotage.data import flow as data
from pilotage.data.rules.holdouts import times_judged_said
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
        comparison = flow.train_and_compare(work, definition, terminal.say)
        _show(terminal, definition, comparison, data.times_judged(work, comparison.id))


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
        _show(terminal, definition, comparison, data.times_judged(work, comparison.id))


def _show(terminal: Terminal, definition: Definition, comparison: Comparison, times_judged: int) -> None:
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
    same = comparison.trivial
    if same is not None:
        loss = wording.interval(same.log_loss, 4)
        rows.append((f"Always the same ({same.best})", wording.interval(same.money, 0), *3 * ("",), loss, "", ""))
    money = f"{comparison.currency} per 1,000"
    names = (money, "AUC", "precision %", "recall %", "log loss", "µs a row", "size")
    terminal.table(f"{definition.use_case.title}: the rule and the candidates", ("candidate", *names), rows)
    if comparison.differences:
        apart = [(wording.name(comparison, one.candidate), *wording.against(one)) for one in comparison.differences]
        terminal.table("More than the rule, on the same days", ("candidate", money, "p", "p, all tried"), apart)
    if not terminal.machine:
        terminal.say(wording.grounds(comparison))
        if times_judged:
            terminal.say(times_judged_said(times_judged))
        if same is not None:
            terminal.say(wording.same_answer(same, comparison.currency))
        if comparison.verdict is not None:
            terminal.say(f"Verdict: {wording.VERDICTS[comparison.verdict].lower()}.")
        terminal.say(comparison.reason)
    terminal.document(comparison)
    if comparison.recommended == "rule":
        terminal.next(f"pilotage audit {definition.name}")
    else:
        terminal.next(f"pilotage release {definition.name}")
