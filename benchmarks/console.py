"""How heavy and how fast the console's pages are, with a million decisions and 100,000 cases.

python -m benchmarks.console [--quick]

The installation is made with bulk inserts and kept in ``.cache/benchmarks``. Pages are asked of ``pilotage``'s own
console over loopback HTTP, one after the other, as a browser would that has the stylesheet. The last line is one JSON
object. ``--quick``: a hundredth of everything.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import sqlalchemy as sa
from tests.embed.hosting import serving
from tests.review.arranging import NAME, a_decision, adopt, go_live

from benchmarks.processes import CACHE
from pilotage.decisions import store as ledger
from pilotage.decisions.durable.draining import digest_of
from pilotage.decisions.records import Decision
from pilotage.govern import flow as governing
from pilotage.govern.cookies import SESSION
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.outcomes import store as outcomes
from pilotage.outcomes.records import JoinedOutcome
from pilotage.platform.identifiers import new_id
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.releases.records import Stage
from pilotage.review import store as cases
from pilotage.review.records import Case
from pilotage.web.console import build_console

DECISIONS, CASES, BATCH = 1_000_000, 100_000, 10_000
ASKED, WARM = 15, 3
BYTES_MAX, MILLISECONDS_MAX, NEXT_CASE_MAX = 100_000, 100.0, 150.0
_COUNTING = "being counted for the first time"
_START, _STEP = datetime(2013, 1, 1, tzinfo=UTC), timedelta(seconds=30)
_PAGES = {
    "use cases": "/",
    "home": f"/use-cases/{NAME}",
    "operate": f"/use-cases/{NAME}/operate",
    "decisions": f"/use-cases/{NAME}/decisions",
    "decisions of an entity": f"/use-cases/{NAME}/decisions?q=flight-77",
    "decisions too slow": f"/use-cases/{NAME}/decisions?reason=too_slow",
    "decisions by a part that is rare": f"/use-cases/{NAME}/decisions?q=nowhere",
    "queue": f"/use-cases/{NAME}/queue",
    "quality of review": f"/use-cases/{NAME}/queue/quality",
    "readiness": f"/use-cases/{NAME}/readiness",
    "ranking": "/ranking",
    "versions": f"/use-cases/{NAME}/versions",
    "brief": f"/use-cases/{NAME}/brief",
    "audit log": "/audit-log",
}


def main() -> None:
    """Measure, and say what is over its limit."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.console", description=__doc__)
    parser.add_argument("--quick", action="store_true")
    part = 100 if parser.parse_args().quick else 1
    work = made(DECISIONS // part, CASES // part)
    name = f"benchmark {new_id('usr', work.clock.now())}"
    password = governing.add_person(work, SYSTEM, name, (Grant(Role.OWNER, NAME), Grant(Role.AUDITOR, "*")))
    cookies = {SESSION: governing.log_in(work, name, password)}
    with serving(build_console(work)) as origin, httpx.Client(base_url=origin, cookies=cookies, timeout=300) as client:
        found = {page: measured(client, at) for page, at in _PAGES.items()}
        following = next_cases(client)
    work.close()
    for page, (milliseconds, slowest, size) in found.items():
        marks = ("SLOW " if milliseconds > MILLISECONDS_MAX else "") + ("HEAVY" if size > BYTES_MAX else "")
        print(f"{page:34} {milliseconds:8.1f} ms (first {slowest:8.1f}) {size / 1000:7.1f} kB {marks}", flush=True)
    print(f"{'next case':34} {following:8.1f} ms {'SLOW' if following > NEXT_CASE_MAX else ''}")
    figures = {
        page: {"ms": round(ms, 1), "first_ms": round(cold, 1), "bytes": size}
        for page, (ms, cold, size) in found.items()
    }
    print(
        json.dumps(
            {
                "decisions": DECISIONS // part,
                "cases": CASES // part,
                "next_case_ms": round(following, 1),
                "pages": figures,
            }
        )
    )


def measured(client: httpx.Client, at: str) -> tuple[float, float, int]:
    """The median time of a page in milliseconds, the time of its first call, and its bytes as they are sent.

    The first call is of whoever looks first; the others are of the page once its figures are counted.
    """
    began = time.perf_counter()
    answer = client.get(at)
    first, times = (time.perf_counter() - began) * 1000, list[float]()
    while _COUNTING in answer.text:
        answer = client.get(at)
    for _ in range(ASKED + WARM):
        began = time.perf_counter()
        answer = client.get(at).raise_for_status()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times[WARM:]), first, len(answer.content)


