"""Workers that die, are replaced, and stop, while apps go on asking."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.releases import flow as releasing
from pilotage.releases.records import Stage
from pilotage.web.stepping_back import REASON
from pilotage.web.supervising import CRASHES_MAX, STOP_SECONDS, delay_seconds, new_counts
from tests.living import release
from tests.review.arranging import NAME
from tests.review.arranging import adopt as adopt_flights
from tests.web.serving import APPS, Served, Stream, served, wait_until

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    work = open_workspace(Settings(home=tmp_path_factory.mktemp("supervised") / "home"))
    yield work
    work.close()


@pytest.fixture(scope="module")
def two(installation: Workspace) -> Iterator[Served]:
    """A server with two workers."""
    with served(installation, 2, PILOTAGE_DRAIN_SECONDS="1") as here:
        yield here


def counted(here: Served) -> float:
    """Decisions of all workers, as whichever worker takes the request says."""
    text = here.get("/metrics").text
    return sum(map(float, re.findall(r"^pilotage_decisions_attempted_total\{.*\} (\S+)$", text, re.MULTILINE)))


def test_counts_of_all_workers_add_up_whichever_is_asked(two: Served) -> None:
    before = counted(two)
    wait_until(lambda: len(two.workers()) == 2)
    for _ in range(40):
        assert two.ask().status_code == 200
    assert {counted(two) for _ in range(8)} == {before + 40}


def test_a_killed_worker_comes_back_and_only_what_it_had_in_hand_is_lost(two: Served) -> None:
    before, at_first = two.workers(), counted(two)
    with Stream(two) as stream:
        victim = min(before)
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: len(two.workers() - before) == 1)
        wait_until(lambda: stream.came["200"] >= 400)
    assert victim not in two.workers()
    assert len(two.workers()) == 2
    assert sum(stream.failed.values()) <= APPS, stream.failed  # each had one question in hand at most
    lost_with_it = sum(stream.failed.values())
    assert counted(two) - at_first - stream.came["200"] in range(lost_with_it + 1)  # the dead worker's count stays


def test_sighup_replaces_every_worker_and_no_request_fails(two: Served) -> None:
    before = two.workers()
    with Stream(two) as stream:
        two.process.send_signal(signal.SIGHUP)
        wait_until(lambda: bool(before - two.workers()))
        two.process.send_signal(signal.SIGHUP)  # while the first of the old ones is just gone
        wait_until(lambda: not before & two.workers() and len(two.workers()) == 2, 60)
        answered = stream.came["200"]
        wait_until(lambda: stream.came["200"] >= answered + 40)
    assert stream.failed == {}


def test_sigterm_says_unready_first_and_no_accepted_request_fails(installation: Workspace) -> None:
    with served(installation, 1, PILOTAGE_DRAIN_SECONDS="2") as here, Stream(here) as stream:
        began = time.monotonic()
        here.process.send_signal(signal.SIGTERM)
        wait_until(lambda: here.get("/readyz").status_code == 503, 2)
        before = stream.came["200"]
        wait_until(lambda: stream.came["200"] >= before + 20, 2)  # still answered, for whoever has not looked yet
        stream.stop()  # as a proxy that has
        assert here.process.wait(20) == 0
        assert time.monotonic() - began >= 2
    assert stream.failed == {}
    assert stream.came["200"] >= 40


def is_ended(pid: int) -> bool:
    """Whether nothing but its entry is left of a process."""
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rsplit(")", 1)[1].split()[0] == "Z"


@pytest.mark.long
def test_a_version_with_which_workers_crash_is_rolled_back(tmp_path: Path) -> None:
    work = open_workspace(Settings(home=tmp_path / "home"))
    definition = adopt_flights(work)
    first = release(work, definition, 1)
    releasing.set_stage(work, NAME, Stage.SHADOW, 1.0, SYSTEM, "look at it first")
    release(work, definition, 2)
    with served(work, 1) as here:
        died: set[int] = set()
        for _ in range(CRASHES_MAX):
            wait_until(lambda: bool(here.workers() - died))
            (worker,) = here.workers() - died
            os.kill(worker, signal.SIGKILL)
            died.add(worker)
        wait_until(lambda: releasing.live(work, NAME).version == first.version)
        assert here.ask().status_code == 200
    (entry,) = governing.entries(work, "version.rolled_back")
    assert REASON in str(entry)
    work.close()


SUPERVISED = """
import os, signal, socket, sys
from pilotage.platform.logs import configure
from pilotage.web import supervising

