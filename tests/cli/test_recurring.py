"""What the server does again and again: one use case that fails does not stop the others."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pilotage import app
from pilotage.data import flow as data
from pilotage.govern.records import SYSTEM
from pilotage.platform.jobs import Job, enlist, jobs, run_if_due
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow as defining
from tests.data.conftest import shop_path
from tests.data.shop import TEXT, shop

__all__ = ["shop_path"]


def test_use_cases_that_fail_do_not_stop_the_others_and_the_job_says_which(
    work: Workspace, shop_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GONE", raising=False)
    defining.adopt(
        work, shop(TEXT.replace("use_case: returns", "use_case: gone").replace("env:SHOP", "env:GONE")), SYSTEM
    )
    wrong = TEXT.replace("use_case: returns", "use_case: misfit").replace("returned > 0", "returnd > 0")
    defining.adopt(work, shop(wrong), SYSTEM)
    defining.adopt(work, shop(), SYSTEM)
    pulled: list[str] = []
    monkeypatch.setattr(app.outcomes, "pull", lambda work, definition: pulled.append(definition.name))
    job = Job("sync", timedelta(minutes=1), app.sync_and_join)
    enlist(work, [job])
    assert run_if_due(work, job, "worker")
    assert data.snapshot(work, "returns", "visits").rows == 150
    assert pulled == ["gone", "misfit", "returns"]
    with work.database.reading() as connection:
        error = connection.execute(jobs.select()).one().error
    assert "gone: Source orders needs the environment variable GONE" in error
    assert "misfit: misfit does not fit its sources" in error
    assert "returns:" not in error