def next_cases(client: httpx.Client) -> float:
    """The median time from asking for the next case to having its page, over as many cases."""
    queue, times = f"/use-cases/{NAME}/queue", []
    client.get(queue)
    token = next(cookie.value for cookie in client.cookies.jar if "csrf" in cookie.name)
    for _ in range(ASKED):
        began = time.perf_counter()
        client.post(f"{queue}/next", data={"_csrf_token": token}, follow_redirects=True).raise_for_status()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def made(decisions: int, waiting: int) -> Workspace:
    """The installation, made when there is none of this size and schema yet."""
    from pilotage.platform.schema import HEAD

    home = (CACHE / f"console-{decisions}-{HEAD}").absolute()
    if not (home / "ready").exists():
        print(f"Making {decisions:,} decisions and {waiting:,} cases in {home.name} …", flush=True)
        for stale in CACHE.glob(f"console-{decisions}-*"):
            shutil.rmtree(stale)
        _make(home, decisions, waiting)
        (home / "ready").touch()
    return open_workspace(Settings(home=home))


def _make(home: Path, decisions: int, waiting: int) -> None:
    work = open_workspace(Settings(home=home))
    adopt(work)
    go_live(work, Stage.ASSIST)
    every = decisions // waiting
    for first in range(0, decisions, BATCH):
        made_now = [_decision(number) for number in range(first, min(first + BATCH, decisions))]
        with work.database.writing() as connection:
            rows = [(each, ledger.encode(each)) for each in made_now]
            batch = new_id("bat", made_now[0].decided_at)
            ledger.insert_all(connection, rows, batch)
            detail = {"batch": batch, "decisions": len(rows), "sha256": digest_of([content for _, content in rows])}
            governing.record(connection, work, SYSTEM, "decisions.recorded", NAME, detail)
            outcomes.add(connection, [_outcome(each, at) for at, each in enumerate(made_now) if at % 2])
            cases.insert_cases(connection, [_case(each) for each in made_now[::every]])
    with work.database.writing() as connection:
        connection.execute(sa.text("ANALYZE"))
    work.close()


def _decision(number: int) -> Decision:
    at = _START + number * _STEP
    slow = number % 997 == 0
    return a_decision(
        at,
        id=new_id("dec", at),
        entity=f"flight-{number}",
        version=None,
        reason="too_slow" if slow else "model",
        produced_by="rule" if slow else "model",
        model_answer=None if slow else number % 5 == 0,
        model_failure="too_slow" if slow else "",
        probability=None if slow else number % 100 / 100,
        answer=number % 5 == 0,
        rule_answer=number % 7 == 0,
        signals=(),
    )


def _outcome(decision: Decision, at: int) -> JoinedOutcome:
    known = decision.decided_at + timedelta(days=1)
    return JoinedOutcome(decision.id, NAME, decision.entity, at % 4 == 1, known, known, 1)


def _case(decision: Decision) -> Case:
    at = decision.decided_at
    later = datetime.now(UTC) + timedelta(days=30)
    return Case(
        id=new_id("case", at),
        decision=decision.id,
        use_case=NAME,
        entity=decision.entity,
        why="uncertain",
        note="near the threshold",
        state="open",
        opened_at=at,
        due_at=later,
        falls_back_at=later,
        rank=at.timestamp(),
    )


if __name__ == "__main__":
    main()