application, silent_seconds, crashes = sys.argv[1:]
configure()
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)

def crashed():
    print("crash loop", file=sys.stderr)
    os.kill(os.getpid(), signal.SIGINT)

supervising.SILENT_SECONDS, supervising.CRASHES_MAX = float(silent_seconds), int(crashes)
supervisor = supervising.Supervisor(application, listener, 1, on_crash_loop=crashed)
sys.exit(0 if supervisor.run() else 4)
"""


def supervised(application: str, silent_seconds: float = 30, crashes: int = CRASHES_MAX) -> subprocess.Popen[str]:
    """A supervisor of one worker with this application, which a crash loop ends; as a shell starts it with ``&``."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    command = [sys.executable, "-c", SUPERVISED, f"tests.web.dying:{application}", str(silent_seconds), str(crashes)]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, env=environment, stdout=pipe, stderr=pipe, text=True, cwd=ROOT, preexec_fn=_in_the_background
    )


def _in_the_background() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGQUIT, signal.SIG_IGN)


def test_workers_that_crash_again_and_again_are_restarted_and_reported_once() -> None:
    with supervised("soon") as server:
        _, said = server.communicate(timeout=60)
    assert server.returncode == 0, said
    assert said.count("crash loop") == 1
    assert said.count("worker_died") == CRASHES_MAX


def test_workers_that_cannot_even_start_are_given_up() -> None:
    with supervised("at_once") as server:
        _, said = server.communicate(timeout=60)
    assert server.returncode == 4, said
    assert said.count("worker_died") == 3
    assert "cannot be built" in said


def test_workers_that_wait_for_the_database_are_neither_crashing_nor_given_up() -> None:
    with supervised("without_database") as server:
        assert server.stderr is not None
        said = ""
        while said.count("worker_without_database") < 5:
            said += server.stderr.readline()
        server.terminate()
        said += server.communicate(timeout=60)[1]
    assert server.returncode == 0, said
    assert "worker_died" not in said
    assert "crash" not in said


def test_a_stop_while_workers_still_start_is_no_failure() -> None:
    with supervised("lasting") as server:
        assert server.stdout is not None
        server.stdout.readline()
        children = Path(f"/proc/{server.pid}/task/{server.pid}/children")
        wait_until(lambda: bool(children.read_text()))
        server.terminate()
        _, said = server.communicate(timeout=STOP_SECONDS - 1)  # then it would be killed
    assert server.returncode == 0, said


def test_a_worker_that_hangs_is_killed() -> None:
    with supervised("hanging", silent_seconds=2, crashes=1) as server:
        _, said = server.communicate(timeout=60)
    assert server.returncode == 0, said
    assert said.count("worker_stuck") == 1
    assert said.count("worker_died") == 1


def test_workers_do_not_outlive_a_killed_supervisor() -> None:
    with supervised("lasting") as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        wait_until(lambda: accepts(port))
        (worker,) = map(int, Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split())
        (left,) = Path(tempfile.gettempdir()).glob(f"pilotage-counts-*-{server.pid}-*")
        server.kill()
        wait_until(lambda: is_ended(worker), 20)
    shutil.rmtree(new_counts())
    assert not left.exists()


def accepts(port: int) -> bool:
    """Whether somebody listens."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_restarts_wait_longer_each_time_and_not_for_ever() -> None:
    assert [delay_seconds(deaths) for deaths in (1, 2, 3, 4)] == [0.0, 0.2, 0.4, 0.8]
    assert delay_seconds(50) == 10


def test_the_port_is_taken_before_a_log_in_is_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        command = [sys.executable, "-m", "pilotage", "serve", "--port", str(port)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PILOTAGE_HOME": str(tmp_path / "home")}
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode != 0
    assert f"Cannot listen on 127.0.0.1, port {port}" in ended.stderr
    assert "password" not in ended.stdout
