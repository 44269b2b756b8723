"""How heavy and how fast the console's pages are, with a million decisions and 100,000 cases.

python -m benchmarks.console [--quick]

The installation is made with bulk inserts and kept in ``.cache/benchmarks``. Each page is opened by Chromium once, as
on a first visit, which counts all that is transferred: HTML, style, scripts, icon. Then it is asked for again and
again over loopback HTTP, one request after the other, and the server says how long it took, from the request to the
last byte of its answer, and how much processor time. The next case is timed in Chromium, from the key that approves
one to the frame that shows another. Prints the goals that are missed, and ends with 1 where there are any; the last
line is one JSON object. ``--quick``: a hundredth of everything.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

import httpx
import sqlalchemy as sa
from msgspec import Struct
from playwright.sync_api import Browser, BrowserContext
from tests.browser import launch
from tests.embed.hosting import serving
from tests.review.arranging import NAME

from benchmarks.console_home import made
from pilotage.govern import flow as governing
from pilotage.govern.cookies import SESSION
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.platform.identifiers import new_id
from pilotage.platform.workspace import Workspace
from pilotage.web.console import build_console

DECISIONS, CASES = 1_000_000, 100_000
ASKED, WARM, JUDGED = 40, 3, 40
BYTES_MAX, MILLISECONDS_MAX, NEXT_CASE_MAX = 100_000, 100.0, 150.0
_WAIT_MS = 120_000
_BASE = f"/use-cases/{NAME}"
_PAGES = {
    "use cases": "/",
    "home": _BASE,
    "operate": f"{_BASE}/operate",
    "decisions": f"{_BASE}/decisions",
    "decisions of an entity": f"{_BASE}/decisions?q=flight-77",
    "decisions too slow": f"{_BASE}/decisions?reason=too_slow",
    "decisions by a part that is rare": f"{_BASE}/decisions?q=nowhere",
    "one decision": "/decisions/{decision}",
    "queue": f"{_BASE}/queue",
    "queue of an entity": f"{_BASE}/queue?entity=flight-77",
    "queue by a part that is rare": f"{_BASE}/queue?entity=nowhere",
    "case": "/queue/cases/{case}",
    "quality of review": f"{_BASE}/queue/quality",
    "readiness": f"{_BASE}/readiness",
    "ranking": "/ranking",
    "audit": f"{_BASE}/audit",
    "comparison": f"{_BASE}/comparison",
    "versions": f"{_BASE}/versions",
    "integrate": f"{_BASE}/integrate",
    "brief": f"{_BASE}/brief",
    "incidents": "/incidents",
    "people": "/people",
    "audit log": "/audit-log",
}
_LOOK = """
const now = () => performance.timeOrigin + performance.now();
const here = () => document.querySelector("[data-case]")?.dataset.case ?? "";
addEventListener("keydown", (event) => {
  if (event.key === "a") Object.assign(sessionStorage, { sent: now(), before: here() });
}, true);
const look = () => {
  const { sent, before } = sessionStorage;
  if (sent && here() && here() !== before) {
    sessionStorage.removeItem("sent");
    requestAnimationFrame(() => (document.documentElement.dataset.took = now() - Number(sent)));
  }
  requestAnimationFrame(look);
};
look();
"""
"""Looks at each frame whether it shows another case than the one that was approved, on this page or the next."""


class Page(Struct, frozen=True):
    """What one page costs: bytes of a first visit, the first answer, then median, 95th percentile, processor time."""

    bytes: int
    first_ms: float
    p50_ms: float
    p95_ms: float
    cpu_ms: float


class Watched:
    """The console, with the wall time and the processor time in milliseconds of each answer."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.answers: list[tuple[float, float]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        wall, processor = time.perf_counter(), time.process_time()
        await self._app(scope, receive, send)
        self.answers.append(((time.perf_counter() - wall) * 1000, (time.process_time() - processor) * 1000))


