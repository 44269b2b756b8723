"""Advancing exposure: gather the evidence, ask the gates, then change what is live through releases."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from pilotage.audit import flow as auditing
from pilotage.decisions import flow as deciding
from pilotage.decisions import parity
from pilotage.govern import flow as governing
from pilotage.govern.records import Permission, Principal
from pilotage.govern.rules.permissions import allowed
from pilotage.models import flow as modelling
from pilotage.models.suite.kept import suite_of
from pilotage.monitor import flow as monitoring
from pilotage.monitor import lately
from pilotage.monitor.records import Day, Operation
from pilotage.platform.errors import GateClosed, Problem
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.releases.records import Live, Stage, Version
from pilotage.rollout import rules
from pilotage.rollout.records import GateResult
from pilotage.rollout.rules import Dossier
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Definition

_KINDS = ("audit", "training_set", "comparison", "parity")
_VERIFIED_FOR = timedelta(minutes=10)


def release(
    work: Workspace,
    definition: Definition,
    version: Version,
    by: Principal,
    reason: str,
    judged_revision: int | None = None,
) -> Live:
    """Make a version live, after past rows were asked through the live path; not again where that was done and passed.

    ``judged_revision`` is what was live when somebody decided this; without it, what is live now.

    Raises:
        Conflict: the version cannot be loaded, was made for another use case or other columns, or what is live changed
            meanwhile.
        EvidenceMissing: what it was trained on cannot be read any more.
        GateClosed: it answers live otherwise than in training; each column that differs is named.
    """
    judged = releasing.demand_revision(work, definition.name, judged_revision)
    found = releasing.parity_of(work, definition, version)
    if found is None or not found.passed:
        parity.replay(work, definition, version)
    return releasing.release(work, definition, version, by, reason, judged)


def gates(work: Workspace, definition: Definition) -> list[GateResult]:
    """What all seven gates say now."""
    dossier = gather(work, definition)
    return [rules.judge(gate, dossier, work.clock.now()) for gate in rules.GATES]


def advance(
    work: Workspace,
    definition: Definition,
    stage: Stage,
    by: Principal,
    reason: str,
    share: float | None = None,
    judged_revision: int | None = None,
) -> Live:
    """Enter a stage or reach another share of entities, if the gates pass; stepping back needs no gate.

    A share beyond ``rollout.assist_share`` needs the gate *rollout*, too. ``judged_revision`` is what was live when
    somebody decided this; who steps back may have looked at an older one.

    Raises:
        GateClosed: naming each criterion that failed or is not known yet.
        Conflict: what is live changed since somebody decided this, or while the gates were asked.
    """
    agreed = definition.use_case.rollout.assist_share
    share = 1.0 if stage is Stage.AUTOMATE else agreed if share is None else share
    present = releasing.live(work, definition.name)
    judged = None
    if rules.rises(present, stage, share):
        judged = releasing.demand_revision(work, definition.name, judged_revision)
        results = gates(work, definition)
        closed = rules.blocking(rules.needed(stage, share, agreed), results)
        defining.keep_evidence(work, definition, "gate", {"stage": stage, "share": share, "results": _plain(results)})
        if closed:
            raise _refusal(definition.name, stage, share, agreed, closed)
    return releasing.set_stage(work, definition.name, stage, share, by, reason, judged)


def gates_to_show(work: Workspace, definition: Definition) -> list[GateResult]:
    """What all seven gates say, for a page: like :func:`gates`, with a verification that may be some minutes old.

    Verifying reads the whole ledger; :func:`advance` always does, looking at a page need not.
    """
    return dossier_to_show(work, definition)[1]


def dossier_to_show(work: Workspace, definition: Definition) -> tuple[Dossier, list[GateResult]]:
    """What the gates read for a page, and what they say of it."""
    now = work.clock.now()
    dossier = _gathered(work, definition, lately, _verified_lately(work))
    return dossier, [rules.judge(gate, dossier, now) for gate in rules.GATES]


def _verified_lately(work: Workspace) -> bool | None:
    """Whether log and ledger were whole some minutes ago; None while a large ledger is verified for the first time."""
    now, key = work.clock.now(), (str(work.database.url), "verification")
    known: tuple[datetime, bool] | None = lately.known(key)
    if known is not None and now - known[0] <= _VERIFIED_FOR:
        return known[1]
    if lately.is_large(work):
        lately.read_beside(key, lambda: (now, deciding.verify_recorded(work).valid))
        return None if known is None else known[1]
    return lately.read_now(key, lambda: (now, deciding.verify_recorded(work).valid))[1]


def gather(work: Workspace, definition: Definition) -> Dossier:
    """Everything that the gates read, read now."""
    return _gathered(work, definition, monitoring, deciding.verify_recorded(work).valid)


class _Readings(Protocol):
    """Where the ledger's figures come from: read now, or a little while ago."""

    def operation(self, work: Workspace, definition: Definition, version: str | None = None) -> Operation: ...

    def worth(
        self, work: Workspace, definition: Definition, version: str | None = None
    ) -> tuple[tuple[Day, ...], tuple[float, float, float] | None]: ...


def _gathered(work: Workspace, definition: Definition, readings: _Readings, log_valid: bool | None) -> Dossier:
    name = definition.name
    live = releasing.live(work, name)
    version = releasing.version(work, live.version) if live.version else None
    counted = version.id if version else ""  # before the first release nothing counts
    evidence = {kind: defining.latest_evidence(work, name, kind) for kind in _KINDS}
    _, advantage = readings.worth(work, definition, counted)
    training_set, comparison = evidence["training_set"], modelling.latest_comparison(work, name)
    return Dossier(
        definition=definition,
        live=live,
        version=version,
        audit=auditing.latest(work, name),
        training_set=training_set.body if training_set else None,
        comparison=comparison,
        parity=modelling.parity_of(work, comparison, comparison.recommended) if comparison else None,
        live_parity=releasing.parity_of(work, definition, version) if version else None,
        operation=readings.operation(work, definition, counted),
        advantage=advantage,
        reviewers=len(governing.who_may(work, Permission.REVIEW, name)),
        switchers=len(governing.who_may(work, Permission.SWITCH, name)),
        card_keys=sum(allowed(key, Permission.EMBED, name) for key in governing.all_keys(work).values()),
        log_valid=log_valid,
        definitions={kind: found.definition for kind, found in evidence.items() if found is not None},
        model_tests=suite_of(work, name, version.artefact) if version else None,
    )


def _refusal(use_case: str, stage: Stage, share: float, agreed: float, closed: list[GateResult]) -> GateClosed:
    problems = [
        Problem(
            f"{result.gate} gate, {criterion.name}",
            f"{criterion.outcome}: wanted {criterion.wanted}; {criterion.came}.",
            criterion.repair,
        )
        for result in closed
        for criterion in result.criteria
        if criterion.outcome != "PASS"
    ]
    gates_named = ", ".join(f"{result.gate} {result.outcome}" for result in closed)
    wide = f" for {share:.0%} of entities (at most {agreed:.0%} without the rollout gate)"
    entered = f"{stage}{wide}" if stage is Stage.ASSIST and share > agreed else stage
    return GateClosed(f"{use_case} may not enter {entered} yet: {gates_named}.", problems=problems)


def _plain(results: list[GateResult]) -> list[dict[str, object]]:
    return [{"gate": result.gate, "outcome": result.outcome, "evidence": list(result.evidence)} for result in results]
