"""Card tokens: five minutes, one use case, one entity, one origin."""

from __future__ import annotations

import base64
import json
import stat
from datetime import timedelta
from typing import Any

import pytest

from pilotage.govern import flow
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import InvalidRequest, NotAllowed, NotAuthenticated
from pilotage.platform.workspace import Workspace

ORIGIN = "https://dispatch.example"


def mint(work: Workspace, **changed: Any) -> str:
    said: dict[str, Any] = {
        "use_case": "late_arrival",
        "entity": "UA-1545",
        "decision": "dec_1",
        "origin": ORIGIN,
        "person": "anna",
        "actions": ("useful", "override"),
    }
    return flow.mint_card_token(work, **said | changed)


def test_a_token_says_what_it_was_minted_for(work: Workspace, clock: FixedClock) -> None:
    token = flow.read_card_token(work, mint(work), ORIGIN)
    assert (token.use_case, token.entity, token.decision, token.person) == ("late_arrival", "UA-1545", "dec_1", "anna")
    assert token.actions == ("useful", "override")
    assert token.expires_at == clock.now() + timedelta(minutes=5)


def test_a_token_is_over_after_five_minutes(work: Workspace, clock: FixedClock) -> None:
    token = mint(work)
    clock.advance(timedelta(minutes=5) - timedelta(seconds=1))
    flow.read_card_token(work, token, ORIGIN)
    clock.advance(timedelta(seconds=1))
    with pytest.raises(NotAuthenticated, match="over"):
        flow.read_card_token(work, token, ORIGIN)


@pytest.mark.parametrize("minutes", [0, -1, 5.01, 600])
def test_no_token_is_minted_for_longer(work: Workspace, minutes: float) -> None:
    with pytest.raises(InvalidRequest):
        mint(work, minutes=minutes)


@pytest.mark.parametrize("origin", ["", "null", "http://dispatch.example", "https://dispatch.example.evil.example"])
def test_another_origin_is_refused(work: Workspace, origin: str) -> None:
    with pytest.raises(NotAllowed):
        flow.read_card_token(work, mint(work), origin)


def _encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def test_what_was_changed_or_is_not_ours_is_refused(work: Workspace) -> None:
    head, body, signature = mint(work).split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    other = _encoded(claims | {"entity": "UA-1"})
    unsigned = _encoded({"alg": "none"})
    for token in (f"{head}.{other}.{signature}", f"{unsigned}.{body}.", f"{head}.{body}.", "", "x", "a.b.c"):
        with pytest.raises(NotAuthenticated):
            flow.read_card_token(work, token, ORIGIN)


def test_the_secret_is_readable_by_its_owner_only_and_stays(work: Workspace) -> None:
    token = mint(work)
    path = work.home / "keys" / "card.secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.glob(".card*")] == []
    flow.read_card_token(work, token, ORIGIN)
