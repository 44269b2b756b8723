"""PostgreSQL is away: a server that runs answers on, in what its spool may hold; one that starts waits for it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pilotage.cli.main import run
from pilotage.decisions import flow, store
from pilotage.decisions.durable.completeness import completeness
from pilotage.govern.cookies import SESSION
from pilotage.govern.records import Role
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.web import commands
from pilotage.web.console import build_console
from tests.every_page import addresses
from tests.living import NAME, visitor
from tests.postgres import Cluster
from tests.review.arranging import adopt
from tests.web.serving import BODY, PLAIN, START_SECONDS, Served, served, wait_until

pytestmark = pytest.mark.postgres
EX_TEMPFAIL = 75
PATH = "/v1/use-cases/small/decisions"
SPOOL_BYTES_MAX = 256 * 1024
DRAIN_SECONDS, SURE_SECONDS = 60, 30


@pytest.fixture
def work(tmp_path: Path, cluster: Cluster) -> Iterator[Workspace]:
    opened = open_workspace(Settings(home=tmp_path / "home", database_url=cluster.url))
    yield opened
    opened.close()


class Asked:
    """Answers: which were said to be recorded, which were not, and how late the latest was, in seconds."""

    def __init__(self) -> None:
        self.recorded: list[str] = []
        self.not_recorded = 0
        self.slowest = 0.0

    def ask(self, here: Served, seconds: float, pause_seconds: float, spool: Path) -> int:
        """Ask for so long; the most bytes that were in the spool meanwhile."""
        until, most = time.monotonic() + seconds, 0
        with httpx.Client(base_url=here.address, headers=here.headers, timeout=20) as client:
            while time.monotonic() < until:
                began = time.monotonic()
                reply = client.post(PATH, json=BODY)
                self.slowest = max(self.slowest, time.monotonic() - began)
                assert reply.status_code == 200, reply.text
                if "not_recorded" in reply.json().get("flags", ()):
                    self.not_recorded += 1
                else:
                    self.recorded.append(reply.json()["id"])
                with contextlib.suppress(FileNotFoundError):  # drained between the two looks
                    most = max(most, sum(each.stat().st_size for each in spool.glob("*.spool")))
                time.sleep(pause_seconds)
        return most


def outlives(work: Workspace, cluster: Cluster, away_seconds: float, pause_seconds: float) -> tuple[Asked, int]:
    """What was asked before, while and after the database was away, all of which must be in the ledger once."""
    asked, spool = Asked(), work.home / "spool"
    settings = {"PILOTAGE_DATABASE_URL": cluster.url, "PILOTAGE_SPOOL_BYTES_MAX": str(SPOOL_BYTES_MAX)}
    with served(work, 2, **settings) as here:
        asked.ask(here, 1, pause_seconds, spool)
        cluster.stop()
        work.close()
        most = asked.ask(here, away_seconds, pause_seconds, spool)
        assert here.get("/healthz").status_code == 200
        cluster.start()
        asked.ask(here, 1, pause_seconds, spool)
        wait_until(lambda: _in_ledger(work) == len(asked.recorded), DRAIN_SECONDS)
        if away_seconds > SURE_SECONDS:  # so long a worker looks until it says that it is over
            wait_until(lambda: _said(work)["look_failed_no_more"] >= 2)
    said = _said(work)
    assert said["look_failed"] >= 2, "each worker says that it cannot look"
    assert said["job_table_unreachable"] >= 2
    assert said["job_table_unreachable_no_more"] >= 2, "and that it can again"
    each_step = 2 * 12 * (1 + away_seconds / 60)
    assert said["look_failed"] + said["job_table_unreachable"] <= each_step, said
    found = completeness(work)
    assert len(flow.find_all(work, asked.recorded)) == len(asked.recorded)
    assert len(set(asked.recorded)) == len(asked.recorded)
    assert (found.missing, found.lost) == (0, asked.not_recorded)
    assert found.durable == len(asked.recorded)
    assert flow.verify_recorded(work).valid
    return asked, most


def _said(work: Workspace) -> Counter[str]:
    """How often each event stands in the server's log."""
    words = (work.home / "serve.log").read_text().split()
    return Counter(word.removeprefix("event=") for word in words if word.startswith("event="))


def _in_ledger(work: Workspace) -> int:
    with work.database.reading() as connection:
        return store.count(connection)


def test_for_seconds_answers_go_on_and_reach_the_ledger_once(work: Workspace, cluster: Cluster) -> None:
    asked, most = outlives(work, cluster, 3, 0.01)
    assert asked.not_recorded == 0
    assert 0 < most <= SPOOL_BYTES_MAX


