"""People, sessions and keys."""

from __future__ import annotations

import sqlite3
from datetime import timedelta

import pytest

from pilotage.govern import flow
from pilotage.govern.flow.sessions import TooManyTries
from pilotage.govern.records import SYSTEM, Grant, Principal, Role
from pilotage.govern.store import keys, people
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import Conflict, InvalidRequest, NotAuthenticated
from pilotage.platform.workspace import Workspace


@pytest.fixture
def admin(work: Workspace) -> tuple[str, str]:
    made = flow.first_start(work)
    assert made is not None
    return made


def person_id(work: Workspace, name: str) -> str:
    with work.database.reading() as connection:
        found = people.named(connection, name)
    assert found is not None
    return found[0].id


def dump(work: Workspace) -> bytes:
    """Every byte of the home directory: database, log, anchors."""
    flow.checkpoint(work)
    with sqlite3.connect(work.home / "pilotage.db") as connection:
        text = "\n".join(connection.iterdump())
    return text.encode() + b"".join(path.read_bytes() for path in work.home.rglob("*") if path.is_file())


def test_the_first_start_makes_one_admin_once(work: Workspace, admin: tuple[str, str]) -> None:
    name, password = admin
    assert name == "admin"
    assert len(password) >= 20
    assert flow.first_start(work) is None
    principal = flow.principal_of_session(work, flow.log_in(work, name, password))
    assert principal is not None
    assert principal.grants == (Grant(Role.ADMIN),)


def test_no_password_token_or_key_is_stored_or_logged_in_clear(work: Workspace, admin: tuple[str, str]) -> None:
    second = flow.add_person(work, SYSTEM, "anna", ())
    token = flow.log_in(work, "anna", second)
    key = flow.make_key(work, SYSTEM, "dispatch", (Grant(Role.APP, "late_arrival"),))
    stored = dump(work)
    for secret in (admin[1], second, token, key):
        assert secret.encode() not in stored
        assert secret.encode().hex().encode() not in stored.lower()


def test_a_session_ends_with_time(work: Workspace, clock: FixedClock, admin: tuple[str, str]) -> None:
    token = flow.log_in(work, *admin)
    clock.advance(timedelta(hours=work.settings.session_hours, seconds=-1))
    assert flow.principal_of_session(work, token) is not None
    clock.advance(timedelta(seconds=1))
    assert flow.principal_of_session(work, token) is None


@pytest.mark.both_stores
def test_a_session_ends_with_logging_out_and_others_stay(work: Workspace, admin: tuple[str, str]) -> None:
    here, there = flow.log_in(work, *admin), flow.log_in(work, *admin)
    flow.log_out(work, here)
    assert flow.principal_of_session(work, here) is None
    assert flow.principal_of_session(work, there) is not None


@pytest.mark.both_stores
def test_who_is_disabled_is_out_at_once(work: Workspace, admin: tuple[str, str]) -> None:
    password = flow.add_person(work, SYSTEM, "anna", (Grant(Role.VIEWER),))
    token = flow.log_in(work, "anna", password)
    flow.disable_person(work, SYSTEM, person_id(work, "anna"))
    assert flow.principal_of_session(work, token) is None
    with pytest.raises(NotAuthenticated):
        flow.log_in(work, "anna", password)


def test_wrong_name_and_wrong_password_are_told_in_the_same_words(work: Workspace, admin: tuple[str, str]) -> None:
    said = []
    for name in ("admin", "nobody"):
        with pytest.raises(NotAuthenticated) as refused:
            flow.log_in(work, name, "wrong")
        said.append(str(refused.value))
    assert said[0] == said[1]


@pytest.mark.parametrize("name", ["admin", "nobody"])
def test_after_five_wrong_passwords_even_the_right_one_waits(
    work: Workspace, clock: FixedClock, admin: tuple[str, str], name: str
) -> None:
    for _ in range(5):
        with pytest.raises(NotAuthenticated, match="do not fit together"):
            flow.log_in(work, name, "wrong")
    with pytest.raises(TooManyTries, match="Try again in 30 seconds"):
        flow.log_in(work, name, admin[1])
    clock.advance(timedelta(seconds=30))
    if name == "admin":
        assert flow.log_in(work, *admin)
    else:
        with pytest.raises(NotAuthenticated, match="do not fit together"):
            flow.log_in(work, name, admin[1])


def test_the_last_admin_can_neither_be_disabled_nor_lose_the_role(work: Workspace, admin: tuple[str, str]) -> None:
    first = person_id(work, "admin")
    with pytest.raises(Conflict, match="only admin"):
        flow.disable_person(work, SYSTEM, first)
    with pytest.raises(Conflict, match="only admin"):
        flow.take_role(work, SYSTEM, first, Grant(Role.ADMIN))
    flow.add_person(work, SYSTEM, "anna", (Grant(Role.ADMIN),))
    flow.disable_person(work, SYSTEM, first)


@pytest.mark.both_stores
def test_roles_are_given_and_taken_and_each_change_is_told_once(work: Workspace, admin: tuple[str, str]) -> None:
    password = flow.add_person(work, SYSTEM, "anna", ())
    grant = Grant(Role.REVIEWER, "late_arrival")
    anna = person_id(work, "anna")
    before = flow.verify(work).entries
    flow.give_role(work, SYSTEM, anna, grant)
    flow.give_role(work, SYSTEM, anna, grant)
    principal = flow.principal_of_session(work, flow.log_in(work, "anna", password))
    assert principal is not None
    assert principal.grants == (grant,)
    flow.take_role(work, SYSTEM, anna, grant)
    flow.take_role(work, SYSTEM, anna, grant)
    assert flow.verify(work).entries == before + 3  # given, logged in, taken


@pytest.mark.parametrize("name", ["", "x", "a\nb", " anna", "x" * 81])
def test_a_name_that_cannot_be_one_is_refused(work: Workspace, name: str) -> None:
    with pytest.raises(InvalidRequest, match="2 to 80 letters"):
        flow.add_person(work, SYSTEM, name, ())


def test_two_people_cannot_have_one_name(work: Workspace) -> None:
    flow.add_person(work, SYSTEM, "anna", ())
    with pytest.raises(Conflict, match="anna already"):
        flow.add_person(work, SYSTEM, "anna", ())


@pytest.mark.both_stores
def test_a_key_is_known_until_it_is_disabled(work: Workspace) -> None:
    key = flow.make_key(work, SYSTEM, "dispatch", (Grant(Role.APP, "late_arrival"),))
    assert key.startswith("pk_")
    principal = flow.principal_of_key(work, key)
    assert principal is not None
    assert (principal.kind, principal.name, principal.grants) == ("key", "dispatch", (Grant(Role.APP, "late_arrival"),))
    assert list(flow.all_keys(work).values()) == [principal]
    assert flow.principal_of_key(work, key + "x") is None
    flow.disable_key(work, SYSTEM, principal.id)
    assert flow.principal_of_key(work, key) is None
    assert flow.all_keys(work) == {}
    with work.database.reading() as connection:
        assert keys.every(connection)[0].disabled_at == work.clock.now()


def test_who_did_it_is_in_the_audit_log(work: Workspace) -> None:
    boss = Principal("per_9", "boss", "person", (Grant(Role.ADMIN),))
    flow.make_key(work, boss, "dispatch", ())
    with work.database.reading() as connection:
        assert keys.every(connection)[0].made_by == "boss"
