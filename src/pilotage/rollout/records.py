"""The nouns of rolling out: criteria, gates, results."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

GateOutcome = Literal["PASS", "FAIL", "INCONCLUSIVE"]
GateName = Literal["use_case", "data_audit", "baseline", "service", "workflow", "operations", "rollout"]


class Criterion(Struct, frozen=True):
    """One thing a gate reads: what was wanted, what came, and what would change it."""

    name: str
    outcome: GateOutcome
    wanted: str
    came: str
    repair: str = ""


class GateResult(Struct, frozen=True):
    """What a gate said of the evidence. PASS only when every criterion passes; FAIL when any fails."""

    use_case: str
    gate: GateName
    outcome: GateOutcome
    criteria: tuple[Criterion, ...]
    evidence: tuple[str, ...]
    at: datetime
