"""Readiness and ranking in the console and on the command line."""

from __future__ import annotations

import msgspec
import pytest
from tests.living import NAME, visitor
from tests.review.arranging import FILE, adopt

from pilotage.cli.main import run
from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow as defining

READINESS = f"/use-cases/{NAME}/readiness"


@pytest.fixture
def here(work: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("PILOTAGE_HOME", str(work.settings.home))
    return work


def test_a_red_row_turns_green_by_itself(work: Workspace) -> None:
    adopt(work)
    with visitor(work, Role.VIEWER) as person:
        before = person.get(READINESS).text
        governing.add_person(work, SYSTEM, "otto", (Grant(Role.OWNER, NAME),))
        after = person.get(READINESS).text
    stop = '<th scope="row">Emergency stop'
    assert ">missing<" in before.split(stop)[1].split("</tr>")[0]
    assert ">ready<" in after.split(stop)[1].split("</tr>")[0]


def test_the_ranking_holds_what_the_reader_may_see_and_nothing_else(work: Workspace) -> None:
    adopt(work)
    other = FILE.replace("use_case: late_arrival", "use_case: other").replace("title: Late arrivals", "title: Another")
    defining.adopt(work, defining.parse_definition(other, "other.yaml"), SYSTEM)
    with visitor(work, Role.VIEWER) as person:
        page = person.get("/ranking")
        assert (page.status_code, "Late arrivals" in page.text, "Another" in page.text) == (200, True, False)
        assert person.get("/use-cases/other/readiness").status_code == 404
    with visitor(work, Role.VIEWER, "*") as person:
        assert "Another" in person.get("/ranking").text


def test_an_empty_installation_says_how_to_begin(here: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    with visitor(here, Role.VIEWER, "*") as person:
        assert "Nothing to rank yet" in person.get("/ranking").text
    assert run(["rank"]) == 0
    assert "pilotage sync" in capsys.readouterr().out


def test_the_commands_print_words_documents_and_json(here: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    adopt(here)
    assert run(["readiness", NAME]) == 0
    assert "rows are green" in capsys.readouterr().out
    assert run(["readiness", NAME, "--json"]) == 0
    card = msgspec.json.decode(capsys.readouterr().out)
    assert {row["light"] for row in card["rows"]} <= {"green", "yellow", "red"} and len(card["rows"]) == 11
    assert run(["rank", "--json"]) == 0
    assert [each["use_case"] for each in msgspec.json.decode(capsys.readouterr().out)] == [NAME]
    assert run(["rank", "--markdown"]) == 0
    assert capsys.readouterr().out.startswith("# Ranking of use cases\n\n## 1. Late arrivals\n")
    assert run(["readiness", "nothing"]) == 2
