"""Two servers on one PostgreSQL and one folder, as behind a proxy that asks each in turn."""

from __future__ import annotations

import itertools
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from pilotage.decisions import flow
from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from tests.postgres import NoPostgres, scratch_cluster
from tests.web.serving import BODY, served, wait_until

pytestmark = [pytest.mark.postgres, pytest.mark.long]
QUESTIONS = 200


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Workspace]:
    try:
        with scratch_cluster() as url:
            opened = open_workspace(Settings(home=tmp_path / "home", database_url=url))
            yield opened
            opened.close()
    except NoPostgres as reason:
        pytest.skip(str(reason))


def test_one_of_two_replicas_is_restarted_while_both_are_asked(
    work: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    database = {"PILOTAGE_DATABASE_URL": work.settings.database_url, "PILOTAGE_DRAIN_SECONDS": "1"}
    with ExitStack() as stack:
        replicas = [stack.enter_context(served(work, 1, **database)) for _ in range(2)]
        key = governing.make_key(work, SYSTEM, "another app", (Grant(Role.APP, "small"),))
        made = time.monotonic()
        once = httpx.Limits(max_keepalive_connections=0)
        proxy = stack.enter_context(httpx.Client(headers={"Authorization": f"Bearer {key}"}, timeout=20, limits=once))
        question = "/v1/use-cases/small/decisions"
        for each in replicas:
            wait_until(lambda each=each: proxy.post(each.address + question, json=BODY).status_code == 200)  # type: ignore[misc]
        seen = time.monotonic() - made
        ids = []
        for number, each in zip(range(QUESTIONS), itertools.cycle(replicas), strict=False):
            if number == QUESTIONS // 2:
                replicas[1].process.send_signal(signal.SIGTERM)
                wait_until(lambda: replicas[1].get("/readyz").status_code == 503)
            is_out = number >= QUESTIONS // 2 and each is replicas[1]  # as a proxy takes out what is not ready
            reply = proxy.post((replicas[0] if is_out else each).address + question, json=BODY)
            assert reply.status_code == 200
            ids.append(reply.json()["id"])
        assert replicas[1].process.wait(30) == 0
        wait_until(lambda: len(flow.find_all(work, ids)) == QUESTIONS)
    with capsys.disabled():
        print(
            f"\nReplicas: a new key known to both after {seen:.2f} s; 0 failed and all in the ledger, n = {QUESTIONS}"
        )
    assert len(set(ids)) == QUESTIONS
    assert seen < 5
