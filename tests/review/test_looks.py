"""What an installation looks at every few seconds: it costs what is new, not what was ever recorded."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from pilotage import app
from pilotage.decisions.answering.following import Following
from pilotage.decisions.durable.completeness import completeness
from pilotage.outcomes.store import known_answers
from pilotage.platform.workspace import Workspace
from tests.review.arranging import NAME, a_decision, record

OFTEN = timedelta(seconds=10)
_GROW = (
    "(decisions|audit_log|outcomes|outcome_reports|snapshots|review_cases|review_events|webhook_events|"
    "webhook_deliveries|webhook_attempts|feedback)"
)
ALL_OF_IT = re.compile(
    rf"SCAN {_GROW}\b(?! USING INDEX ix_outcome_reports_quarantined)|"
    rf"SEARCH {_GROW} USING [^;]*\((use_case|action)=\?\)"
)
"""A step of SQLite's plan that reads a table that grows, by nothing or by what all its rows have."""


def plans_of(live: Workspace, look: Any) -> dict[str, str]:
    """The plan of each question that a look asks, by the question."""
    asked: dict[str, Any] = {}

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE", "WITH")):
            asked.setdefault(statement, parameters)

    sa.event.listen(live.database.engine, "before_cursor_execute", note)
    try:
        look(live)
    finally:
        sa.event.remove(live.database.engine, "before_cursor_execute", note)
    with live.database.reading() as connection:
        return {
            statement: " ; ".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", of))
            for statement, of in asked.items()
        }


def test_a_step_that_reads_all_of_a_table_is_known() -> None:
    assert ALL_OF_IT.search("SEARCH decisions USING INDEX ix_decisions_use_case_id (use_case=?)")
    assert ALL_OF_IT.search("SEARCH audit_log USING INDEX ix_audit_log_action (action=?) ; USE TEMP B-TREE")
    assert ALL_OF_IT.search("SCAN decisions")
    assert not ALL_OF_IT.search("SEARCH decisions USING INDEX ix_decisions_batch (batch=?) ; USE TEMP B-TREE")


def test_what_is_repeated_every_few_seconds_reads_no_growing_table_as_a_whole(live: Workspace) -> None:
    if not live.database.is_sqlite:
        pytest.skip("PostgreSQL plans by what it counts of its tables; SQLite counts nothing by itself")
    often = [job for job in app.recurring(live) if job.every <= OFTEN]
    assert {job.name for job in often} >= {"review", "webhooks", "told outcomes"}
    following = Following(live)
    steps = (lambda _: following.look_at_releases()), (lambda _: following.look_at_sources()), completeness
    for name, look in [*((job.name, job.run) for job in often), *(("step", each) for each in steps)]:
        look(live)
        record(live, *(a_decision(live.clock.now()) for _ in range(3)))
        plans = plans_of(live, look)
        assert plans
        whole = {statement: plan for statement, plan in plans.items() if ALL_OF_IT.search(plan)}
        assert not whole, f"{name}: {whole}"


def test_known_answers_are_found_from_the_newest_on_without_the_decisions_that_nothing_is_known_of(
    live: Workspace,
) -> None:
    if not live.database.is_sqlite:
        pytest.skip("SQLite tells its plan without statistics, as it stands in every installation")

    def look(work: Workspace) -> None:
        with work.database.reading() as connection:
            known_answers(connection, NAME, 10)

    (plan,) = plans_of(live, look).values()
    assert plan.startswith("SEARCH outcomes USING INDEX ix_outcomes_use_case_newest_decision (use_case=? AND newest=?)")
    assert "SEARCH decisions USING INDEX sqlite_autoindex_decisions_1 (id=?)" in plan
    assert "TEMP B-TREE" not in plan, "they are in order already: reading ends with as many as are wanted"
