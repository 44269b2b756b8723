"""An outage is said when it begins, at most once a minute while it lasts, and when it ends."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
import structlog

from pilotage.platform.database import Database
from pilotage.platform.errors import NotFound
from pilotage.platform.outages import Outage


def test_an_outage_of_five_minutes_is_said_five_times_and_its_end_once() -> None:
    now = [1000.0]
    outage = Outage("look_failed", lambda: now[0], step="look")
    with structlog.testing.capture_logs() as logs:
        outage.ended()
        for _ in range(1200):
            outage.failed(OSError("gone"))
            now[0] += 0.25
        outage.ended()
        outage.ended()
    assert [each["event"] for each in logs] == ["look_failed"] * 5 + ["look_failed_no_more"]
    assert {each["step"] for each in logs} == {"look"}
    assert [each["log_level"] for each in logs] == ["error"] * 5 + ["warning"]
    assert (logs[1]["seconds"], logs[-1]["failures"], logs[-1]["seconds"]) == (60, 1200, 299.8)


def test_a_second_outage_is_said_at_once() -> None:
    outage = Outage("look_failed", lambda: 5.0)
    with structlog.testing.capture_logs() as logs:
        for _ in range(2):
            outage.failed(OSError("gone"))
            outage.ended()
    assert [each["event"] for each in logs] == ["look_failed", "look_failed_no_more"] * 2


def test_what_fails_now_and_then_is_over_only_when_it_was_quiet_for_long() -> None:
    now = [0.0]
    outage = Outage("look_failed", lambda: now[0], quiet_seconds=15.0)
    with structlog.testing.capture_logs() as logs:
        for _ in range(5):
            outage.failed(OSError("gone"))
            for _ in range(10):
                now[0] += 1
                outage.ended()
        assert len(logs) == 1
        now[0] += 5
        outage.ended()
    assert (logs[-1]["event"], logs[-1]["failures"], logs[-1]["seconds"]) == ("look_failed_no_more", 5, 40.0)


def test_of_an_error_nothing_is_said_that_it_quotes(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'control.db'}")
    with structlog.testing.capture_logs() as logs:
        try:
            with database.writing() as connection:
                connection.execute(sa.text("INSERT INTO nowhere VALUES (:person)"), {"person": "anna.schmidt"})
        except sa.exc.OperationalError as error:
            assert "anna.schmidt" not in str(error), "engines hide what statements are given"
            Outage("look_failed").failed(error)
        Outage("look_failed").failed(ValueError("anna.schmidt"))
        Outage("look_failed").failed(NotFound("There is no such file.", "Make it."))
    database.close()
    assert "anna.schmidt" not in str(logs) and "INSERT" not in str(logs)
    assert logs[0]["error"].startswith("OperationalError at ")
    assert logs[2]["error"] == "There is no such file."
