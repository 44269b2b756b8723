"""Promise 3: at three times what a worker can do, it does almost as much as at its peak, and refuses the rest at once.

The worker logs as in production and has one core, the load the other. The peak is measured first, in each round: the
most that it does for callers of the same kind, as many as it can just answer and more: the level whose median over all
rounds is highest, as the best of single measurements would be the luckiest. Demand for three times that comes in three
ways: from callers that wait as long as they are told when they are refused; from an open loop that does not; and for a
model that takes long, where it is the model that cannot do more, and the rule answers instead. Goodput is answers
within the use case's budget per second, and the figure its median over that peak. A refusal's time is that of the 99th
of a hundred, less how late the load itself is to look: at such rates its own event loop is busy too.

Memory is flat when, after a bounded warm-up, all rounds together add next to nothing. Until then buffers, caches of the
database and threads come to their size; what that took is part of the figure.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pilotage.decisions.http.route import IN_FLIGHT_MAX
from pilotage.decisions.store import decisions
from pilotage.platform.workspace import Workspace
from tests.promises import loading
from tests.promises.installation import BODY, PATH, Running, installed, running
from tests.promises.table import Promise
from tests.web.serving import wait_until

TIMES = 3
SHARE = 0.9
REFUSED_MS = 20.0
LAG_MS = 5.0
"""A load that is later itself measures nothing."""
LATENCY_MS = 400
IN_STEP = 100
"""Callers that ask again as soon as they are answered; how much a worker does for them says where its peak will be."""
NEAR_PEAK = (1.0, 1.5, 2.0)
CONNECTIONS = 500
THINK_SECONDS = 0.1
"""So that thrice the peak's callers are fewer than the connections that a worker takes."""
SECONDS, ROUNDS = 3.0, 12
GROWTH_KB = 16 * 1024
WARM_UP_ROUNDS = 24
"""Of overload, 1.4 million questions. A worker that grew little for some rounds may still have a step before it."""
SLOW_SECONDS = 0.01
AS_DEPLOYED = {"PILOTAGE_LOG_FORMAT": "json"}
"""The service, container and unit in ``deploy/`` say it: every request has its line in the access log."""
ROOT = Path(__file__).parents[2]
pinned = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core for the worker, one for the load")


@dataclass(frozen=True)
class Came:
    """What one load brought."""

    said: dict[str, Any]

    def count(self, status: int) -> int:
        return int(self.said["by_status"].get(str(status), {}).get("count", 0))

    def rate(self, status: int = 200) -> float:
        return self.count(status) / float(self.said["seconds"])

    def p99_ms(self, status: int) -> float:
        return float(self.said["by_status"].get(str(status), {}).get("p99", 0.0))

    @property
    def others(self) -> int:
        """Neither answers nor refusals."""
        statuses: dict[str, dict[str, Any]] = self.said["by_status"]
        counts = [int(each["count"]) for status, each in statuses.items() if status not in ("200", "503")]
        return sum(counts) + int(self.said["lost"])


def loaded(
    port: int, key: str, *, seconds: float, connections: int, rate: float = 0.0, think_seconds: float = 0.0
) -> Came:
    """Put the load on from a process of its own, on the second core."""
    _, other = sorted(os.sched_getaffinity(0))[:2]
    numbers = [str(each) for each in (rate, think_seconds, seconds, connections)]
    module = [sys.executable, "-m", loading.__name__, str(port), key, PATH, json.dumps(BODY), *numbers]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["taskset", "-c", str(other), *module], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return Came(json.loads(done.stdout))


def pin(process: int) -> None:
    first = min(os.sched_getaffinity(0))
    subprocess.run(["taskset", "-acp", str(first), str(process)], check=True, capture_output=True)


def resident_kb(process: int) -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    assert found is not None
    return int(found[1])


def key_of(served: Running) -> str:
    return served.headers["Authorization"].split()[1]


@pinned
def test_of_more_than_it_takes_a_worker_refuses_each_with_retry_after(
    work: Workspace, monkeypatch: pytest.MonkeyPatch, promise: Promise
) -> None:
    here = installed(work, monkeypatch, LATENCY_MS)
    with running(here, **AS_DEPLOYED) as served:
        came = loaded(served.port, key_of(served), seconds=2.0, connections=CONNECTIONS, rate=4_000)
        refused, log = came.count(503), work.home / "serve.log"
        wait_until(lambda: told_of(log, 503) >= refused, 30)  # each has its line, or is counted there
    assert came.count(200) > 0
    assert refused > 0, "it was not overloaded"
    figure = f"{came.said['with_retry_after']:,} of {refused:,} refusals with Retry-After, {came.others} lost"
    is_told = came.said["with_retry_after"] == refused and came.others == 0
    promise(3, what="refusals", figure=figure, n=refused, passed=is_told)


def told_of(log: Path, status: int) -> int:
    """Requests of this status in an access log, with those for which it had no time."""
    lines = [json.loads(line) for line in log.read_text().splitlines(keepends=True) if line[0] + line[-1] == "{\n"]
    return sum(int(line.get("lines", 0)) or line.get("status") == status for line in lines)


def demand(rate: float, waits: bool) -> dict[str, Any]:
    """A load of so many questions a second, as long as they are answered at once."""
    if waits:
        return {"connections": int(rate * THINK_SECONDS), "think_seconds": THINK_SECONDS}
    return {"connections": CONNECTIONS, "rate": rate}


