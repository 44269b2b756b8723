"""What somebody with half a way in might try: a stolen password or session, a look-alike name, an odd answer."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from pilotage.govern import flow
from pilotage.govern.cookies import PROVIDER
from pilotage.govern.flow import arriving, provider_calls, second_factor, sessions
from pilotage.govern.flow import provider as provider_flow
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.govern.rules.signing_keys import TokenHead, claims_by, fitting
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import Conflict, NotAuthenticated, SettingsError
from pilotage.platform.workspace import Workspace
from pilotage.web.console import build_console
from tests.govern.oidc_provider import Provider
from tests.govern.test_provider import browsing, come, opened, provider
from tests.govern.test_second_factor import Anna, anna, demanding, kept_in, shown_secret
from tests.govern.test_signed_cards import ORIGIN, app, signed
from tests.web.conftest import post_form

__all__ = ["anna", "demanding", "opened", "provider"]
ADMIN = Grant(Role.ADMIN)


def test_a_secret_that_one_session_saw_is_offered_to_no_other_and_opens_nothing_there(demanding: Anna) -> None:
    thief, owner = demanding.browser(), demanding.browser()
    seen = []
    for browser in (thief, owner):
        post_form(browser, "/log-in", name="anna", password=demanding.password)
        seen.append(browser.get("/log-in/second-factor").text)
    assert shown_secret(seen[0]) != shown_secret(seen[1])
    demanding.secret = shown_secret(seen[0])
    refused = post_form(owner, "/log-in/second-factor", code=demanding.code, kept=kept_in(seen[0]))
    assert refused.status_code == 422 and shown_secret(refused.text) not in map(shown_secret, seen)
    assert post_form(owner, "/log-in/second-factor", code=demanding.code).status_code == 422
    demanding.secret = shown_secret(seen[1])
    done = post_form(owner, "/log-in/second-factor", code=demanding.code, kept=kept_in(seen[1]))
    assert "recovery codes" in done.text
    assert thief.get("/log-in/second-factor").headers["location"] == "/log-in", "what was halfway has ended"


def test_an_offered_secret_ends_with_the_password_and_after_ten_minutes(anna: Anna, clock: FixedClock) -> None:
    token = flow.log_in(anna.work, "anna", anna.password)
    kept = second_factor.offer(anna.work, anna.principal, token).kept
    assert second_factor.offer(anna.work, anna.principal, token, kept).kept == kept
    clock.advance(timedelta(minutes=10))
    assert second_factor.offer(anna.work, anna.principal, token, kept).kept != kept
    offered = second_factor.offer(anna.work, anna.principal, token)
    flow.reset_password(anna.work, SYSTEM, anna.id)
    anna.secret = offered.secret
    with pytest.raises(NotAuthenticated, match="too long"):
        second_factor.confirm(anna.work, anna.principal, token, offered.kept, anna.code)
    assert not second_factor.standing(anna.work, anna.principal).is_set_up


def test_an_open_session_alone_sets_no_second_factor_up(anna: Anna) -> None:
    browser = anna.logged_in()
    for password in ("", "wrong"):
        answer = post_form(browser, "/me/second-factor", password=password)
        assert answer.status_code == 422 and 'id="secret"' not in answer.text


def test_a_password_replaced_while_it_is_checked_opens_nothing(anna: Anna, monkeypatch: pytest.MonkeyPatch) -> None:
    checked = sessions.fits

    def slowly(password: str, password_hash: str | None) -> bool:
        fits = checked(password, password_hash)
        flow.reset_password(anna.work, SYSTEM, anna.id)
        return fits

    monkeypatch.setattr(sessions, "fits", slowly)
    with pytest.raises(NotAuthenticated):
        flow.log_in(anna.work, "anna", anna.password)
    with pytest.raises(Conflict, match="replaced meanwhile"):
        flow.change_password(
            anna.work, anna.principal, flow.reset_password(anna.work, SYSTEM, anna.id), "nine red owls hum"
        )


def test_a_log_in_that_was_closed_while_its_code_is_checked_opens_nothing(anna: Anna) -> None:
    anna.enrol()
    token = flow.log_in(anna.work, "anna", anna.password)
    person = flow.person_named(anna.work, "anna")
    flow.reset_password(anna.work, SYSTEM, anna.id)
    with pytest.raises(NotAuthenticated, match="too long"):
        sessions.exchange_session(anna.work, token, person, "", "password and code")


@pytest.mark.parametrize("text", ["Owner; admin", "owner;admin", "Owner", "owner, boss"])
def test_a_role_that_is_none_is_no_demand_but_a_mistake_told_at_the_start(work: Workspace, text: str) -> None:
    settings = msgspec.structs.replace(work.settings, second_factor_roles=text)
    with pytest.raises(SettingsError, match="PILOTAGE_SECOND_FACTOR_ROLES"):
        build_console(dataclasses.replace(work, settings=settings))


def test_no_log_in_name_counts_as_wrong_tries_of_something_else(anna: Anna) -> None:
    anna.enrol()
    token = flow.log_in(anna.work, "anna", anna.password)
    for name in (f"second factor of {anna.id}", f"own password of {anna.id}"):
        for _ in range(5):
            with pytest.raises(NotAuthenticated):
                flow.log_in(anna.work, name, "x")
    assert second_factor.pass_code(anna.work, token, anna.code)
    assert sessions.check_password(anna.work, anna.principal, anna.password)


@pytest.mark.parametrize("name", ["Admin", "ADMIN", "\uff41dmin", "admi\u0274".replace("\u0274", "\uff4e")])
def test_nobody_is_called_what_would_be_taken_for_another(work: Workspace, name: str) -> None:
    flow.add_person(work, SYSTEM, "admin", (ADMIN,))
    with pytest.raises(Conflict, match="already"):
        flow.add_person(work, SYSTEM, name, ())
    assert arriving.arrived(work, {"sub": "u-1", "preferred_username": name}).name == "u-1"


@pytest.mark.parametrize(("verified", "name"), [(None, "u-1"), (False, "u-1"), (True, "boss@x.example")])
def test_an_address_that_the_provider_did_not_verify_names_nobody(work: Workspace, verified: object, name: str) -> None:
    claims = {"sub": "u-1", "email": "boss@x.example", "email_verified": verified}
    assert arriving.arrived(work, claims).name == name


@pytest.mark.parametrize("claim", ["person", "entity"])
@pytest.mark.parametrize("letters", [0, 201, 5000])
def test_a_card_signed_elsewhere_says_no_more_than_one_minted_here(work: Workspace, claim: str, letters: int) -> None:
    secret = app(work)
    with pytest.raises(NotAuthenticated):
        flow.read_card_token(work, signed(work, secret, **{claim: "p" * letters}), ORIGIN)
    flow.read_card_token(work, signed(work, secret, **{claim: "p" * 200}), ORIGIN)


@pytest.mark.both_stores
@pytest.mark.parametrize("deed", ["take", "disable"])
def test_of_admins_who_shut_each_other_out_at_once_one_stays(work: Workspace, deed: str) -> None:
    names = [f"admin-{number}" for number in range(5)]
    for name in names:
        flow.add_person(work, SYSTEM, name, (ADMIN,))
    ids = [flow.person_named(work, name).id for name in names]
    start = threading.Barrier(len(ids))

    def shut_out(person_id: str) -> None:
        start.wait()
        with contextlib.suppress(Conflict):
            if deed == "take":
                flow.take_role(work, SYSTEM, person_id, ADMIN)
            else:
                flow.disable_person(work, SYSTEM, person_id)

    threads = [threading.Thread(target=shut_out, args=(each,)) for each in ids]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    left = [flow.person_named(work, name) for name in names]
    assert sum(ADMIN in each.grants and each.disabled_at is None for each in left) == 1


@pytest.mark.both_stores
def test_a_name_with_a_zero_byte_is_wrong_and_no_defect(anna: Anna) -> None:
    assert post_form(anna.browser(), "/log-in", name="an\0na", password="x").status_code == 401


def test_a_key_of_an_unknown_curve_spoils_no_others_and_a_token_may_name_no_key() -> None:
    mine, other = RSAKey.generate_key(2048), RSAKey.generate_key(2048)
    odd: dict[str, Any] = {"kty": "OKP", "crv": "Ed9999", "x": "AAAA", "kid": "q"}
    broken = {"kty": "RSA", "n": 7, "kid": "r"}
    keys: list[dict[str, Any]] = [odd, broken, dict(other.as_dict(private=False)), dict(mine.as_dict(private=False))]
    token = jwt.encode({"alg": "RS256"}, {"sub": "x"}, mine)
    assert claims_by(token, fitting(keys, TokenHead("RS256"))) == {"sub": "x"}
    assert claims_by(token, fitting(keys[:3], TokenHead("RS256"))) is None
    assert fitting(keys, TokenHead("EdDSA", "q")) == [] and fitting(keys, TokenHead("HS256")) == []


@pytest.mark.parametrize("began", ["\u00b2", "9" * 5000, "", "-1"])
def test_a_cookie_that_says_no_time_is_refused(
    opened: Callable[..., Workspace], provider: Provider, began: str
) -> None:
    with pytest.raises(provider_calls.ProviderRefused, match="another browser"):
        provider_flow.come_back(opened(), f"{began}.x.Lw", {"state": "x"})


def test_strangers_hold_no_more_than_three_threads_and_ask_the_provider_once(
    opened: Callable[..., Workspace], provider: Provider
) -> None:
    with browsing(opened()) as browser:
        assert come(browser).status_code == 303
        assert come(browser).status_code == 303
        assert sorted(provider.asked) == ["discovery", "keys"]
        provider.rotate()
        assert come(browser).status_code == 303
        assert sorted(provider.asked) == ["discovery", "keys", "keys"]
        with contextlib.ExitStack() as held:
            for _ in range(3):
                held.enter_context(provider_calls.calling())
            refused = browser.get("/log-in/provider", follow_redirects=False)
            assert refused.status_code == 503 and refused.headers["retry-after"] == "10"
            assert PROVIDER not in browser.cookies
        assert browser.get("/log-in/provider", follow_redirects=False).status_code == 303
