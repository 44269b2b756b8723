"""What is kept besides decisions stays bounded: replies by caller, and the accounts of writers of long ago."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta

import httpx
import msgspec
import pytest
from tests.decisions.asking import PATH, QUESTION, asked, key_of
from tests.decisions.test_service import FILE, Model, serving
from tests.decisions.test_spool_draining import a_spool, hand

from pilotage.decisions.durable import draining, tallies
from pilotage.decisions.durable.completeness import completeness, fold_old
from pilotage.govern.records import SYSTEM
from pilotage.platform import replies
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import TooMany
from pilotage.platform.replies import Claim, Room
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import adopt, parse_definition

pytestmark = pytest.mark.both_stores
MOST = 3
PRINT, LEASE = b"f" * 32, timedelta(seconds=60)


def take(work: Workspace, room: Room, key: str, caller: str = "key_1") -> Claim | bytes:
    return replies.claim(work, caller, key, PRINT, LEASE, room)


def test_a_caller_has_room_for_so_many_replies_and_another_has_its_own(work: Workspace) -> None:
    room = Room(MOST)
    for number in range(MOST):
        claimed = take(work, room, f"k{number}")
        assert isinstance(claimed, Claim)
        replies.keep(work, claimed, b"the reply")
    with pytest.raises(TooMany, match="3 replies are kept") as refused:
        take(work, room, "one more")
    assert (refused.value.status, refused.value.retry_after) == (429, 60)
    assert take(work, room, "k1") == b"the reply", "what is kept is told again, however full it is"
    assert isinstance(take(work, room, "k1", "key_2"), Claim)
    assert isinstance(replies.claim(work, "key_1", "one more", PRINT, LEASE), Claim), "the refused one left nothing"


def test_another_process_knows_what_is_kept_and_room_comes_back_after_a_day(work: Workspace, clock: FixedClock) -> None:
    for number in range(MOST):
        take(work, Room(MOST), f"k{number}")
    late = Room(MOST)
    with pytest.raises(TooMany):
        take(work, late, "late")
    clock.advance(timedelta(hours=24))
    assert replies.forget_old(work) == 0
    with pytest.raises(TooMany):
        take(work, late, "late")
    clock.advance(timedelta(hours=2))
    assert replies.forget_old(work) == MOST
    assert isinstance(take(work, late, "late"), Claim)


def test_over_http_a_full_caller_gets_429_and_asks_on_without_a_key(work: Workspace) -> None:
    file = FILE.replace("latency_ms: 50", "latency_ms: 5000")
    definition = adopt(work, parse_definition(file, "small.yaml"), SYSTEM)
    small = msgspec.structs.replace(work.settings, kept_replies_max=MOST)
    cramped = Workspace(small, work.clock, work.database, work.lake, work.signer)
    key = key_of(work)

    async def ask() -> list[httpx.Response]:
        async with asked(cramped, serving(definition, Model(lambda: 0.6)), key) as (client, _):
            keyed = [{"Idempotency-Key": str(uuid.uuid4())} for _ in range(MOST + 1)]
            return [await client.post(PATH, json=QUESTION, headers=headers) for headers in [*keyed, {}, keyed[0]]]

    *taken, refused, plain, again = asyncio.run(ask())
    assert [each.status_code for each in taken] == [200] * MOST
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
    assert (plain.status_code, again.content) == (200, taken[0].content)


def test_accounts_of_long_ago_are_added_up_and_nothing_is_counted_otherwise(work: Workspace, clock: FixedClock) -> None:
    for life in range(3):
        spool = a_spool(work)
        hand(spool, [f"dec_{life}_{number}" for number in range(4)])
        draining.drain(work, spool)
        spool.close()
    with work.database.writing() as connection:
        tallies.add(connection, tallies.Stream("somewhere-else", "afar", 5, 3, 1), clock.now())
        tallies.add(connection, tallies.Stream("done-afar", "afar", 5, 5, 2), clock.now())
    before = completeness(work)
    assert (before.answered, before.durable, before.lost, before.elsewhere) == (25, 20, 3, 2)
    assert fold_old(work) == 0, "their last word is not long ago"
    clock.advance(timedelta(days=91))
    assert fold_old(work) == 4
    assert completeness(work) == before
    with work.database.reading() as connection:
        names = [each.stream for each in tallies.streams(connection)]
    assert len(names) == 3
    assert "somewhere-else" in names, "something is missing of it: it is not added up"
    assert fold_old(work) == 0
