"""The audit as a page."""

from __future__ import annotations

import html
import json
import re
from datetime import timedelta
from pathlib import Path

import httpx
import msgspec
import pytest
from jsonschema import Draft202012Validator
from litestar.testing import TestClient

from pilotage.audit import flow
from pilotage.audit.records import AuditReport
from pilotage.audit.rules.schema import json_schema
from pilotage.data import flow as data
from pilotage.govern import flow as governing
from pilotage.govern.cookies import SESSION
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow as defining
from pilotage.web.console import build_console
from tests.audit.reports import finding, large, small
from tests.data.conftest import shop_path
from tests.data.shop import TEXT, shop
from tests.living import Visitor, visitor

__all__ = ["shop_path"]
AUDIT = "/use-cases/returns/audit"
BYTES_MAX = 100_000
PARTS = ("findings", "plan", "available", "columns?source=orders", "columns?source=m%C3%BC%C5%9Fteri_sipari%C5%9Fleri")


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


def kept(work: Workspace, *made: AuditReport) -> AuditReport:
    """Audits of the shop, the last of them the newest."""
    definition = defining.adopt(work, shop(), SYSTEM)
    for report in made:
        defining.keep_evidence(work, definition, "audit", msgspec.to_builtins(report))
        work.clock.advance(timedelta(days=1))  # type: ignore[attr-defined]
    return made[-1]


def weight(person: Visitor, page: httpx.Response) -> int:
    """Bytes of a first visit, as they come over the wire: the page with its style, script and picture."""
    files = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text))
    assert len(files) >= 3
    return sum(each.num_bytes_downloaded for each in (page, *(person.get(html.unescape(file)) for file in files)))


def linked(page: str, name: str) -> list[str]:
    """Where the links to the pages of a part lead, as in the page."""
    return [html.unescape(each) for each in re.findall(rf'href="({AUDIT}/{name}[^"]*)"', page)]


@pytest.mark.parametrize("each", [4, 100])
def test_a_large_audit_is_light_to_open_and_nothing_of_it_is_lost(work: Workspace, each: int) -> None:
    before = small(*(finding(f"gone-{number}") for number in range(each)), overall=50.0)
    made = kept(work, before, msgspec.structs.replace(large(each), availability=large().availability * each))
    with visitor(work, Role.VIEWER, "returns") as person:
        first = person.get(AUDIT)
        assert weight(person, first) < BYTES_MAX
        found = {part: whole(person, f"{AUDIT}/{part}") for part in PARTS}
    assert len(re.findall("<article", found["findings"])) == len(made.findings)
    assert len(re.findall(r'<td class="number">\d+</td>\s*<th', found["plan"])) == 2 * each
    assert len(re.findall("<tr>", found["available"])) >= 4 * each
    assert [f">column_{number}<" in found[PARTS[4]].replace("<wbr>", "") for number in range(250)] == [True] * 250
    for name in ("blocks-0", "warns-0", "informs-0"):
        assert f'<article class="finding {name[:-2]}" id="finding-{name}' in first.text


def whole(person: Visitor, address: str) -> str:
    """A part with all its pages, each of which is light."""
    page = person.get(address)
    assert page.status_code == 200
    assert weight(person, page) < BYTES_MAX
    onward = re.search(r'href="([^"]+)">Next<', page.text)
    path = address.split("?")[0]
    return page.text + (whole(person, path + html.unescape(onward[1])) if onward else "")


def test_a_link_to_a_finding_leads_to_the_page_that_holds_it(work: Workspace) -> None:
    kept(work, small(), large(60))
    with visitor(work, Role.VIEWER, "returns") as person:
        first = person.get(AUDIT).text
        elsewhere = linked(first, "findings")
        for link in elsewhere:
            page, place = link.split("#")
            assert f'id="{place}"' in person.get(page).text
        beyond = person.get(f"{AUDIT}/findings?first=100000").text
    here = set(re.findall(r'href="#(finding-[^"]+)"', first))
    assert elsewhere and here
    assert here <= set(re.findall(r'<article [^>]*id="([^"]+)"', first))
    assert "151 to 180 of 180" in beyond
