"""Tokens that an app's own server signs: they live as long as its key, and open what that key may open."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pilotage.client import sign_card_token
from pilotage.govern import flow
from pilotage.govern.commands import make_key
from pilotage.govern.records import SYSTEM, Grant, Key, Role
from pilotage.govern.store import keys
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import NotAllowed, NotAuthenticated
from pilotage.platform.workspace import Workspace, opened

ORIGIN = "https://dispatch.example"
TABLE = json.loads((Path(__file__).parents[2] / "clients" / "vectors.json").read_text())["card_tokens"]


def key_id(work: Workspace, *grants: Grant) -> str:
    made = flow.principal_of_key(work, flow.make_key(work, SYSTEM, "dispatch", grants))
    assert made is not None
    return made.id


def app(work: Workspace, use_case: str = "late_arrival", role: Role = Role.APP) -> str:
    return flow.card_secret(work, key_id(work, Grant(role, use_case)))


def signed(work: Workspace, secret: str, use_case: str = "late_arrival", **changed: Any) -> str:
    said = {"entity": "UA-1545", "origin": ORIGIN, "person": "anna", "now": work.clock.now().timestamp()} | changed
    return sign_card_token(secret, use_case, **said)


def forged(header: dict[str, Any], secret: str, work: Workspace, **changed: Any) -> str:
    now = int(work.clock.now().timestamp())
    said = {"aud": "pilotage-card", "iat": now, "exp": now + 300, "use_case": "late_arrival", "entity": "UA-1545"}
    claims = {**said, "origin": ORIGIN, "person": "anna", "actions": [], **changed}
    parts = [base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode() for each in (header, claims)]
    mac = hmac.new(secret.encode(), ".".join(parts).encode(), hashlib.sha256).digest()
    return ".".join([*parts, base64.urlsafe_b64encode(mac).rstrip(b"=").decode()])


def test_a_token_signed_by_the_app_says_what_it_was_signed_for_and_names_no_decision(work: Workspace) -> None:
    token = flow.read_card_token(work, signed(work, app(work), actions=("useful",)), ORIGIN)

    assert (token.use_case, token.entity, token.decision, token.person) == ("late_arrival", "UA-1545", "", "anna")
    assert token.actions == ("useful",)
    assert token.expires_at == work.clock.now() + timedelta(minutes=5)


def test_nothing_of_the_secret_is_stored_and_it_is_the_same_when_asked_again(work: Workspace) -> None:
    identifier = key_id(work, Grant(Role.APP, "late_arrival"))
    secret = flow.card_secret(work, identifier)

    assert flow.card_secret(work, identifier) == secret != app(work)
    _, _, digits = secret.partition(".")
    held = [path for path in work.home.rglob("*") if path.is_file() and digits.encode() in path.read_bytes()]
    assert held == []


def test_a_token_ends_with_the_key(work: Workspace) -> None:
    identifier = key_id(work, Grant(Role.APP, "late_arrival"))
    token = signed(work, flow.card_secret(work, identifier))
    flow.read_card_token(work, token, ORIGIN)
    flow.disable_key(work, SYSTEM, identifier)

    with pytest.raises(NotAuthenticated, match="opens nothing"):
        flow.read_card_token(work, token, ORIGIN)


@pytest.mark.parametrize(("granted", "role"), [("other", Role.APP), ("late_arrival", Role.VIEWER)])
def test_a_key_that_may_show_no_card_of_the_use_case_cannot_sign_one(work: Workspace, granted: str, role: Role) -> None:
    with pytest.raises(NotAllowed, match="embed"):
        flow.read_card_token(work, signed(work, app(work, granted, role)), ORIGIN)


@pytest.mark.parametrize("origin", ["", "null", "https://dispatch.example.evil.example"])
def test_another_origin_is_refused(work: Workspace, origin: str) -> None:
    with pytest.raises(NotAllowed):
        flow.read_card_token(work, signed(work, app(work)), origin)


def test_it_is_over_after_its_time(work: Workspace, clock: FixedClock) -> None:
    token = signed(work, app(work), seconds=60)
    clock.advance(timedelta(seconds=60))
    with pytest.raises(NotAuthenticated, match="over"):
        flow.read_card_token(work, token, ORIGIN)


def test_one_that_says_longer_than_five_minutes_or_begins_later_is_refused(work: Workspace) -> None:
    identifier, _, digits = app(work).partition(".")
    header, now = {"alg": "HS256", "kid": identifier}, int(work.clock.now().timestamp())
    flow.read_card_token(work, forged(header, digits, work), ORIGIN)
    for changed in ({"exp": now + 301}, {"iat": now + 600, "exp": now + 900}):
        with pytest.raises(NotAuthenticated, match="longer than 5 minutes"):
            flow.read_card_token(work, forged(header, digits, work, **changed), ORIGIN)


def test_the_header_decides_nothing_but_whose_secret_it_is_held_against(work: Workspace) -> None:
    identifier, _, digits = app(work).partition(".")
    other, _, _ = app(work, "other").partition(".")
    installation = (work.home / "keys" / "card.secret").read_bytes().decode("latin-1")
    headers: list[tuple[dict[str, Any], str]] = [
        ({"alg": "none", "kid": identifier}, digits),
        ({"alg": "HS512", "kid": identifier}, digits),
        ({"alg": "HS256", "kid": other}, digits),
        ({"alg": "HS256"}, digits),
        ({"alg": "HS256", "kid": ""}, digits),
        ({"alg": "HS256", "kid": ""}, ""),
        ({"alg": "HS256", "kid": "../../keys/card"}, digits),
        ({"alg": "HS256", "kid": f"{identifier}\n"}, digits),
        ({"alg": "HS256", "kid": [identifier]}, digits),
        ({"alg": "HS256", "kid": identifier, "crit": ["b64"], "b64": False}, digits),
        ({"alg": "HS256", "kid": identifier, "jwk": {"kty": "oct", "k": "AAAA"}}, ""),
        ({"alg": "HS256", "kid": identifier}, installation),
        ({"alg": "HS256", "kid": "key_00000000000000000000000000"}, digits),
    ]
    for header, secret in headers:
        with pytest.raises(NotAuthenticated):
            flow.read_card_token(work, forged(header, secret, work), ORIGIN)


@pytest.mark.parametrize("vector", [each for each in TABLE if "token" in each], ids=lambda each: each["name"])
def test_the_service_takes_every_token_of_the_table(work: Workspace, clock: FixedClock, vector: dict[str, Any]) -> None:
    identifier, _, _ = vector["secret"].partition(".")
    folder = work.home / "keys"
    folder.mkdir(exist_ok=True)
    (folder / "card.secret").write_bytes(bytes(range(32)))
    assert flow.card_secret(work, identifier) == vector["secret"]
    key = Key(identifier, "dispatch", "pk_", clock.now(), "x", None, (Grant(Role.APP, vector["use_case"]),))
    with work.database.writing() as connection:
        keys.add(connection, key, bytes(32))
    clock.advance(datetime.fromtimestamp(vector["now"], UTC) - clock.now())
    token = flow.read_card_token(work, vector["token"], vector["origin"])

    assert (token.entity, token.person, list(token.actions)) == (vector["entity"], vector["person"], vector["actions"])


def test_the_command_prints_the_secret_of_the_key_that_it_made_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PILOTAGE_HOME", str(tmp_path / "home"))
    make_key("desk", use_case="late_arrival", card_secret=True, json=True)
    said = json.loads(capsys.readouterr().out)
    make_key("desk", use_case="late_arrival", json=True)
    without = json.loads(capsys.readouterr().out)

    with opened() as work:
        token = sign_card_token(said["card_secret"], "late_arrival", entity="UA-1", origin=ORIGIN, person="anna")
        assert flow.read_card_token(work, token, ORIGIN).entity == "UA-1"
    assert set(without) == {"name", "key"}
