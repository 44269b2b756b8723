"""Second factors and one's own password and sessions, through the forms."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import threading
from collections.abc import Iterator
from datetime import timedelta

import msgspec
import pyotp
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from pilotage.govern import flow
from pilotage.govern.cookies import SESSION
from pilotage.govern.flow import second_factor
from pilotage.govern.flow.tries import TooManyTries
from pilotage.govern.records import SYSTEM, Grant, Principal, Role
from pilotage.govern.rules import codes
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import NotAuthenticated, SettingsError
from pilotage.platform.workspace import Workspace
from pilotage.web.console import build_console
from tests.web.conftest import ADDRESS, Browser, post_form

STEP = timedelta(seconds=codes.STEP_SECONDS)
NEW = "seven grey herons wait"


class Anna:
    """Somebody with a password, and after ``enrol`` with an authenticator app."""

    def __init__(self, work: Workspace, clock: FixedClock, console: Litestar) -> None:
        self.work, self.clock, self.console = work, clock, console
        self.password = flow.add_person(work, SYSTEM, "anna", (Grant(Role.OWNER, "late_arrival"),))
        self.id = flow.person_named(work, "anna").id
        self.secret = ""
        self.recovery: list[str] = []

    @property
    def code(self) -> str:
        return pyotp.TOTP(self.secret).at(int(self.clock.now().timestamp()))

    @property
    def principal(self) -> Principal:
        return Principal(self.id, "anna", "person", flow.person_named(self.work, "anna").grants)

    def browser(self) -> Browser:
        opened = TestClient(self.console, base_url=ADDRESS, raise_server_exceptions=False)
        opened.follow_redirects = False
        return opened

    def logged_in(self) -> Browser:
        opened = self.browser()
        assert post_form(opened, "/log-in", name="anna", password=self.password).headers["location"] == "/"
        return opened

    def halfway(self) -> Browser:
        opened = self.browser()
        answer = post_form(opened, "/log-in", name="anna", password=self.password, next="/me")
        assert answer.headers["location"] == "/log-in/code?next=%2Fme"
        return opened

    def enrol(self) -> Browser:
        opened = self.logged_in()
        page = post_form(opened, "/me/second-factor", password=self.password).text
        self.secret = shown_secret(page)
        done = post_form(opened, "/me/second-factor/confirm", code=self.code, kept=kept_in(page))
        self.recovery = re.findall(r"\b[a-z2-9]{4}(?:-[a-z2-9]{4}){3}\b", done.text)
        self.clock.advance(STEP)
        return opened


def shown_secret(text: str) -> str:
    found = re.search(r'id="secret">([A-Z2-7]+)<', text)
    assert found is not None
    return found[1]


def kept_in(text: str) -> str:
    """What the form holds of the secret that it shows."""
    found = re.search(r'name="kept" value="([^"]+)"', text)
    assert found is not None
    return found[1]


def is_in(browser: Browser) -> bool:
    return browser.get("/me").status_code == 200


@pytest.fixture
def anna(work: Workspace, clock: FixedClock) -> Anna:
    return Anna(work, clock, build_console(work))


@pytest.fixture
def demanding(work: Workspace, clock: FixedClock) -> Iterator[Anna]:
    """An installation that demands a second factor of owners."""
    settings = msgspec.structs.replace(work.settings, second_factor_roles="admin, owner")
    strict = dataclasses.replace(work, settings=settings)
    yield Anna(strict, clock, build_console(strict))


@pytest.mark.both_stores
def test_after_setting_up_the_log_in_asks_for_a_code_and_each_counts_once(anna: Anna) -> None:
    other = anna.logged_in()
    mine = anna.enrol()
    assert is_in(mine) and not is_in(other), "what was opened without it has ended"
    assert len(set(anna.recovery)) == 10
    browser = anna.halfway()
    assert not is_in(browser), "half a log-in opens nothing"
    assert browser.get("/").headers["location"].startswith("/log-in?next")
    used = anna.code
    answer = post_form(browser, "/log-in/code", code=f" {used[:3]} {used[3:]} ", next="/me")
    assert answer.headers["location"] == "/me" and is_in(browser)
    again = anna.halfway()
    assert "used before" in post_form(again, "/log-in/code", code=used).text
    assert not is_in(again)
    anna.clock.advance(STEP)
    assert post_form(again, "/log-in/code", code=anna.code).status_code == 303
    assert is_in(again)


@pytest.mark.both_stores
def test_of_two_who_send_one_code_at_once_one_gets_in(anna: Anna) -> None:
    anna.enrol()
    tokens = [flow.log_in(anna.work, "anna", anna.password) for _ in range(6)]
    code, opened = anna.code, []

    def send(token: str) -> None:
        with contextlib.suppress(second_factor.WrongCode, TooManyTries, NotAuthenticated):
            opened.append(second_factor.pass_code(anna.work, token, code))

    threads = [threading.Thread(target=send, args=(token,)) for token in tokens]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(opened) == 1


def test_codes_of_just_before_and_after_count_and_no_others(anna: Anna) -> None:
    anna.enrol()
    secret, now = anna.secret, anna.clock.now().timestamp()
    for steps, fits in ((-2, False), (-1, True), (0, True), (1, True), (2, False)):
        code = pyotp.TOTP(secret).at(int(now) + steps * codes.STEP_SECONDS)
        assert (codes.fitting_step(secret, code, now) is not None) is fits


def test_five_wrong_codes_and_even_the_right_one_waits_however_often_one_logs_in(anna: Anna) -> None:
    anna.enrol()
    browser = anna.halfway()
    wrong = "000000" if anna.code != "000000" else "000001"
    for _ in range(5):
        assert post_form(browser, "/log-in/code", code=wrong).status_code == 422
    assert post_form(anna.halfway(), "/log-in/code", code=anna.code).status_code == 429
    anna.clock.advance(STEP)
    assert post_form(browser, "/log-in/code", code=anna.code).status_code == 303


@pytest.mark.both_stores
def test_a_recovery_code_opens_once_and_is_told_in_the_audit_log(anna: Anna) -> None:
    anna.enrol()
    assert post_form(anna.halfway(), "/log-in/code", code=anna.recovery[3].upper().replace("-", " ")).status_code == 303
    assert post_form(anna.halfway(), "/log-in/code", code=anna.recovery[3]).status_code == 422
    assert [entry.detail for entry in flow.entries(anna.work, "use-recovery-code")] == [{"left": 9}]
    content = b"".join(path.read_bytes() for path in anna.work.home.rglob("pilotage.db*"))
    assert anna.secret.encode() not in content
    assert not any(code.encode() in content or codes.typed(code).encode() in content for code in anna.recovery)


def test_half_a_log_in_is_over_after_ten_minutes_and_with_the_password(anna: Anna) -> None:
    anna.enrol()
    slow = anna.halfway()
    anna.clock.advance(timedelta(minutes=10))
    assert slow.get("/log-in/code").headers["location"] == "/log-in"
    waiting = anna.halfway()
    flow.reset_password(anna.work, SYSTEM, anna.id)
    assert post_form(waiting, "/log-in/code", code=anna.code).headers["location"] == "/log-in"


def test_where_it_is_demanded_nothing_opens_before_it_is_set_up(demanding: Anna) -> None:
    browser = demanding.browser()
    answer = post_form(browser, "/log-in", name="anna", password=demanding.password, next="/me")
    assert answer.headers["location"] == "/log-in/second-factor?next=%2Fme"
    assert not is_in(browser)
    page = browser.get("/log-in/second-factor").text
    demanding.secret = shown_secret(page)
    assert "<svg" in page
    wrong = post_form(browser, "/log-in/second-factor", code="12", kept=kept_in(page))
    assert wrong.status_code == 422 and not is_in(browser)
    assert shown_secret(wrong.text) == demanding.secret, "a code typed wrong costs no second scan"
    done = post_form(browser, "/log-in/second-factor", code=demanding.code, kept=kept_in(wrong.text))
    assert "recovery codes" in done.text and is_in(browser)
    assert "Remove" not in browser.get("/me").text
    removed = post_form(browser, "/me/second-factor/remove", password=demanding.password)
    assert removed.status_code == 422 and "Your roles demand" in removed.text


@pytest.mark.both_stores
def test_the_host_resets_a_lost_one_and_the_page_too(
    anna: Anna, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from pilotage.cli.main import run

    monkeypatch.setenv("PILOTAGE_HOME", str(anna.work.home))
    browser = anna.enrol()
    assert run(["person", "reset-second-factor", "anna"]) == 0
    assert not is_in(browser)
    assert is_in(anna.logged_in())
    assert run(["person", "reset-second-factor", "anna"]) == 2
    assert "anna has no second factor" in capsys.readouterr().err
    (entry,) = flow.entries(anna.work, "reset-second-factor")
    assert entry.subject == "anna" and SYSTEM.name in entry.actor


def test_another_key_file_does_not_open_what_was_sealed(anna: Anna) -> None:
    anna.enrol()
    (anna.work.home / "keys" / "second-factor.secret").write_bytes(b"x" * 32)
    token = flow.log_in(anna.work, "anna", anna.password)
    with pytest.raises(SettingsError, match="second-factor"):
        second_factor.pass_code(anna.work, token, anna.code)


@pytest.mark.both_stores
def test_removing_and_new_recovery_codes_need_the_password(anna: Anna) -> None:
    browser = anna.enrol()
    for place in ("remove", "recovery-codes"):
        answer = post_form(browser, f"/me/second-factor/{place}", password="wrong")
        assert answer.status_code == 422 and "not your password" in answer.text
    fresh = post_form(browser, "/me/second-factor/recovery-codes", password=anna.password).text
    assert anna.recovery[0] not in fresh
    assert post_form(anna.halfway(), "/log-in/code", code=anna.recovery[0]).status_code == 422
    assert post_form(browser, "/me/second-factor/remove", password=anna.password).status_code == 303
    assert is_in(browser) and is_in(anna.logged_in())


@pytest.mark.both_stores
def test_a_new_password_ends_every_other_session(anna: Anna) -> None:
    mine, other = anna.logged_in(), anna.logged_in()
    before = mine.cookies[SESSION]
    answer = post_form(mine, "/me/password", old=anna.password, new=NEW)
    assert answer.headers["location"] == "/me?done=password"
    assert "Your password is changed" in mine.get("/me?done=password").text
    assert not is_in(other) and flow.principal_of_session(anna.work, before) is None
    anna.password = NEW
    assert is_in(anna.logged_in())


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ("short", "at least 12"),
        ("x" * 201, "at most 200"),
        ("aaaaaaaaaaaaaa", "five different"),
        ("Password123456!", "everybody tries first"),
        ("P4ssw0rd!!!!!!", "everybody tries first"),
        ("qwertyuiop1234", "everybody tries first"),
        ("letmeinletmein", "everybody tries first"),
        ("abcdefghijklmnop", "everybody tries first"),
        ("annaanna2026", "must not be the name"),
        ("anna likes 2 herons", ""),
    ],
)
def test_a_password_must_be_long_and_none_that_everybody_tries(anna: Anna, new: str, said: str) -> None:
    answer = post_form(anna.logged_in(), "/me/password", old=anna.password, new=new)
    assert answer.status_code == (422 if said else 303), new
    assert said in answer.text


def test_guessing_the_old_password_of_an_open_session_is_slowed_down(anna: Anna) -> None:
    browser = anna.logged_in()
    answers = [post_form(browser, "/me/password", old="wrong", new=NEW).status_code for _ in range(6)]
    assert answers == [422] * 5 + [429]


def test_one_sees_where_one_is_logged_in_and_ends_the_others(anna: Anna) -> None:
    mine, other = anna.logged_in(), anna.browser()
    other.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0<script>"
    post_form(other, "/log-in", name="anna", password=anna.password)
    page = mine.get("/me").text
    assert page.count("this one") == 1 and "Firefox on Linux" in page and "<script>" not in page.split("<main")[1]
    assert post_form(mine, "/me/sessions/end-others").status_code == 303
    assert is_in(mine) and not is_in(other)
    assert "End all others" not in mine.get("/me").text


@pytest.mark.both_stores
@pytest.mark.parametrize("deed", ["give", "take", "disable", "reset"])
def test_a_session_ends_at_once_on_another_replica_too(anna: Anna, deed: str) -> None:
    """Two consoles over one database, as two replicas: what one does ends sessions that the other opened."""
    browser = anna.logged_in()
    assert is_in(browser)
    elsewhere = dataclasses.replace(anna.work)
    grant = Grant(Role.OWNER, "late_arrival")
    deeds = {
        "give": lambda: flow.give_role(elsewhere, SYSTEM, anna.id, Grant(Role.VIEWER)),
        "take": lambda: flow.take_role(elsewhere, SYSTEM, anna.id, grant),
        "disable": lambda: flow.disable_person(elsewhere, SYSTEM, anna.id),
        "reset": lambda: flow.reset_password(elsewhere, SYSTEM, anna.id),
    }
    deeds[deed]()
    assert not is_in(browser)