def main() -> int:
    """Measure, and say what is over its limit."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.console", description=__doc__)
    parser.add_argument("--quick", action="store_true")
    part = 100 if parser.parse_args().quick else 1
    work = made(DECISIONS // part, CASES // part)
    name = f"benchmark {new_id('usr', work.clock.now())}"
    password = governing.add_person(work, SYSTEM, name, (Grant(Role.ADMIN),))
    session, watched = governing.log_in(work, name, password), Watched(build_console(work))
    with serving(watched) as origin, launch() as browser:
        with httpx.Client(base_url=origin, cookies={SESSION: session}, timeout=300) as client:
            found = {page: measured(client, browser, watched, at) for page, at in addresses(work).items()}
        following = next_cases(browser, origin, session)
    work.close()
    missed = told(found, following)
    figures = {"decisions": DECISIONS // part, "cases": CASES // part, "missed": missed, "next_case_ms": following}
    pages = {page: {name: round(value, 1) for name, value in each.items()} for page, each in _plain(found).items()}
    print(json.dumps({**figures, "pages": pages}))
    return int(bool(missed))


def addresses(work: Workspace) -> dict[str, str]:
    """Where each page is; of decisions and cases, a recent one."""
    with work.database.reading() as connection:
        decision = connection.execute(sa.text("SELECT max(id) FROM decisions")).scalar_one()
        case = connection.execute(sa.text("SELECT max(id) FROM review_cases")).scalar_one()
    return {page: at.format(decision=decision, case=case) for page, at in _PAGES.items()}


def measured(client: httpx.Client, browser: Browser, watched: Watched, at: str) -> Page:
    """What a page costs. The first answer is of whoever looks first; the others come when nothing is counted beside."""
    client.get(at)
    first = watched.answers[-1][0]
    while any(thread.name == "reading" for thread in threading.enumerate()):
        time.sleep(0.1)
    del watched.answers[:]
    for _ in range(WARM + ASKED):
        client.get(at).raise_for_status()
    times = [wall for wall, _ in watched.answers[WARM:]]
    processor = statistics.median(cpu for _, cpu in watched.answers[WARM:])
    return Page(transferred(client, browser, at), first, statistics.median(times), slow(times), processor)


def transferred(client: httpx.Client, browser: Browser, at: str) -> int:
    """How many bytes come over the wire when Chromium opens a page with nothing in its cache."""
    context, sizes = _context(browser, str(client.base_url), client.cookies[SESSION]), list[float]()
    page = context.new_page()
    protocol = context.new_cdp_session(page)
    protocol.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    protocol.send("Network.enable")
    page.goto(at, wait_until="networkidle")
    context.close()
    return int(sum(sizes))


def next_cases(browser: Browser, origin: str, session: str) -> dict[str, float]:
    """Milliseconds from approving a case to seeing the next, while the one after is made ready as people look."""
    context, times = _context(browser, origin, session), list[float]()
    page = context.new_page()
    page.add_init_script(_LOOK)
    page.goto(f"{_BASE}/queue")
    is_ready = re.compile("/queue/cases/[^/]+/ahead")
    with page.expect_response(is_ready, timeout=_WAIT_MS) as ready:
        page.keyboard.press("s")
    for _ in range(JUDGED):
        ready.value.finished()
        page.wait_for_timeout(500)  # nobody judges a case at once: the console takes that for the same press
        with page.expect_response(is_ready, timeout=_WAIT_MS) as ready:
            page.keyboard.press("a")
            page.wait_for_selector("html[data-took]", timeout=_WAIT_MS)
        times.append(float(page.evaluate("document.documentElement.dataset.took")))
        page.evaluate("delete document.documentElement.dataset.took")
    context.close()
    return {"judged": JUDGED, "p50": round(statistics.median(times), 1), "p95": round(slow(times), 1)}


def slow(times: Sequence[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(times, n=20, method="inclusive")[-1]


def told(found: dict[str, Page], following: dict[str, float]) -> list[str]:
    """Print a line for each page and each goal that is missed; the latter."""
    print(f"{'page':34} {'first':>9} {'median':>9} {'95 %':>9} {'CPU':>9} {'weight':>10}")
    for page, each in found.items():
        times = f"{each.first_ms:6.1f} ms {each.p50_ms:6.1f} ms {each.p95_ms:6.1f} ms {each.cpu_ms:6.1f} ms"
        print(f"{page:34} {times} {each.bytes / 1000:7.1f} kB", flush=True)
    print(f"{'next case':34} {'':9} {following['p50']:6.1f} ms {following['p95']:6.1f} ms")
    missed = [f"{page}: {each.bytes / 1000:.1f} kB" for page, each in found.items() if each.bytes > BYTES_MAX]
    missed += [f"{page}: {each.p95_ms:.1f} ms" for page, each in found.items() if each.p95_ms > MILLISECONDS_MAX]
    missed += [f"next case: {following['p95']:.1f} ms"] if following["p95"] > NEXT_CASE_MAX else []
    for goal in missed:
        print(f"MISSED {goal}")
    return missed


def _plain(found: dict[str, Page]) -> dict[str, dict[str, float]]:
    return {page: {name: getattr(each, name) for name in each.__struct_fields__} for page, each in found.items()}


def _context(browser: Browser, origin: str, session: str) -> BrowserContext:
    context = browser.new_context(base_url=origin)
    context.add_cookies([{"name": SESSION, "value": session, "url": origin}])
    return context


if __name__ == "__main__":
    sys.exit(main())
