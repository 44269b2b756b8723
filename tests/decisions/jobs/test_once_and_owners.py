"""Submitted twice is one job; whose job it is reads and ends it; another key of the use case does not know it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.decisions.jobs.arranging import PATH, arranged, ask, key_of, work_on
from tests.living import visitor

from pilotage.decisions.jobs import flow
from pilotage.govern.records import Role
from pilotage.platform.workspace import Workspace

LINES = {"Content-Type": "application/x-ndjson"}
LINE = b'{"thing": "t1", "size": 7, "at": "2013-12-05T19:00:00Z"}\n'
PAGE = "/use-cases/small/jobs"


@pytest.fixture(autouse=True)
def use_case(work: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arranged(work, tmp_path, monkeypatch)


def send(work: Workspace, key: str, body: bytes = LINE, once: str = "k1", query: str = "") -> httpx.Response:
    headers = {**LINES, "Idempotency-Key": once}
    return ask(work, key, "POST", f"{PATH}{query}", content=body, headers=headers)


def test_the_same_request_is_one_job_and_leaves_one_upload(work: Workspace) -> None:
    key = key_of(work)
    first, again = send(work, key), send(work, key)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["id"] == again.json()["id"]
    assert len(list((work.home / "jobs").iterdir())) == 1
    work_on(work)
    assert send(work, key).json()["state"] == "done"
    assert len(flow.listed(work, "small")) == 1


@pytest.mark.parametrize("changed", [{"body": LINE * 2}, {"query": "?target=every"}])
def test_the_key_of_another_request_is_refused(work: Workspace, changed: dict[str, Any]) -> None:
    key = key_of(work)
    send(work, key)
    answer = send(work, key, **changed)
    assert answer.status_code == 422
    assert len(list((work.home / "jobs").iterdir())) == 1


def test_another_caller_is_independent_and_a_refusal_frees_the_key(work: Workspace) -> None:
    one, other = key_of(work, "one"), key_of(work, "other")
    assert send(work, one).json()["id"] != send(work, other).json()["id"]
    assert send(work, one, once="k2", query="?target=nowhere").status_code == 404
    assert send(work, one, once="k2").status_code == 202
    source = {"json": {"source": "things"}, "headers": {"Idempotency-Key": "k3"}}
    assert ask(work, one, "POST", PATH, **source).json()["id"] == ask(work, one, "POST", PATH, **source).json()["id"]


def test_of_requests_at_the_same_time_one_makes_the_job(work: Workspace) -> None:
    key = key_of(work)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: send(work, key), range(6)))
    assert {answer.status_code for answer in answers} <= {202, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 202}) == 1
    assert len(flow.listed(work, "small")) == 1


def test_another_key_of_the_use_case_neither_sees_nor_ends_a_job(work: Workspace) -> None:
    mine, other = key_of(work, "mine"), key_of(work, "other")
    job = send(work, mine).json()["id"]
    for method, path in (
        ("GET", f"{PATH}/{job}"),
        ("GET", f"{PATH}/{job}/result"),
        ("POST", f"{PATH}/{job}/resume"),
        ("DELETE", f"{PATH}/{job}"),
    ):
        assert ask(work, other, method, path).status_code == 404, (method, path)
    assert ask(work, other, "GET", PATH).json()["jobs"] == []
    assert [each["id"] for each in ask(work, mine, "GET", PATH).json()["jobs"]] == [job]
    work_on(work)
    assert ask(work, other, "GET", f"{PATH}/{job}/result").status_code == 404
    assert ask(work, mine, "GET", f"{PATH}/{job}/result").status_code == 200


@pytest.mark.parametrize(
    ("role", "may"), [(Role.OWNER, True), (Role.ADMIN, True), (Role.BUILDER, False), (Role.VIEWER, False)]
)
def test_on_the_page_everybody_sees_how_jobs_are_and_owners_their_results(
    work: Workspace, role: Role, may: bool
) -> None:
    key = key_of(work, "nightly")
    done = send(work, key).json()["id"]
    work_on(work)
    waiting = send(work, key, once="k2").json()["id"]
    with visitor(work, role, "small") as person:
        page = person.get(PAGE).text
        result = person.get(f"{PAGE}/{done}/result?format=csv")
        cancelled = person.post(f"{PAGE}/{waiting}/cancel", {})
    assert done in page and "by nightly" in page
    assert (f"{PAGE}/{done}/result" in page, f"{PAGE}/{waiting}/cancel" in page) == (may, may)
    assert (result.status_code, cancelled.status_code) == ((200, 303) if may else (403, 403))
    assert flow.find(work, "small", waiting).state == ("cancelled" if may else "waiting")


def test_a_stranger_sees_no_page_and_markup_in_a_name_is_text(work: Workspace) -> None:
    send(work, key_of(work, "<script>x</script>"))
    with visitor(work, Role.VIEWER, "small") as person:
        assert "<script>x" not in person.get(PAGE).text
    with visitor(work, Role.VIEWER, "another") as person:
        assert person.get(PAGE).status_code == 404
