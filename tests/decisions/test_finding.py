"""Looking decisions up by the identifier that came with the answer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pilotage.decisions import flow
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import NotFound, Unavailable
from pilotage.platform.identifiers import made_at, new_id
from pilotage.platform.workspace import Workspace


@pytest.mark.both_stores
def test_what_another_host_may_have_answered_just_now_is_asked_for_again(work: Workspace, clock: FixedClock) -> None:
    """Only hosts that share a PostgreSQL have spools of their own; a moment later it is nobody's."""
    unknown = new_id("dec", clock.now())
    with pytest.raises(NotFound if work.database.is_sqlite else Unavailable, match=unknown):
        flow.find(work, unknown)
    clock.advance(timedelta(seconds=11))
    with pytest.raises(NotFound, match=unknown):
        flow.find(work, unknown)


@pytest.mark.parametrize(
    "identifier", ["", "dec_", "dec_x", "ver_UPPER00000aaaaaaaaaaaaaaaa", "dec_zzzzzzzzzz0000000000000000"]
)
def test_what_is_no_identifier_of_ours_was_never_made(work: Workspace, identifier: str) -> None:
    assert made_at(identifier) is None
    with pytest.raises(NotFound):
        flow.find(work, identifier)


def test_an_identifier_says_when_it_was_made(clock: FixedClock) -> None:
    assert made_at(new_id("dec", clock.now())) == clock.now()
