"""Log-in by an OpenID provider, against one that really answers, and against one that does everything wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from datetime import timedelta

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.testing import TestClient

from pilotage.govern import flow
from pilotage.govern.cookies import PROVIDER, SESSION
from pilotage.govern.flow import arriving
from pilotage.govern.flow import provider as provider_flow
from pilotage.govern.records import SYSTEM, Grant, Principal, Role
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import Conflict
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace
from pilotage.web.console import build_console
from tests.govern.oidc_provider import CLIENT, SECRET, Provider, provided

ADDRESS = "http://console.test"
Browser = TestClient[Litestar]


@pytest.fixture
def provider(clock: FixedClock) -> Iterator[Provider]:
    with provided(clock) as running:
        yield running


@pytest.fixture
def opened(work: Workspace, provider: Provider) -> Callable[..., Workspace]:
    """The installation with this provider set, and with what else a test wants."""

    def made(**more: object) -> Workspace:
        known = {
            "public_url": ADDRESS,
            "oidc_issuer": provider.issuer,
            "oidc_client_id": CLIENT,
            "oidc_client_secret": SECRET,
            "egress_hosts": provider.issuer.removeprefix("http://"),
        }
        return dataclasses.replace(work, settings=msgspec.structs.replace(work.settings, **{**known, **more}))

    return made


def browsing(work: Workspace) -> Browser:
    return TestClient(build_console(work), base_url=ADDRESS, raise_server_exceptions=False)


def come(browser: Browser, wanted: str = "/") -> httpx.Response:
    """Go by the provider, as a browser does: its last answer, before where it leads is looked at."""
    first = browser.get("/log-in/provider", params={"next": wanted}, follow_redirects=False)
    if first.status_code != 303:
        return first
    sent_back = httpx.get(first.headers["location"])
    assert sent_back.status_code == 302, sent_back.text
    return browser.get(sent_back.headers["location"], follow_redirects=False)


def who(work: Workspace, browser: Browser) -> Principal | None:
    return flow.principal_of_session(work, browser.cookies.get(SESSION, ""))


@pytest.mark.both_stores
def test_the_first_log_in_makes_the_person_and_the_second_finds_them(
    opened: Callable[..., Workspace], provider: Provider
) -> None:
    work = opened()
    with browsing(work) as browser:
        answer = come(browser, "/incidents?x=a.b")
        assert answer.status_code == 303 and answer.headers["location"] == "/incidents?x=a.b"
        first = who(work, browser)
    assert first is not None and first.name == "anna" and first.grants == ()
    provider.user["preferred_username"] = "anna.berg"
    with browsing(work) as browser:
        come(browser)
        assert who(work, browser) == first
    assert [entry.detail for entry in flow.entries(work, "log-in")] == [{"by": "OpenID provider"}] * 2


def test_groups_give_roles_and_losing_one_ends_the_other_sessions(
    opened: Callable[..., Workspace], provider: Provider
) -> None:
    work = opened(oidc_roles="ml team=owner:late_arrival; cn=staff,dc=x=viewer")
    provider.user["groups"] = ["ml team", "cn=staff,dc=x", "unknown"]
    with browsing(work) as before, browsing(work) as after:
        come(before)
        found = who(work, before)
        assert found is not None
        assert set(found.grants) == {Grant(Role.OWNER, "late_arrival"), Grant(Role.VIEWER)}
        come(after)
        assert who(work, before) is not None, "nothing changed, so nothing ends"
        provider.user["groups"] = "cn=staff,dc=x"
        come(after)
        again = who(work, after)
        assert again is not None and again.grants == (Grant(Role.VIEWER),)
        assert who(work, before) is None
    (taken,) = flow.entries(work, "take-role")
    assert taken.detail == {"role": "owner", "use_case": "late_arrival", "by": "OpenID provider"}


FAULTS = [
    ("wrong nonce", "it answers another log-in"),
    ("wrong issuer", "it is of another issuer"),
    ("wrong audience", "it is for another application"),
    ("two audiences", "it is for another application"),
    ("expired", "it is over"),
    ("of the future", "it is of the future"),
    ("nobody", "it names nobody"),
    ("alg none", "not signed by one of its keys"),
    ("signed by the public key", "not signed by one of its keys"),
    ("signed by somebody", "not signed by one of its keys"),
    ("another discovery", "calls itself https://evil.example"),
    ("another issuer in the answer", "of another provider"),
    ("refuses", "did not let you in"),
]


@pytest.mark.parametrize(("fault", "said"), FAULTS)
def test_what_a_provider_does_wrong_opens_nothing(
    opened: Callable[..., Workspace], provider: Provider, fault: str, said: str
) -> None:
    work = opened()
    provider.fault = fault
    with browsing(work) as browser:
        answer = come(browser)
        assert answer.status_code == 422 and said in answer.text and SESSION not in browser.cookies
    with pytest.raises(Exception, match="no person named anna"):
        flow.person_named(work, "anna")


def test_new_keys_of_the_provider_need_nothing_here(opened: Callable[..., Workspace], provider: Provider) -> None:
    work = opened()
    with browsing(work) as browser:
        come(browser)
        provider.rotate()
        assert come(browser).status_code == 303
        assert who(work, browser) is not None


def test_a_provider_that_is_away_is_told_of_and_passwords_still_open(work: Workspace, clock: FixedClock) -> None:
    with provided(clock) as gone:
        issuer = gone.issuer
    away = {"oidc_issuer": issuer, "oidc_client_id": CLIENT, "egress_hosts": issuer.removeprefix("http://")}
    here = dataclasses.replace(work, settings=msgspec.structs.replace(work.settings, **away))
    with browsing(here) as browser:
        answer = come(browser)
        assert answer.status_code == 503 and "cannot be reached" in answer.text
        assert 'name="password"' in answer.text


def test_an_answer_counts_only_in_the_browser_that_asked_and_for_ten_minutes(
    opened: Callable[..., Workspace], provider: Provider, clock: FixedClock
) -> None:
    work = opened()
    with browsing(work) as mine, browsing(work) as another:
        first = mine.get("/log-in/provider", follow_redirects=False)
        back = httpx.get(first.headers["location"]).headers["location"]
        assert another.get(back, follow_redirects=False).headers["location"] == "/log-in"
        another.get("/log-in/provider", follow_redirects=False)
        assert "belongs to another log-in" in another.get(back, follow_redirects=False).text
        clock.advance(timedelta(minutes=11))
        assert "took too long" in mine.get(back, follow_redirects=False).text
        assert who(work, mine) is None and who(work, another) is None
    assert provider.codes, "no code was used"


def test_the_way_back_is_used_once(opened: Callable[..., Workspace], provider: Provider) -> None:
    work = opened()
    with browsing(work) as browser:
        first = browser.get("/log-in/provider", follow_redirects=False)
        kept = browser.cookies[PROVIDER]
        back = httpx.get(first.headers["location"]).headers["location"]
        assert browser.get(back, follow_redirects=False).status_code == 303
        assert PROVIDER not in browser.cookies
        browser.cookies.set(PROVIDER, kept, domain="console.test", path="/log-in")
        assert "refused the code" in browser.get(back, follow_redirects=False).text


def test_a_person_of_the_same_name_stays_somebody_else_until_linked(
    opened: Callable[..., Workspace], provider: Provider
) -> None:
    work = opened()
    flow.add_person(work, SYSTEM, "anna", (Grant(Role.ADMIN),))
    provider.user["sub"] = "u|1"
    with browsing(work) as browser:
        answer = come(browser)
        assert answer.status_code == 409 and "somebody else of your name" in answer.text
        arriving.link(work, flow.person_named(work, "anna"), "u|1")
        come(browser)
        found = who(work, browser)
        assert found is not None and found.grants == (Grant(Role.ADMIN),)
    with pytest.raises(Conflict, match=r"comes in as u\|1 already"):
        arriving.link(work, flow.person_named(work, "anna"), "u|1")


def test_who_was_disabled_here_stays_outside(opened: Callable[..., Workspace], provider: Provider) -> None:
    work = opened()
    with browsing(work) as browser:
        come(browser)
        flow.disable_person(work, SYSTEM, flow.person_named(work, "anna").id)
        assert who(work, browser) is None
        assert "shut out" in come(browser).text


def test_the_only_admin_stays_one_whatever_the_groups_say(opened: Callable[..., Workspace], provider: Provider) -> None:
    work = opened(oidc_roles="staff=viewer; heads=admin", password_log_in=False)
    provider.user["groups"] = ["heads"]
    with browsing(work) as browser:
        come(browser)
        provider.user["groups"] = ["staff"]
        come(browser)
        found = who(work, browser)
        assert found is not None and set(found.grants) == {Grant(Role.ADMIN), Grant(Role.VIEWER)}


def test_passwords_can_be_switched_off(opened: Callable[..., Workspace], provider: Provider) -> None:
    work = opened(password_log_in=False)
    password = flow.add_person(work, SYSTEM, "bo", ())
    with browsing(work) as browser:
        form = browser.get("/log-in")
        assert 'name="password"' not in form.text and "Log in with your organisation" in form.text
        sent = {"name": "bo", "password": password, "_csrf_token": browser.cookies["pilotage_csrf"]}
        answer = browser.post("/log-in", data=sent, follow_redirects=False)
        assert answer.status_code == 401 and SESSION not in browser.cookies


def test_somebody_without_a_password_cannot_log_in_by_one(opened: Callable[..., Workspace], provider: Provider) -> None:
    work = opened()
    with browsing(work) as browser:
        come(browser)
        assert "kept there" in browser.get("/me").text
    for guess in ("", "nobody has this name"):
        with pytest.raises(Exception, match="do not fit together"):
            flow.log_in(work, "anna", guess)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"password_log_in": False}, "nobody could log in"),
        ({"oidc_issuer": "https://id.example"}, "PILOTAGE_OIDC_CLIENT_ID"),
        ({"oidc_roles": "staff"}, "group=role"),
        ({"oidc_roles": "staff=emperor"}, "The roles are"),
        ({"oidc_roles": "staff=admin:late_arrival"}, "admin is for all"),
        ({"oidc_issuer": "http://id.example", "oidc_client_id": "x"}, "without encryption"),
        ({"oidc_issuer": "https://i", "oidc_client_id": "x", "oidc_client_secret_file": "/none"}, "cannot be read"),
    ],
)
def test_settings_that_let_nobody_in_are_refused_at_the_start(settings: dict[str, object], said: str) -> None:
    with pytest.raises(Exception, match=said):
        provider_flow.demand_sound(Settings(**settings))  # type: ignore[arg-type]


def test_the_secret_can_lie_in_a_file(opened: Callable[..., Workspace], provider: Provider) -> None:
    work = opened(oidc_client_secret="")
    file = work.home / "client.secret"
    file.write_text(SECRET + "\n")
    work = opened(oidc_client_secret="", oidc_client_secret_file=str(file))
    with browsing(work) as browser:
        assert come(browser).status_code == 303
