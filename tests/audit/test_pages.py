"""The audit as a page."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
from jsonschema import Draft202012Validator
from litestar.testing import TestClient

from pilotage.audit import flow
from pilotage.audit.rules.schema import json_schema
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
    assert data.prove(work, definition, built).same
    assert recreated(work) == f"Yes: {built.id} was rebuilt from its snapshots, identical."
    data.build(work, definition)
    assert recreated(work).startswith("Not proved yet")


def recreated(work: Workspace) -> str:
    report = flow.latest(work, "returns")
    assert report is not None
    return report.answers[3].answer


def files(work: Workspace, name: str) -> tuple[int, str, str]:
    """A download as somebody who may read gets it: status, file name, text."""
    password = governing.add_person(work, SYSTEM, "bela", (Grant(Role.VIEWER, "returns"),))
    cookie = f"{SESSION}={governing.log_in(work, 'bela', password)}"
    with TestClient(build_console(work)) as client:
        answer = client.get(f"/use-cases/returns/audit/{name}", headers={"Cookie": cookie})
    return answer.status_code, answer.headers.get("content-disposition", ""), answer.text


def audited(work: Workspace, text: str = TEXT) -> None:
    definition = shop(text)
    defining.adopt(work, definition, SYSTEM)
    data.sync(work, definition)
    flow.run(work, definition)


def test_the_report_is_downloaded_as_html_and_as_json(work: Workspace, shop_path: Path) -> None:
    audited(work)
    status, disposition, text = files(work, "report.html")
    assert (status, disposition) == (200, 'attachment; filename="audit-returns-2013-12-05.html"')
    assert text.startswith("<!doctype html>") and "Seven questions" in text
    with TestClient(build_console(work)) as client:
        assert client.get("/use-cases/returns/audit/report.json", follow_redirects=False).status_code != 200


def test_the_api_gives_what_the_schema_promises(work: Workspace, shop_path: Path) -> None:
    audited(work)
    status, disposition, text = files(work, "report.json")
    assert (status, disposition) == (200, 'attachment; filename="audit-returns-2013-12-05.json"')
    key = governing.make_key(work, SYSTEM, "app", (Grant(Role.VIEWER, "returns"),))
    with TestClient(build_console(work)) as client:
        answer = client.get("/v1/use-cases/returns/audit", headers={"Authorization": f"Bearer {key}"})
    assert answer.json() == json.loads(text)
    Draft202012Validator(json.loads(msgspec.json.encode(json_schema()))).validate(answer.json())


def test_the_page_tells_the_plan_the_maturity_and_what_changed_since_the_audit_before(
    work: Workspace, shop_path: Path
) -> None:
    audited(work)
    flow.run(work, shop(TEXT.replace("take: score, within: 3 hours", "take: score, within: 1 hour")))
    said = page(work)
    for words in ("Build plan", "Data maturity:", "From audit to audit", "Since the audit before", "Report as HTML"):
        assert words in said
    assert "Since 5 Dec 2013, 20:00 UTC" in said
    assert 'href="#finding-keys-do-not-match-visits.store"' in said
    assert 'id="finding-keys-do-not-match-visits.store"' in said


def test_before_the_first_audit_the_page_names_the_command(work: Workspace, shop_path: Path) -> None:
    defining.adopt(work, shop(), SYSTEM)
    assert "pilotage audit returns" in page(work)
    status, _, text = files(work, "report.html")
    assert status == 409 and "was never audited" in text


def test_what_a_person_said_and_what_nobody_said_are_told_apart(work: Workspace, shop_path: Path) -> None:
    audited(work, TEXT + "\nanswers:\n  repair: Ring <i>Jo</i>.\n")
    said = page(work)
    assert "Ring &lt;i&gt;Jo&lt;/i&gt;." in said
    assert said.count("Open question:") == 6
