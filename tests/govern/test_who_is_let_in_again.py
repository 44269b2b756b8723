"""Somebody who was shut out is let in again; somebody who was here before comes in by the provider, too."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from pilotage.cli.main import run
from pilotage.govern import flow
from pilotage.govern.flow import arriving
from pilotage.govern.records import SYSTEM, Grant, Role
from pilotage.govern.rules.names import fault_of, likeness
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import Conflict, InvalidRequest, NotAuthenticated
from pilotage.platform.workspace import Workspace
from tests.govern.oidc_provider import Provider, provided
from tests.govern.test_provider import browsing, come, opened, who  # noqa: F401
from tests.living import visitor

VIEWER = Grant(Role.VIEWER)
OWNER = Grant(Role.OWNER, "late_arrival")


@pytest.fixture
def provider(clock: FixedClock) -> Iterator[Provider]:
    with provided(clock) as running:
        yield running


@pytest.mark.both_stores
def test_who_was_shut_out_is_let_in_again_with_their_roles_and_no_old_session(
    work: Workspace, clock: FixedClock
) -> None:
    password = flow.add_person(work, SYSTEM, "anna", (OWNER,))
    anna = flow.person_named(work, "anna").id
    before = flow.log_in(work, "anna", password)
    flow.disable_person(work, SYSTEM, anna)
    with pytest.raises(NotAuthenticated):
        flow.log_in(work, "anna", password)
    clock.advance(timedelta(minutes=1))

    flow.enable_person(work, SYSTEM, anna)
    flow.enable_person(work, SYSTEM, anna)

    assert flow.principal_of_session(work, before) is None
    principal = flow.principal_of_session(work, flow.log_in(work, "anna", password))
    assert principal is not None and principal.grants == (OWNER,)
    (deed,) = flow.entries(work, "enable-person")
    assert (deed.subject, deed.detail["grants"]) == ("anna", [{"role": "owner", "use_case": "late_arrival"}])
    assert deed.detail["disabled_at"].startswith("2013-12-05T20:00")
    assert flow.verify(work).valid


@pytest.mark.both_stores
def test_the_command_lets_in_again_and_the_list_says_so(
    work: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PILOTAGE_HOME", str(work.home))
    flow.add_person(work, SYSTEM, "anna", (VIEWER,))
    assert run(["person", "disable", "anna"]) == 0
    assert run(["person", "enable", "anna"]) == 0
    assert "anna may log in again, as viewer" in capsys.readouterr().out
    assert run(["person", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["disabled_at"] is None
    assert run(["person", "enable", "nobody"]) == 2
    assert "no person named nobody" in capsys.readouterr().err


def test_the_page_offers_it_for_those_who_are_shut_out_only(work: Workspace) -> None:
    password = flow.add_person(work, SYSTEM, "bo", (VIEWER,))
    bo = flow.person_named(work, "bo").id
    with visitor(work, Role.ADMIN, "*") as browser:
        assert "/enable" not in browser.get("/people").text
        browser.post(f"/people/{bo}/disable", {})
        page = browser.get("/people").text
        assert f"/people/{bo}/enable" in page and "Let bo in again, as viewer?" in page
        assert browser.post(f"/people/{bo}/enable", {}).status_code == 303
        assert "/enable" not in browser.get("/people").text
    assert flow.log_in(work, "bo", password)
    with visitor(work, Role.OPERATOR) as other:
        assert other.post(f"/people/{bo}/enable", {}).status_code == 403


@pytest.mark.both_stores
def test_who_had_a_password_comes_in_both_ways_once_linked(
    opened: Callable[..., Workspace],  # noqa: F811
    provider: Provider,
) -> None:
    work = opened()
    password = flow.add_person(work, SYSTEM, "anna", (OWNER,))
    arriving.link(work, flow.person_named(work, "anna"), "u-1")
    with browsing(work) as browser:
        come(browser)
        by_provider = who(work, browser)
    by_password = flow.principal_of_session(work, flow.log_in(work, "anna", password))
    assert by_provider is not None and by_provider == by_password


@pytest.mark.both_stores
def test_a_second_person_of_the_same_name_becomes_somebody_of_their_own(
    opened: Callable[..., Workspace],  # noqa: F811
    provider: Provider,
) -> None:
    work = opened()
    flow.add_person(work, SYSTEM, "anna", (OWNER,))
    anna = flow.person_named(work, "anna")
    arriving.link(work, anna, "u-1")
    provider.user |= {"sub": "u-2", "email": "anna.two@airline.example", "email_verified": True}
    with browsing(work) as browser:
        come(browser)
        second = who(work, browser)
    assert second is not None and (second.name, second.grants) == ("anna.two@airline.example", ())
    with pytest.raises(Conflict, match="two subjects are two people"):
        arriving.link(work, anna, "u-2", in_place_of="anna.two@airline.example")
    with browsing(work) as browser:
        provider.user["sub"] = "u-1"
        come(browser)
        found = who(work, browser)
    assert found is not None and found.id == anna.id


@pytest.mark.both_stores
def test_who_came_in_beside_their_own_account_is_joined_to_it_by_name(
    opened: Callable[..., Workspace],  # noqa: F811
    provider: Provider,
) -> None:
    work = opened()
    flow.add_person(work, SYSTEM, "anna", (OWNER,))
    anna = flow.person_named(work, "anna")
    provider.user |= {"email": "anna@airline.example", "email_verified": True}
    with browsing(work) as browser:
        come(browser)
        beside = who(work, browser)
        assert beside is not None and beside.id != anna.id
        with pytest.raises(Conflict, match=r"comes in as anna@airline\.example here") as refused:
            arriving.link(work, anna, "u-1")
        assert "--in-place-of 'anna@airline.example'" in (refused.value.repair or "")
        with pytest.raises(Conflict, match=r"comes in as anna@airline\.example here"):
            arriving.link(work, anna, "u-1", in_place_of="anna")

        arriving.link(work, anna, "u-1", in_place_of="anna@airline.example")

        assert who(work, browser) is None, "whom they were is shut out"
        come(browser)
        now = who(work, browser)
    assert now is not None and (now.id, now.grants) == (anna.id, (OWNER,))
    assert flow.person_named(work, "anna@airline.example").disabled_at is not None
    (deed,) = flow.entries(work, "link-person")
    assert deed.detail["in_place_of"] == "anna@airline.example"
    assert len(list(flow.entries(work, "disable-person"))) == 1


def test_what_cannot_be_linked_is_told(
    opened: Callable[..., Workspace],  # noqa: F811
    provider: Provider,
) -> None:
    work = opened()
    flow.add_person(work, SYSTEM, "anna", ())
    anna = flow.person_named(work, "anna")
    for subject in ("", "  ", "x" * 256, "a\0b"):
        with pytest.raises(InvalidRequest, match="A subject has 1 to 255 letters"):
            arriving.link(work, anna, subject)
    with pytest.raises(Conflict, match="but nobody"):
        arriving.link(work, anna, "u-1", in_place_of="bo")
    flow.disable_person(work, SYSTEM, anna.id)
    with pytest.raises(Conflict, match="shut out"):
        arriving.link(work, anna, "u-1")


def test_the_only_admin_is_not_shut_out_by_a_link(
    opened: Callable[..., Workspace],  # noqa: F811
    provider: Provider,
) -> None:
    work = opened(oidc_roles="heads=admin")
    provider.user["groups"] = ["heads"]
    with browsing(work) as browser:
        come(browser)
        flow.add_person(work, SYSTEM, "bo", ())
        with pytest.raises(Conflict, match="only admin"):
            arriving.link(work, flow.person_named(work, "bo"), "u-1", in_place_of="anna")
        assert who(work, browser) is not None


@pytest.mark.parametrize(
    "name",
    [
        "\u0430nna",  # Cyrillic a
        "ann\u0251\u0430",
        "anna@\u0435xample.org",  # Cyrillic e
        "\u03bfle",  # Greek omicron
        "p\u0430ul smith",
        "\u13aanna",  # Cherokee go
        "\u0430\u03bd",  # Cyrillic and Greek
    ],
)
def test_letters_of_several_alphabets_in_a_word_are_refused(work: Workspace, name: str) -> None:
    with pytest.raises(InvalidRequest, match="letters of several alphabets"):
        flow.add_person(work, SYSTEM, name, ())


@pytest.mark.parametrize(
    "name",
    [
        "anna",
        "Zoë Müller-Ångström",
        "Анна Иванова",
        "anna Иванова",
        "Άννα",
        "山田 太郎",
        "山田タロウ",
        "ヤマダー",
        "김민준",
        "李明abc",
        "نور",
        "user_7@host.example",
        "Иван2",
        "\uff41\uff4e\uff4e\uff41",  # wide Latin
    ],
)
def test_names_of_one_alphabet_a_word_are_names(name: str) -> None:
    assert fault_of(name) is None


@pytest.mark.parametrize(
    ("known", "alike"),
    [
        ("ocean", "OCEAN"),
        ("cope", "\u0441\u043e\u0440\u0435"),  # all Cyrillic
        ("MATT", "\u041c\u0410\u0422\u0422"),  # all Cyrillic, as capitals
        ("anna", "\uff41\uff4e\uff4e\uff41"),
        ("anna  berg", "anna berg"),
        ("BETH", "\u0392\u0395\u03a4\u0397"),  # all Greek, as capitals
    ],
)
def test_a_name_that_would_be_taken_for_a_known_one_is_refused_and_says_for_which(
    work: Workspace, known: str, alike: str
) -> None:
    flow.add_person(work, SYSTEM, known, ())
    with pytest.raises(Conflict, match=f"named {known} already: .* would be taken for it"):
        flow.add_person(work, SYSTEM, alike, ())


def test_names_that_only_resemble_each_other_are_two() -> None:
    for one, other in (("anna", "anne"), ("Иван", "Ivan"), ("lena", "Лена"), ("nino", "pipo")):
        assert not likeness(one) & likeness(other), (one, other)


def test_a_provider_that_gives_a_name_of_mixed_alphabets_makes_nobody_of_that_name(
    opened: Callable[..., Workspace],  # noqa: F811
    provider: Provider,
) -> None:
    work = opened()
    flow.add_person(work, SYSTEM, "admin", (Grant(Role.ADMIN),))
    provider.user |= {"preferred_username": "\u0430dmin", "sub": "u-9"}
    with browsing(work) as browser:
        come(browser)
        found = who(work, browser)
    assert found is not None and (found.name, found.grants) == ("u-9", ())


def test_the_command_links_and_says_how_to_take_a_subject_over(
    work: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PILOTAGE_HOME", str(work.home))
    monkeypatch.setenv("PILOTAGE_OIDC_ISSUER", "https://id.example")
    monkeypatch.setenv("PILOTAGE_OIDC_CLIENT_ID", "pilotage")
    for name in ("anna", "anna2"):
        flow.add_person(work, SYSTEM, name, ())
    assert run(["person", "link", "anna2", "u-1"]) == 0
    capsys.readouterr()
    assert run(["person", "link", "anna", "u-1"]) == 2
    assert "say --in-place-of 'anna2'" in " ".join(capsys.readouterr().err.split())
    assert run(["person", "link", "anna", "u-1", "--in-place-of", "anna2"]) == 0
    assert "u-1 of the OpenID provider is anna here" in capsys.readouterr().out
    assert flow.person_named(work, "anna2").disabled_at is not None
