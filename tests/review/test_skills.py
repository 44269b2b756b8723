"""Reviewers' skills: given on the page and by the command, and cases go to those who have them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from pilotage.cli.main import run
from pilotage.govern import flow as governing
from pilotage.govern.cookies import SESSION
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.platform.workspace import Workspace
from pilotage.review import flow
from pilotage.usecase import flow as defining
from pilotage.usecase.flow import adopt, parse_definition
from tests.review.serving import console, session

FILE_SKILLS = "review: {skills: {large: size > 5, red: colour = 'red'}}"
NAME = "small"


@pytest.fixture
def skilled(work: Workspace) -> Workspace:
    """An installation whose use case names two skills, with a reviewer."""
    from tests.decisions.small import FILE

    lines = [line for line in FILE.splitlines() if not line.startswith("review:")]
    adopt(work, parse_definition("\n".join([*lines, FILE_SKILLS, ""]), "small.yaml"), SYSTEM)
    governing.add_person(work, SYSTEM, "maria", (Grant(Role.REVIEWER, NAME),))
    return work


@pytest.fixture
def boss(skilled: Workspace) -> Iterator[TestClient[Litestar]]:
    with TestClient(console(skilled), raise_server_exceptions=False) as client:
        client.cookies.set(SESSION, session(skilled, "boss", Role.ADMIN, "*"))
        yield client


def send(client: TestClient[Litestar], **fields: str | list[str]) -> int:
    client.get("/log-in")
    content = {**fields, "_csrf_token": client.cookies["pilotage_csrf"]}
    address = f"/use-cases/{NAME}/reviewers"
    return client.post(address, data=content, follow_redirects=False).status_code


def test_skills_are_ticked_on_the_page_and_told_in_the_audit_log(
    boss: TestClient[Litestar], skilled: Workspace
) -> None:
    assert "maria" in boss.get(f"/use-cases/{NAME}/reviewers").text
    assert send(boss, person="maria", skill=["large", "red"]) == 303
    assert flow.reviewers(skilled, NAME)["maria"] == ["large", "red"]
    assert boss.get(f"/use-cases/{NAME}/reviewers").text.count("checked") == 2
    assert send(boss, person="maria", skill="red") == 303
    assert send(boss, person="maria", skill="red") == 303
    assert flow.reviewers(skilled, NAME)["maria"] == ["red"]
    assert send(boss, person="maria") == 303
    assert flow.reviewers(skilled, NAME)["maria"] == []
    told = [entry.detail["skills"] for entry in governing.entries(skilled, "set-skills")]
    assert told == [["large", "red"], ["red"], []]


def test_what_is_no_skill_and_who_is_no_reviewer_is_refused(boss: TestClient[Litestar], skilled: Workspace) -> None:
    assert send(boss, person="maria", skill="flying") == 422
    assert send(boss, person="nobody", skill="red") == 422
    assert flow.reviewers(skilled, NAME)["maria"] == []


def test_an_admins_key_reads_and_sets_them(boss: TestClient[Litestar], skilled: Workspace) -> None:
    path = f"/v1/use-cases/{NAME}/reviewers"
    with TestClient(console(skilled)) as client:
        client.headers["Authorization"] = (
            f"Bearer {governing.make_key(skilled, SYSTEM, 'ops', (Grant(Role.ADMIN, '*'),))}"
        )
        assert {"person": "maria", "skills": []} in client.get(path).json()
        put = client.put(path, json={"person": "maria", "skills": ["red"]})
        assert {"person": "maria", "skills": ["red"]} in put.json()
        assert client.put(path, json={"person": "maria", "skills": ["flying"]}).status_code == 422
        reviewer = governing.make_key(skilled, SYSTEM, "queue", (Grant(Role.REVIEWER, NAME),))
        client.headers["Authorization"] = f"Bearer {reviewer}"
        assert client.put(path, json={"person": "maria", "skills": []}).status_code == 403
    assert flow.reviewers(skilled, NAME)["maria"] == ["red"]


def test_the_command_sets_them_too(
    skilled: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PILOTAGE_HOME", str(skilled.home))
    assert run(["person", "skills", "maria", "large", "--use-case", NAME]) == 0
    assert "maria can judge in small: large." in capsys.readouterr().out
    assert flow.reviewers(skilled, NAME)["maria"] == ["large"]
    assert run(["person", "skills", "maria", "flying", "--use-case", NAME]) == 2
    assert "Known: large, red" in capsys.readouterr().err
    assert defining.find_adopted(skilled, NAME).name == NAME
