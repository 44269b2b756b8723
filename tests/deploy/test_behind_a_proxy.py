"""Two replicas on one PostgreSQL, each with its own spool, behind nginx and HAProxy as we configure them."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from pilotage.decisions import flow
from pilotage.decisions.durable.completeness import completeness
from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.usecase.flow import adopt, parse_definition
from tests.decisions.small import FILE
from tests.deploy.behind import CHECKS, PROXIES, QUESTION, Certificate, Load, Replica, free_port, needs, proxied
from tests.postgres import NoPostgres, scratch_cluster
from tests.web.serving import BODY, wait_until

BEFORE, AFTER = 300, 300


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Workspace]:
    try:
        with scratch_cluster() as url:
            opened = open_workspace(Settings(home=tmp_path / "home", database_url=url))
            adopt(opened, parse_definition(FILE, "small.yaml"), SYSTEM)
            yield opened
            opened.close()
    except NoPostgres as reason:
        pytest.skip(str(reason))


@pytest.fixture
def replicas(work: Workspace) -> Iterator[list[Replica]]:
    """Two, started; killed at the end if they still run."""
    settings = {"PILOTAGE_DATABASE_URL": work.settings.database_url, "PILOTAGE_DRAIN_SECONDS": "4"}
    made = [Replica(work, name, **settings) for name in ("one", "two")]
    with ExitStack() as stack:
        for each in made:
            stack.callback(each.kill)
            each.start()
        yield made


@pytest.fixture
def key(work: Workspace) -> str:
    return governing.make_key(work, SYSTEM, "app", (Grant(Role.APP, "small"),))


class Told(BaseHTTPRequestHandler):
    """Stands for a replica: notes what reached it, and says its name."""

    came: list[tuple[str, str, str, str]]
    dies = False

    def do_GET(self) -> None:
        self._note()
        if self.dies and self.path != "/readyz":
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", "0")))
        self._note()
        self.close_connection = True  # without an answer, as when it died in the middle

    def _note(self) -> None:
        if self.path != "/readyz":
            told = (self.headers["x-forwarded-for"], self.headers["x-forwarded-proto"])
            self.came.append((self.command, self.path, *told))

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def standing_in() -> Iterator[list[type[Told]]]:
    kinds = [type("One", (Told,), {"came": []}), type("Two", (Told,), {"came": []})]
    with ExitStack() as stack:
        for kind in kinds:
            server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
            kind.port = server.server_port  # type: ignore[attr-defined]
            Thread(target=server.serve_forever, daemon=True).start()
            stack.callback(server.shutdown)
        yield kinds


@pytest.mark.parametrize("name", PROXIES)
def test_the_proxy_accepts_our_configuration(name: str, tmp_path: Path) -> None:
    program = needs(name)
    made = PROXIES[name](tmp_path, Certificate(tmp_path), [8701, 8702], free_port(), free_port())
    said = subprocess.run([program, *made[1:], *CHECKS[name]], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    assert "warn" not in (said.stdout + said.stderr).lower()


@pytest.mark.parametrize("name", PROXIES)
def test_a_post_that_was_sent_is_not_sent_again_and_a_get_is(
    name: str, tmp_path: Path, standing_in: list[type[Told]]
) -> None:
    needs(name)
    ports = [kind.port for kind in standing_in]  # type: ignore[attr-defined]
    with (
        proxied(name, tmp_path / "proxy", ports) as (address, context),
        httpx.Client(base_url=address, verify=context, timeout=20) as client,
    ):
        wait_until(lambda: client.get("/up").status_code == 200)
        assert client.post(QUESTION, json=BODY).status_code == 502
        posts = [each for kind in standing_in for each in kind.came if each[0] == "POST"]
        assert len(posts) == 1
        standing_in[0].dies = True
        codes = {client.get(f"/number/{number}").status_code for number in range(4)}
        assert any(each[1].startswith("/number") for each in standing_in[0].came)
    assert codes == {200}, "the other replica answered what this one could not"


@pytest.mark.parametrize("name", PROXIES)
def test_what_a_stranger_says_of_himself_does_not_pass(
    name: str, tmp_path: Path, standing_in: list[type[Told]]
) -> None:
    needs(name)
    forged = {"X-Forwarded-For": "10.9.9.9", "X-Forwarded-Proto": "http"}
    ports = [kind.port for kind in standing_in]  # type: ignore[attr-defined]
    with (
        proxied(name, tmp_path / "proxy", ports) as (address, context),
        httpx.Client(base_url=address, verify=context, timeout=20) as client,
    ):
        wait_until(lambda: client.get("/up", headers=forged).status_code == 200)
        large = client.post(QUESTION, content=b" " * (4 * 1024 * 1024 + 1))
        hidden = client.get("/metrics")
        secured = client.get("/up").headers["strict-transport-security"]
    told = {each[2:] for kind in standing_in for each in kind.came}
    assert told == {("127.0.0.1", "https")}
    assert (large.status_code, hidden.status_code) == (413, 404)
    assert secured == "max-age=31536000"


@pytest.mark.postgres
def test_each_replica_keeps_its_spool_to_itself_and_both_fill_one_ledger(
    work: Workspace, replicas: list[Replica], key: str
) -> None:
    headers = {"Authorization": f"Bearer {key}"}
    ids = []
    for each in replicas:
        wait_until(lambda each=each: httpx.post(each.address + QUESTION, json=BODY, headers=headers).status_code == 200)  # type: ignore[misc]
        ids += [httpx.post(each.address + QUESTION, json=BODY, headers=headers).json()["id"] for _ in range(20)]
    replicas[1].kill()
    left = [path.name for path in replicas[1].spool.glob("*.spool")]
    time.sleep(1)
    assert [path.name for path in replicas[1].spool.glob("*.spool")] == left, "nobody else takes it"
    replicas[1].start()
    wait_until(lambda: len(flow.find_all(work, ids)) == len(ids))
    counted = completeness(work)
    assert (counted.missing, counted.lost) == (0, 0)
    assert not (work.home / "spool").exists()


@pytest.mark.long
@pytest.mark.postgres
@pytest.mark.parametrize("name", PROXIES)
def test_both_replicas_are_restarted_one_after_the_other_and_no_question_fails(
    name: str, tmp_path: Path, work: Workspace, replicas: list[Replica], key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    needs(name)
    with proxied(name, tmp_path / "proxy", [each.port for each in replicas]) as (address, context):
        with httpx.Client(base_url=address, verify=context, headers={"Authorization": f"Bearer {key}"}) as client:
            wait_until(lambda: [client.post(QUESTION, json=BODY).status_code for _ in range(8)] == [200] * 8)
        with Load(address, context, key) as load:
            for each in replicas:
                _wait_for(load, BEFORE)
                each.stop()
                each.start()
            _wait_for(load, AFTER)
    wait_until(lambda: len(flow.find_all(work, load.ids)) == load.answered)
    with capsys.disabled():
        print(
            f"\nRolling restart of two replicas behind {name}: {sum(load.failed.values())} failed, n = {load.answered}"
        )
    assert load.failed == {}
    assert len(set(load.ids)) == load.answered


def _wait_for(load: Load, more: int) -> None:
    until = load.answered + more
    wait_until(lambda: load.answered >= until, 120)
