"""A log-in whose requests are taken by several processes, over one control database: their consoles share no memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.enums import ScopeType
from litestar.testing import TestClient
from litestar.types import Receive, Scope, Send
from sqlalchemy.exc import SQLAlchemyError

from pilotage.govern import flow
from pilotage.govern.cookies import CSRF
from pilotage.govern.flow import provider as provider_flow
from pilotage.govern.flow import tries
from pilotage.govern.flow.tries import TooManyTries
from pilotage.govern.records import SYSTEM
from pilotage.govern.rules import callers, codes, waiting
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import NotAuthenticated, SettingsError
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.web.console import build_console
from tests.govern.oidc_provider import CLIENT, SECRET, Provider, provided
from tests.govern.test_second_factor import Anna

ADDRESS = "http://console.test"
PROCESSES = 3


class Seen:
    """The console as it is asked from an address over the network."""

    def __init__(self, console: Litestar, peer: str) -> None:
        self.console, self.peer = console, peer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP:
            scope["client"] = (self.peer, 50_000)
        await self.console(scope, receive, send)


class Browser:
    """A browser whose every request is taken by the next of the processes."""

    def __init__(self, consoles: list[Litestar], peer: str = "198.51.100.7", **headers: str) -> None:
        self._clients = [TestClient(Seen(each, peer), base_url=ADDRESS) for each in consoles]
        self._headers, self._next = headers, 0
        self.cookies = httpx.Cookies()

    def request(self, method: str, path: str, data: dict[str, str] | None = None) -> httpx.Response:
        client = self._clients[self._next % len(self._clients)]
        self._next += 1
        client.cookies = self.cookies
        answer = client.request(method, path, data=data, headers=self._headers, follow_redirects=False)
        self.cookies = client.cookies
        return answer

    def get(self, path: str) -> httpx.Response:
        return self.request("GET", path)

    def post(self, path: str, **form: str) -> httpx.Response:
        if CSRF not in self.cookies:
            self.get("/log-in")
        return self.request("POST", path, {**form, "_csrf_token": self.cookies[CSRF]})

    @property
    def is_in(self) -> bool:
        return self.get("/me").status_code == 200


@pytest.fixture
def provider(clock: FixedClock) -> Iterator[Provider]:
    with provided(clock) as running:
        yield running


Processes = Callable[..., list[Litestar]]


@pytest.fixture
def processes(work: Workspace, clock: FixedClock) -> Iterator[Processes]:
    """Consoles, each over its own connections to the database and with its own clock, all of the same home."""
    with ExitStack() as stack:

        def made(ahead: timedelta = timedelta(0), **settings: object) -> list[Litestar]:
            told = msgspec.structs.replace(work.settings, **settings)
            found = []
            for number in range(PROCESSES):
                own = FixedClock(clock.now() + (ahead if number == 0 else timedelta(0)))
                opened = open_workspace(told, own if ahead else clock)
                stack.callback(opened.close)
                found.append(build_console(opened))
            return found

        yield made


def _anna(work: Workspace, clock: FixedClock, console: Litestar) -> Anna:
    anna = Anna(work, clock, console)
    anna.enrol()
    return anna


@pytest.mark.both_stores
def test_each_step_of_a_log_in_with_a_code_may_meet_another_process(
    work: Workspace, clock: FixedClock, processes: Processes
) -> None:
    consoles = processes()
    anna = _anna(work, clock, consoles[0])
    for first in range(PROCESSES):
        browser = Browser(consoles[first:] + consoles[:first])
        assert (
            browser.post("/log-in", name="anna", password=anna.password).headers["location"].startswith("/log-in/code")
        )
        assert browser.post("/log-in/code", code=anna.code).status_code == 303
        assert browser.is_in and browser.is_in and browser.is_in
        clock.advance(timedelta(seconds=codes.STEP_SECONDS))


@pytest.mark.both_stores
def test_one_code_opens_once_among_all_processes(work: Workspace, clock: FixedClock, processes: Processes) -> None:
    consoles = processes()
    anna = _anna(work, clock, consoles[0])
    halfway = []
    for each in consoles:
        browser = Browser([each])
        browser.post("/log-in", name="anna", password=anna.password)
        halfway.append(browser)
    start, answers = threading.Barrier(PROCESSES), []

    def send(browser: Browser) -> None:
        start.wait()
        answers.append(browser.post("/log-in/code", code=anna.code).status_code)

    threads = [threading.Thread(target=send, args=(each,)) for each in halfway]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [303, 422, 422]
    assert sorted(each.is_in for each in halfway) == [False, False, True]


@pytest.mark.both_stores
def test_wrong_passwords_and_codes_count_together_whoever_takes_them(
    work: Workspace, clock: FixedClock, processes: Processes
) -> None:
    consoles = processes()
    anna = _anna(work, clock, consoles[0])
    browser = Browser(consoles)
    for _ in range(waiting.FREE_FAILURES):
        assert "do not fit together" in browser.post("/log-in", name="anna", password="wrong").text
    for each in consoles:
        assert "Too many wrong passwords" in Browser([each]).post("/log-in", name="anna", password=anna.password).text
    clock.advance(timedelta(minutes=1))
    browser.post("/log-in", name="anna", password=anna.password)
    for _ in range(waiting.FREE_FAILURES):
        assert "This code is wrong" in browser.post("/log-in/code", code="000000").text
    for _ in consoles:
        assert "Too many wrong codes" in browser.post("/log-in/code", code=anna.code).text


@pytest.mark.both_stores
def test_who_was_sent_to_the_provider_by_one_process_comes_back_to_another(
    provider: Provider, processes: Processes
) -> None:
    consoles = processes(**_by(provider))
    for first in range(PROCESSES):
        browser = Browser(consoles[first:] + consoles[:first])
        sent = browser.get("/log-in/provider?next=/me")
        back = httpx.get(sent.headers["location"]).headers["location"].removeprefix(ADDRESS)
        answer = browser.get(back)
        assert (answer.status_code, answer.headers["location"]) == (303, "/me")
        assert browser.is_in
        again = browser.get(back)
        assert again.headers.get("location") == "/log-in", "the way back is gone in every process"


def test_a_replica_whose_clock_is_behind_takes_who_comes_back_at_once(provider: Provider, processes: Processes) -> None:
    consoles = processes(timedelta(seconds=2), **_by(provider))
    browser = Browser(consoles)
    sent = browser.get("/log-in/provider?next=/me")
    back = httpx.get(sent.headers["location"]).headers["location"].removeprefix(ADDRESS)
    assert browser.get(back).status_code == 303


def _by(provider: Provider) -> dict[str, object]:
    return {
        "public_url": ADDRESS,
        "oidc_issuer": provider.issuer,
        "oidc_client_id": CLIENT,
        "oidc_client_secret": SECRET,
        "egress_hosts": provider.issuer.removeprefix("http://"),
    }


@pytest.mark.both_stores
def test_an_address_that_tries_many_names_waits_in_every_process_and_others_do_not(
    work: Workspace, clock: FixedClock, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "ADDRESS_FAILURES", 12)
    consoles = processes()
    password = flow.add_person(work, SYSTEM, "anna", ())
    browser = Browser(consoles)
    for number in range(12):
        assert "do not fit together" in browser.post("/log-in", name=f"name {number}", password="wrong").text
    for _ in consoles:
        assert "from this address" in browser.post("/log-in", name="anna", password=password).text
    assert Browser(consoles, "198.51.100.8").post("/log-in", name="anna", password=password).status_code == 303
    clock.advance(timedelta(seconds=waiting.ADDRESS_FORGETS_SECONDS))
    assert browser.post("/log-in", name="anna", password=password).status_code == 303


def test_a_refused_address_does_not_lock_the_names_that_it_tries(
    work: Workspace, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "ADDRESS_FAILURES", 3)
    consoles = processes()
    password = flow.add_person(work, SYSTEM, "anna", ())
    attacker = Browser(consoles)
    for number in range(3):
        attacker.post("/log-in", name=f"name {number}", password="wrong")
    for _ in range(10):
        assert "from this address" in attacker.post("/log-in", name="anna", password="wrong").text
    assert Browser(consoles, "198.51.100.8").post("/log-in", name="anna", password=password).status_code == 303


def test_an_office_behind_one_address_is_not_locked_out_by_its_size(work: Workspace, clock: FixedClock) -> None:
    """300 people in a morning, a fifth of whom mistype once: 60 wrong tries within 20 minutes, and nobody waits."""
    office = "198.51.100.7"
    password = flow.add_person(work, SYSTEM, "anna", ())
    for number in range(300):
        if number % 5 == 0:
            with pytest.raises(NotAuthenticated, match="do not fit together"):
                flow.log_in(work, f"person {number}", "wrong", address=office)
        clock.advance(timedelta(seconds=4))
    assert flow.log_in(work, "anna", password, address=office)


def test_right_passwords_never_fill_an_address_and_do_not_empty_it(
    work: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "ADDRESS_FAILURES", 3)
    password = flow.add_person(work, SYSTEM, "anna", ())
    for _ in range(5):
        assert flow.log_in(work, "anna", password, address="198.51.100.7")
    for number in range(3):
        with pytest.raises(NotAuthenticated, match="do not fit together"):
            flow.log_in(work, f"name {number}", "wrong", address="198.51.100.7")
        if number < 2:
            assert flow.log_in(work, "anna", password, address="198.51.100.7")
    with pytest.raises(TooManyTries, match="from this address"):
        flow.log_in(work, "anna", password, address="198.51.100.7")


def test_behind_a_proxy_of_ours_the_address_that_it_names_counts_and_none_that_a_caller_writes(
    work: Workspace, processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "ADDRESS_FAILURES", 3)
    consoles = processes(public_url=ADDRESS, trusted_proxies="10.0.0.0/24")
    password = flow.add_person(work, SYSTEM, "anna", ())

    def by_proxy(forwarded: str) -> Browser:
        return Browser(consoles, "10.0.0.5", **{"X-Forwarded-For": forwarded})

    for number in range(3):  # each writes another address of its own before the proxy adds the real one
        by_proxy(f"203.0.113.{number}, 198.51.100.7").post("/log-in", name=f"name {number}", password="wrong")
    assert "from this address" in by_proxy("198.51.100.7").post("/log-in", name="anna", password=password).text
    assert by_proxy("198.51.100.8").post("/log-in", name="anna", password=password).status_code == 303


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "public", "counted"),
    [
        ("198.51.100.7", [], "", False, "198.51.100.7"),
        ("198.51.100.7", ["203.0.113.1"], "", False, "198.51.100.7"),
        ("127.0.0.1", ["203.0.113.1"], "", True, ""),
        ("127.0.0.1", ["203.0.113.1"], "127.0.0.1", True, "203.0.113.1"),
        ("127.0.0.1", ["9.9.9.9", " 203.0.113.1 "], "127.0.0.1", True, "203.0.113.1"),
        ("127.0.0.1", ["203.0.113.1", "10.0.0.2"], "127.0.0.1, 10.0.0.0/8", True, "203.0.113.1"),
        ("127.0.0.1", [], "127.0.0.1", True, ""),
        ("127.0.0.1", ["unknown"], "127.0.0.1", True, ""),
        ("198.51.100.7", ["203.0.113.1"], "127.0.0.1", True, "198.51.100.7"),
        ("2001:db8:1:2:aaaa::1", [], "", False, "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::9", [], "", False, "2001:db8:1:2::/64"),
        ("::ffff:198.51.100.7", [], "", False, "198.51.100.7"),
        ("testclient", [], "", False, ""),
        ("", [], "", False, ""),
    ],
)
def test_whose_address_counts(peer: str, forwarded: list[str], trusted: str, public: bool, counted: str) -> None:
    assert callers.caller_of(peer, forwarded, callers.proxies(trusted), public) == counted


def test_a_proxy_that_is_no_address_stops_the_start() -> None:
    with pytest.raises(SettingsError, match="got 'nginx'"):
        provider_flow.demand_sound(Settings(trusted_proxies="10.0.0.1, nginx"))
    with pytest.raises(SettingsError, match="has host bits set"):
        provider_flow.demand_sound(Settings(trusted_proxies="10.0.0.1/8"))


def test_a_try_of_an_address_is_forgotten_after_a_while_each_by_itself(clock: FixedClock) -> None:
    at, step = clock.now(), timedelta(seconds=waiting.ADDRESS_FORGETS_SECONDS)
    assert waiting.still_counted(5, at, at + 2.5 * step) == (3, at + 2 * step)
    assert waiting.still_counted(5, at, at + 9 * step) == (0, at + 9 * step)
    assert waiting.still_counted(5, at, at - step) == (5, at), "another replica's clock is ahead"
    full = waiting.ADDRESS_FAILURES
    assert waiting.address_wait_seconds(full - 1, at, at) == 0
    assert waiting.address_wait_seconds(full, at, at) == waiting.ADDRESS_FORGETS_SECONDS


@pytest.mark.both_stores
def test_right_and_wrong_tries_at_once_never_lose_their_count(work: Workspace) -> None:
    """One counts while another forgets, as two processes do when a code is sent twice."""
    start, faults = threading.Barrier(4), []

    def count(number: int) -> None:
        start.wait()
        for _ in range(25):
            try:
                tries.take_try(work, "somebody", "codes")
            except TooManyTries:
                pass
            except SQLAlchemyError as error:
                faults.append(error)
            if number % 2:
                tries.forget_tries(work, "somebody")

    threads = [threading.Thread(target=count, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
