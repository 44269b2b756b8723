"""The commands of rolling out: releasing a version, asking the gates, entering a stage."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from pilotage.govern.records import SYSTEM
from pilotage.models import flow as modelling
from pilotage.platform.errors import EvidenceMissing
from pilotage.platform.terminal import Terminal
from pilotage.platform.workspace import opened
from pilotage.releases import flow as releasing
from pilotage.releases.records import Stage
from pilotage.releases.rules import in_words, stepped_back
from pilotage.rollout import flow, rules
from pilotage.usecase import flow as defining

Machine = Annotated[bool, Parameter(name="--json", help="Print JSON for machines.")]


def release(
    use_case: str | None = None, *, number: int | None = None, reason: str = "released by hand", json: Machine = False
) -> None:
    """Make a version of the recommended candidate and release it; with --number, release an earlier version.

    Past rows are asked through the live path first: a version that answers otherwise than in training is refused.
    In assist and automate the stage goes back to shadow: the gates judge the version before people see its answers.
    """
    terminal = Terminal(json)
    with opened() as work:
        definition = defining.find(work, use_case)
        if number is not None:
            version = releasing.version_number(work, definition.name, number)
        else:
            comparison = modelling.latest_comparison(work, definition.name)
            if comparison is None:
                raise EvidenceMissing(
                    f"{definition.name} has no comparison yet.", f"Run pilotage train {definition.name} first."
                )
            version = releasing.make_version(work, definition, comparison, comparison.recommended, SYSTEM)
        live = flow.release(work, definition, version, SYSTEM, reason)
        left = stepped_back(releasing.history(work, definition.name))
        parity = releasing.parity_of(work, definition, version)
    name = definition.name
    if parity is not None:
        terminal.say(f"Parity: {in_words(parity)}")
    terminal.say(f"Version {version.number} of {name} ({version.candidate}) is released, in stage {live.stage}.")
    if left is not None:
        terminal.say(f"The stage went back from {left} to shadow: no gate has judged this version yet.")
    terminal.document({"version": version, "live": live, "parity": parity})
    terminal.next(f"pilotage stage {name} shadow" if live.stage is Stage.OFF else f"pilotage gate {name}")


def gate(use_case: str | None = None, *, json: Machine = False) -> None:
    """Show what the seven gates say of the recorded evidence; fails when a gate of the present stage does not pass."""
    terminal = Terminal(json)
    with opened() as work:
        definition = defining.find(work, use_case)
        results = flow.gates(work, definition)
        live = releasing.live(work, definition.name)
    rows = [
        (result.gate, criterion.outcome, criterion.name, criterion.wanted, criterion.came)
        for result in results
        for criterion in result.criteria
    ]
    terminal.table(f"Gates of {definition.name}", ("gate", "says", "criterion", "wanted", "came"), rows)
    stage, agreed = live.stage, definition.use_case.rollout.assist_share
    following = rules.next_stage(stage)
    closed = rules.blocking(rules.NEEDED[following], results) if following else []
    if following is None:
        terminal.say(f"{definition.name} is in {stage}, the last stage.")
    elif closed:
        names = ", ".join(f"{result.gate} {result.outcome}" for result in closed)
        terminal.say(f"{definition.name} stays in {stage}: {names}.")
    else:
        terminal.say(f"{definition.name} may advance from {stage} to {following}.")
        terminal.next(f"pilotage stage {definition.name} {following}")
    terminal.document(results)
    if rules.blocking(rules.needed(stage, live.share, agreed), results):
        raise SystemExit(1)


def stage(
    use_case: str, to: Stage, *, share: float | None = None, reason: str = "advanced by hand", json: Machine = False
) -> None:
    """Move a use case to off, shadow, assist or automate; going up, or to a larger share, asks the gates.

    Parameters
    ----------
    to
        The stage to enter.
    share
        Share of entities that assist reaches. Beyond the file's rollout.assist_share the gate rollout must pass, too.
    reason
        Why; it is kept with the change.
    """
    terminal = Terminal(json)
    with opened() as work:
        definition = defining.find(work, use_case)
        live = flow.advance(work, definition, to, SYSTEM, reason, share)
    covered = f" for {live.share:.0%} of entities" if live.share else ""
    terminal.say(f"{live.use_case} is in stage {live.stage}{covered}.")
    terminal.document(live)
