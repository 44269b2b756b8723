"""What the home page says of the gates: the line of seven, what blocks the next stage, where to resolve it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from pilotage.releases.records import Stage
from pilotage.rollout import rules
from pilotage.rollout.records import Criterion, GateName, GateResult

TITLES: dict[GateName, str] = {
    "use_case": "Use case",
    "data_audit": "Data audit",
    "baseline": "Baseline",
    "service": "Service",
    "workflow": "Workflow",
    "operations": "Operations",
    "rollout": "Rollout",
}
QUESTIONS: dict[GateName, str] = {
    "use_case": "Is it worth building, and who owns it?",
    "data_audit": "Does the data carry it?",
    "baseline": "Does a model beat today's rule, and is it served as trained?",
    "service": "Does it answer in time and is everything recorded?",
    "workflow": "Can people see it, override it and review it?",
    "operations": "Is it worth it in operation, and can somebody stop it?",
    "rollout": "Is the advantage sure enough to act without asking?",
}
PAGES: dict[GateName, tuple[str, str]] = {
    "use_case": ("brief", "Brief"),
    "data_audit": ("audit", "Audit"),
    "baseline": ("comparison", "Comparison"),
    "service": ("operate", "Operate"),
    "workflow": ("queue", "Queue"),
    "operations": ("operate", "Operate"),
    "rollout": ("operate", "Operate"),
}
"""Where the evidence of a gate can be looked at: last part of the address, and the page's name."""

GateState = Literal["pass", "fail", "inconclusive", "later"]


class Open(Struct, frozen=True):
    """A criterion that keeps a use case from the next stage."""

    gate: GateName
    criterion: Criterion


class Blocked(Struct, frozen=True):
    """What stands between a use case and a stage; nothing in ``open`` means that it may enter."""

    stage: Stage
    open: tuple[Open, ...]


def state_of(result: GateResult, present: Stage) -> GateState:
    """How a gate looks in the line. Those that the next stage does not ask yet are 'later' until they pass."""
    following = rules.next_stage(present)
    asked = rules.NEEDED[following] if following else rules.GATES
    if result.outcome == "PASS":
        return "pass"
    if result.gate not in asked:
        return "later"
    return "fail" if result.outcome == "FAIL" else "inconclusive"


def in_short(result: GateResult) -> str:
    """How far a gate is, in a few words."""
    met = sum(criterion.outcome == "PASS" for criterion in result.criteria)
    return f"{met} of {len(result.criteria)} met"


def line(results: Sequence[GateResult], present: Stage, address: str) -> list[dict[str, str]]:
    """The seven gates as parts.html draws them; each leads to its criteria on the page at ``address``."""
    return [
        {
            "name": TITLES[result.gate],
            "href": f"{address}#gate-{result.gate}",
            "state": state_of(result, present),
            "note": in_short(result),
        }
        for result in results
    ]


def blocked(results: Sequence[GateResult], present: Stage) -> Blocked | None:
    """What keeps a use case from its next stage; None on the last one."""
    following = rules.next_stage(present)
    if following is None:
        return None
    still_open = tuple(
        Open(result.gate, criterion)
        for result in rules.blocking(rules.NEEDED[following], results)
        for criterion in result.criteria
        if criterion.outcome != "PASS"
    )
    return Blocked(following, still_open)
