"""The audit as a page."""

from __future__ import annotations

from pathlib import Path

from litestar.testing import TestClient

from pilotage.audit import flow
from pilotage.data import flow as data
from pilotage.govern import flow as governing
from pilotage.govern.cookies import SESSION
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow as defining
from pilotage.web.console import build_console
from tests.data.conftest import shop_path
from tests.data.shop import TEXT, shop

__all__ = ["shop_path"]


def page(work: Workspace) -> str:
    password = governing.add_person(work, SYSTEM, "anna", (Grant(Role.VIEWER, "returns"),))
    cookie = f"{SESSION}={governing.log_in(work, 'anna', password)}"
    with TestClient(build_console(work)) as client:
        answer = client.get("/use-cases/returns/audit", headers={"Cookie": cookie})
    assert answer.status_code == 200
    return answer.text


def test_commands_are_shown_as_code_and_what_people_wrote_stays_text(work: Workspace, shop_path: Path) -> None:
    definition = shop(TEXT.replace("says: comes back", "says: comes <b>back</b>"))
    defining.adopt(work, definition, SYSTEM)
    data.sync(work, definition)
    flow.run(work, definition)
    said = page(work)
    assert "run <code>pilotage build --verify</code>." in said
    assert "`" not in said
    assert "comes &lt;b&gt;back&lt;/b&gt;" in said


def test_a_training_set_that_was_proved_after_the_audit_answers_its_question(work: Workspace, shop_path: Path) -> None:
    definition = shop()
    data.sync(work, definition)
    flow.run(work, definition)
    built = data.build(work, definition)
    assert recreated(work) == "Not proved yet: run `pilotage build --verify`."
    assert data.prove(work, definition, built)
    assert recreated(work) == f"Yes: {built.id} was rebuilt from its snapshots, identical."
    data.build(work, definition)
    assert recreated(work).startswith("Not proved yet")


def recreated(work: Workspace) -> str:
    report = flow.latest(work, "returns")
    assert report is not None
    return report.answers[3].answer