class Measuring:
    """Rounds of peak and overload, and what they came to."""

    def __init__(self, served: Running) -> None:
        (self.worker,) = served.workers()
        pin(self.worker)
        self._port, self._key = served.port, key_of(served)
        self.near: tuple[list[float], ...] = tuple([] for _ in NEAR_PEAK)
        self.goodput: list[float] = []
        self.refused_ms: list[float] = []
        self.lag_ms: list[float] = []
        self.refused = self.untold = self.others = self.n = 0
        self.cold_kb = self.warm_kb = resident_kb(self.worker)
        self.warm_up = self.last_kb = 0

    def warm(self, *, waits: bool) -> None:
        """Overload it until it has come to its size."""
        for _ in range(WARM_UP_ROUNDS):
            in_step = loaded(self._port, self._key, seconds=SECONDS / 2, connections=IN_STEP)
            came = loaded(self._port, self._key, seconds=SECONDS, **demand(TIMES * in_step.rate(), waits))
            self.warm_up += int(in_step.said["sent"]) + int(came.said["sent"])
        self.warm_kb = resident_kb(self.worker)

    def round(self, *, waits: bool) -> None:
        """Peak, then overload."""
        in_step = loaded(self._port, self._key, seconds=SECONDS / 2, connections=IN_STEP).rate()
        for share, rates in zip(NEAR_PEAK, self.near, strict=True):
            rates.append(loaded(self._port, self._key, seconds=SECONDS / 2, **demand(share * in_step, waits)).rate())
        load = demand(TIMES * max(rates[-1] for rates in self.near), waits)
        came = loaded(self._port, self._key, seconds=SECONDS, **load)
        self.goodput.append(came.rate())
        self.refused_ms.append(came.p99_ms(503))
        self.lag_ms.append(float(came.said["lag"]))
        self.refused += came.count(503)
        self.untold += came.count(503) - int(came.said["with_retry_after"])
        self.others += came.others
        self.n += int(came.said["sent"])
        self.last_kb = resident_kb(self.worker)

    @property
    def kept(self) -> float:
        """The share of the peak that is left."""
        return statistics.median(self.goodput) / max(map(statistics.median, self.near))

    def figure(self) -> str:
        refused_ms, lag_ms = statistics.median(self.refused_ms), statistics.median(self.lag_ms)
        return (
            f"goodput {self.kept:.0%} of peak, {self.refused:,} refused within {refused_ms:.0f} ms "
            f"at p99 (the load itself is late by {lag_ms:.0f} ms), "
            f"{self.untold} without Retry-After, {self.others} lost, memory {self.grown_kb / 1024:+.1f} MB "
            f"(warm after {self.warm_up:,} questions: {self.cold_kb / 1024:.0f} to {self.warm_kb / 1024:.0f} MB)"
        )

    @property
    def grown_kb(self) -> int:
        """Since it was warm."""
        return self.last_kb - self.warm_kb

    @property
    def holds(self) -> bool:
        lag_ms = statistics.median(self.lag_ms)
        is_prompt = lag_ms <= LAG_MS and statistics.median(self.refused_ms) - lag_ms <= REFUSED_MS
        is_good = self.kept >= SHARE and is_prompt and self.refused > 0
        return is_good and self.untold == self.others == 0 and self.grown_kb < GROWTH_KB


@pytest.mark.long
@pinned
@pytest.mark.parametrize("waits", [True, False], ids=["callers that wait", "callers that do not wait"])
def test_at_three_times_its_capacity_a_worker_does_almost_what_it_can(
    work: Workspace, monkeypatch: pytest.MonkeyPatch, promise: Promise, waits: bool
) -> None:
    here = installed(work, monkeypatch, LATENCY_MS)
    with running(here, **AS_DEPLOYED) as served:
        measuring = Measuring(served)
        measuring.warm(waits=waits)
        for _ in range(ROUNDS):
            measuring.round(waits=waits)
    what = "callers that wait" if waits else "callers that do not wait"
    promise(3, what=what, figure=measuring.figure(), n=measuring.n, passed=measuring.holds)


@pytest.mark.long
@pinned
def test_at_three_times_what_a_slow_model_can_do_the_rule_answers_the_rest_in_time(
    work: Workspace, monkeypatch: pytest.MonkeyPatch, promise: Promise
) -> None:
    here = installed(work, monkeypatch, LATENCY_MS)
    here.break_with(model="slow", seconds=SLOW_SECONDS)
    kept, late_ms, n = [], [], 0
    with running(here, **AS_DEPLOYED) as served:
        pin(served.workers()[0])
        key = key_of(served)
        for _ in range(ROUNDS):
            before = by_model(work)
            loaded(served.port, key, seconds=SECONDS, connections=2)
            peak = by_model(work) - before
            before = by_model(work)
            came = loaded(served.port, key, seconds=SECONDS, connections=CONNECTIONS, rate=TIMES * peak / SECONDS)
            kept.append((by_model(work) - before) / peak)
            late_ms.append(came.p99_ms(200) - LATENCY_MS)
            n += came.count(200)
            waiting = int(came.said["sent"]) - came.count(200) - came.count(503)
            assert waiting <= IN_FLIGHT_MAX, "all others have an answer when the load ends"
    share, late = statistics.median(kept), statistics.median(late_ms)
    figure = f"{share:.0%} of the model's peak, the rest by the rule; p99 {late:+.0f} ms from the deadline"
    promise(3, what="slow model", figure=figure, n=n, passed=share >= SHARE and late <= REFUSED_MS)


def by_model(work: Workspace) -> int:
    """How many decisions of the ledger the model made, once all are in it."""
    wait_until(lambda: not any(work.settings.spool_folder.glob("*.spool")), 30)
    query = sa.select(sa.func.count()).select_from(decisions).where(decisions.c.produced_by == "model")
    with work.database.reading() as connection:
        return int(connection.execute(query).scalar_one())
