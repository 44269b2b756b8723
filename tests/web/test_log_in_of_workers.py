"""A log-in at a server of three workers: each request on a connection of its own, so that any of them may take it."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pyotp
import pytest

from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.govern.rules import codes, waiting
from pilotage.platform.clock import FixedClock
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from tests.govern.oidc_provider import CLIENT, SECRET, provided
from tests.govern.test_second_factor import kept_in, shown_secret
from tests.web.serving import Served, served

pytestmark = pytest.mark.long
ROUNDS = 12
WORKERS = 3
GUESSES_MAX = 200


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Workspace]:
    opened = open_workspace(Settings(home=tmp_path / "home"))
    yield opened
    opened.close()


class Visit:
    """A browser that keeps its cookies and never a connection."""

    def __init__(self, here: Served, **headers: str) -> None:
        once = httpx.Limits(max_keepalive_connections=0)
        self._client = httpx.Client(base_url=here.address, timeout=30, limits=once, headers=headers)

    def get(self, path: str) -> httpx.Response:
        return self._client.get(path)

    def post(self, path: str, **form: str) -> httpx.Response:
        if "pilotage_csrf" not in self._client.cookies:
            self.get("/log-in")
        token = self._client.cookies["pilotage_csrf"]
        return self._client.post(path, data={**form, "_csrf_token": token})


def _sent_at_once(visits: list[Visit], code: str) -> list[int]:
    start, answers = threading.Barrier(len(visits)), []

    def send(visit: Visit) -> None:
        start.wait()
        answers.append(visit.post("/log-in/code", code=code).status_code)

    threads = [threading.Thread(target=send, args=(each,)) for each in visits]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_three_workers_are_one_door(work: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    password = governing.add_person(work, SYSTEM, "zora", (Grant(Role.VIEWER),))
    now = FixedClock(datetime.now(UTC))
    with (
        provided(now) as provider,
        served(
            work,
            WORKERS,
            PILOTAGE_OIDC_ISSUER=provider.issuer,
            PILOTAGE_OIDC_CLIENT_ID=CLIENT,
            PILOTAGE_OIDC_CLIENT_SECRET=SECRET,
            PILOTAGE_EGRESS_HOSTS=provider.issuer.removeprefix("http://"),
            PILOTAGE_TRUSTED_PROXIES="127.0.0.1",
        ) as here,
    ):
        ways = Counter(_by_provider(here) for _ in range(ROUNDS))
        secret = _enrolled(here, password)
        halfway = [Visit(here) for _ in range(6)]
        for visit in halfway:
            assert visit.post("/log-in", name="zora", password=password).status_code == 303
        answers = Counter(_sent_at_once(halfway[:4], pyotp.TOTP(secret).at(int(time.time()))))
        guesses = [Visit(here, **{"X-Forwarded-For": "198.51.100.7"}) for _ in range(2)]
        began, said = time.monotonic(), []
        while not said or (said[-1] != 429 and len(said) < GUESSES_MAX):
            guess = guesses[len(said) % 2].post("/log-in", name=f"name {len(said)}", password="wrong")
            said.append(guess.status_code)
        forgotten = int(time.monotonic() - began) // waiting.ADDRESS_FORGETS_SECONDS + 1
        elsewhere = Visit(here, **{"X-Forwarded-For": "198.51.100.8"})
        other = elsewhere.post("/log-in", name="zora", password=password).status_code
    with capsys.disabled():
        print(f"\nThree workers: {ways} by the provider; one code at four: {answers}; guesses: {Counter(said)}")
    assert ways == {"in": ROUNDS}
    assert answers[303] == 1 and sum(answers.values()) == 4 and max(answers) < 500
    assert Counter(said)[429] == 1
    assert 0 <= Counter(said)[401] - waiting.ADDRESS_FAILURES <= forgotten
    assert other == 303


def _by_provider(here: Served) -> str:
    visit = Visit(here)
    sent = visit.get("/log-in/provider?next=/me")
    back = httpx.get(sent.headers["location"]).headers["location"].removeprefix(here.address)
    answer = visit.get(back)
    if answer.status_code != 303:
        return f"{answer.status_code} {answer.text}"
    return "in" if all(visit.get("/me").status_code == 200 for _ in range(WORKERS)) else "out"


def _enrolled(here: Served, password: str) -> str:
    """Set up a second factor, page by page, each by any worker."""
    visit = Visit(here)
    assert visit.post("/log-in", name="zora", password=password).headers["location"] == "/"
    page = visit.post("/me/second-factor", password=password).text
    secret = shown_secret(page)
    code = pyotp.TOTP(secret).at(int(time.time()) - codes.STEP_SECONDS)
    done = visit.post("/me/second-factor/confirm", code=code, kept=kept_in(page))
    assert re.search(r"\b[a-z2-9]{4}(?:-[a-z2-9]{4}){3}\b", done.text), done.text
    return secret