def test_a_worker_that_dies_meanwhile_waits_for_the_database(work: Workspace, cluster: Cluster) -> None:
    asked = Asked()
    with served(work, 2, PILOTAGE_DATABASE_URL=cluster.url) as here:
        before = here.workers()
        for each in before:
            wait_until(lambda: _answers_without(here, each))  # noqa: B023  waited for at once
        cluster.stop()
        work.close()
        os.kill(min(before), signal.SIGKILL)
        wait_until(lambda: _said(work)["database_awaited"] == 1)
        asked.ask(here, 1, 0.01, work.home / "spool")
        cluster.start()
        wait_until(lambda: _answers_without(here, max(before)))
        wait_until(lambda: _in_ledger(work) >= len(asked.recorded), DRAIN_SECONDS)
    said = _said(work)
    assert (said["worker_died"], said["crash_loop"], said["worker_without_database"]) == (1, 0, 0)


def _answers_without(here: Served, worker: int) -> bool:
    """Whether there is an answer while this worker stands still."""
    os.kill(worker, signal.SIGSTOP)
    try:
        asked = httpx.post(f"{here.address}{PATH}", json=BODY, headers=here.headers, timeout=2)
        return asked.status_code == 200
    except httpx.TransportError:
        return False
    finally:
        os.kill(worker, signal.SIGCONT)


@pytest.mark.long
def test_for_minutes_answers_go_on_and_the_spool_keeps_its_bound(
    work: Workspace, cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    asked, most = outlives(work, cluster, 150, 0.02)
    with capsys.disabled():
        print(
            f"\nDatabase away for 150 s: n = {len(asked.recorded)} recorded and all in the ledger once, "
            f"{asked.not_recorded} said not to be; the spool held {most:,} of {SPOOL_BYTES_MAX:,} bytes; "
            f"slowest answer {asked.slowest * 1000:.0f} ms"
        )
    assert asked.not_recorded > 0, "the bound was reached"
    assert most <= SPOOL_BYTES_MAX


def test_a_server_that_starts_meanwhile_waits_for_it_and_then_answers(work: Workspace, cluster: Cluster) -> None:
    work.close()
    cluster.stop()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**PLAIN, "PILOTAGE_HOME": str(work.home), "PILOTAGE_DATABASE_URL": cluster.url}
    command = [sys.executable, "-m", "pilotage", "serve", "--port", str(port)]
    said = work.home / "serve.log"
    with said.open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        wait_until(lambda: b"Waiting for it, 90 seconds at most" in said.read_bytes())
        assert process.poll() is None
        cluster.start()
        wait_until(lambda: _answers(port), START_SECONDS)
        assert said.read_text().count("Waiting for it") == 1
    finally:
        process.terminate()
        process.wait()


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz").status_code == 200
    except httpx.HTTPError:
        return False


@pytest.mark.parametrize("command", [["serve"], ["versions", "small"]])
def test_without_it_a_command_ends_with_the_code_that_asks_for_another_try(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        port = nobody_listens.getsockname()[1]
        monkeypatch.setenv("PILOTAGE_HOME", str(tmp_path))
        monkeypatch.setenv("PILOTAGE_DATABASE_URL", f"postgresql+psycopg://anna:canaryword@127.0.0.1:{port}/pilotage")
        monkeypatch.setattr(commands, "DATABASE_SECONDS", 0.2)
        assert run(command) == EX_TEMPFAIL
    said = capsys.readouterr()
    assert f"The control database postgresql+psycopg://anna:***@127.0.0.1:{port}/pilotage does not answer" in said.err
    assert "canaryword" not in said.out + said.err
    assert ("Waiting for it" in said.out) == (command == ["serve"])


def test_without_it_every_page_says_on_one_line_how_to_switch_off(work: Workspace, cluster: Cluster) -> None:
    adopt(work)
    pages = {route: at for route, at in addresses(work, build_console(work)).items() if not route.startswith("/log-in")}
    with visitor(work, Role.ADMIN, "*") as admin:
        assert admin.get(f"/use-cases/{NAME}").status_code == 200
        cluster.stop()
        said = {at: admin.get(at) for at in pages.values()}
        said["switch"] = admin.post(f"/use-cases/{NAME}/switch", {"enabled": "false", "reason": "wrong"})
        assert admin.get("/static/pilotage.css").status_code == 200, "and it looks as pages do"
        admin.client.cookies.delete(SESSION)
        assert admin.get("/log-in").status_code == 200, "the form is there, and does not know yet"
        said["log in"] = admin.post("/log-in", {"name": "anna", "password": "of anna"})
        program = admin.client.get(f"/v1/use-cases/{NAME}/schema", headers={"Authorization": "Bearer pk_of_nobody"})
        cluster.start()
        admin.client.cookies.set(SESSION, "of nobody")
        wait_until(lambda: admin.get("/").status_code == 303)
    assert len(said) > 20
    for at, reply in said.items():
        (line,) = re.findall(r"<p>(To switch a model off now, .*?)</p>", reply.text)
        named = NAME if at == "switch" or at.startswith(f"/use-cases/{NAME}") else "NAME"
        assert (reply.status_code, line.rpartition(": ")[2]) == (
            503,
            f"<code>pilotage disable {named} --reason …</code>",
        ), at
        assert "does not answer" in reply.text
        assert reply.headers["retry-after"]
    assert (program.status_code, program.json()["code"]) == (503, "database-unavailable")
    assert "pilotage disable" not in program.text
