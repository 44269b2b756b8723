"""An installation with many decisions and cases for the benchmark of the console: made once, with bulk inserts."""

from __future__ import annotations

import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
from tests.audit import reports
from tests.living import release
from tests.models import flights
from tests.review.arranging import NAME, a_decision, adopt, go_live

from benchmarks.processes import CACHE
from pilotage.decisions import store as ledger
from pilotage.decisions.durable.draining import digest_of
from pilotage.decisions.records import Decision
from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM
from pilotage.models import flow as modelling
from pilotage.monitor.incidents import flow as incidents
from pilotage.outcomes import store as outcomes
from pilotage.outcomes.records import JoinedOutcome
from pilotage.platform.identifiers import new_id
from pilotage.platform.schema import HEAD
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.releases.records import Stage
from pilotage.review import store as cases
from pilotage.review.records import Case
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Definition

BATCH, FORM = 10_000, 3
"""``FORM`` is raised when what is made changes."""
FINDINGS = 4
"""Of each severity: about what an audit of real tables finds."""
_START, _STEP = datetime(2013, 1, 1, tzinfo=UTC), timedelta(seconds=30)


def made(decisions: int, waiting: int) -> Workspace:
    """The installation, made when there is none of this size and schema yet."""
    home = (CACHE / f"console-{decisions}-{HEAD}-{FORM}").absolute()
    if not (home / "ready").exists():
        print(f"Making {decisions:,} decisions and {waiting:,} cases in {home.name} …", flush=True)
        for stale in CACHE.glob(f"console-{decisions}-*"):
            shutil.rmtree(stale)
        _make(home, decisions, waiting)
        (home / "ready").touch()
    return open_workspace(Settings(home=home))


def _make(home: Path, decisions: int, waiting: int) -> None:
    work = open_workspace(Settings(home=home))
    definition = adopt(work)
    release(work, definition, 1)
    go_live(work, Stage.ASSIST)
    _keep_evidence(work, definition)
    for kind in ("crash_loop", "drain_stuck"):
        incidents.see(work, kind, "two workers ended", NAME)
    every = decisions // waiting
    for first in range(0, decisions, BATCH):
        made_now = [_decision(number) for number in range(first, min(first + BATCH, decisions))]
        with work.database.writing() as connection:
            rows = [(each, ledger.encode(each)) for each in made_now]
            batch = new_id("bat", made_now[0].decided_at)
            ledger.insert_all(connection, rows, batch)
            detail = {"batch": batch, "decisions": len(rows), "sha256": digest_of([content for _, content in rows])}
            governing.record(connection, work, SYSTEM, "decisions.recorded", NAME, detail)
            outcomes.add(connection, [_outcome(each, at) for at, each in enumerate(made_now) if at % 2])
            cases.insert_cases(connection, [_case(each) for each in made_now[::every]])
    work.close()


def _keep_evidence(work: Workspace, definition: Definition) -> None:
    """An audit with some findings of each topic, and a comparison of all candidates on two months of real flights."""
    report = msgspec.structs.replace(reports.large(FINDINGS), use_case=NAME)
    defining.keep_evidence(work, definition, "audit", msgspec.to_builtins(report))
    with tempfile.TemporaryDirectory() as folder:
        rows = flights.training_table(Path(folder), range(1, 3))
        elsewhere = open_workspace(Settings(home=Path(folder) / "home"))
        compared = modelling.compare_on(elsewhere, flights.definition(), flights.training_set(rows), rows, _silent)
        elsewhere.close()
    found = msgspec.structs.replace(compared, use_case=NAME)
    defining.keep_evidence(work, definition, modelling.COMPARISON, msgspec.to_builtins(found))


def _silent(_said: str) -> None:
    return None


def _decision(number: int) -> Decision:
    at = _START + number * _STEP
    slow = number % 997 == 0
    return a_decision(
        at,
        id=new_id("dec", at),
        entity=f"flight-{number}",
        version=None,
        reason="too_slow" if slow else "model",
        produced_by="rule" if slow else "model",
        model_answer=None if slow else number % 5 == 0,
        model_failure="too_slow" if slow else "",
        probability=None if slow else number % 100 / 100,
        answer=number % 5 == 0,
        rule_answer=number % 7 == 0,
        signals=(),
    )


def _outcome(decision: Decision, at: int) -> JoinedOutcome:
    known = decision.decided_at + timedelta(days=1)
    return JoinedOutcome(decision.id, NAME, decision.entity, at % 4 == 1, known, known, 1)


def _case(decision: Decision) -> Case:
    at = decision.decided_at
    later = datetime.now(UTC) + timedelta(days=30)
    return Case(
        id=new_id("case", at),
        decision=decision.id,
        use_case=NAME,
        entity=decision.entity,
        why="uncertain",
        note="near the threshold",
        state="open",
        opened_at=at,
        due_at=later,
        falls_back_at=later,
        rank=at.timestamp(),
    )
