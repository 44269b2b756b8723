"""Keys that are claimed, given back and claimed again by many at once, on both stores."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event

import pytest
from sqlalchemy.exc import OperationalError

from pilotage.decisions.http.once import Once
from pilotage.platform import replies
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import KeyReused, RequestOutstanding
from pilotage.platform.replies import Claim, Wanted
from pilotage.platform.workspace import Workspace

pytestmark = pytest.mark.both_stores
CALLERS, TIMES = 4, 15
LEASE = timedelta(seconds=60)


def test_a_key_that_is_given_back_all_the_time_is_held_by_one_at_a_time(work: Workspace) -> None:
    held: list[str] = []
    most = []
    barrier = Barrier(CALLERS)

    def claim_and_give_back(number: int) -> int:
        barrier.wait()
        got = 0
        for _ in range(TIMES):
            try:
                claimed = replies.claim(work, "key_1", "k", b"f" * 32, LEASE)
            except RequestOutstanding:
                continue
            assert isinstance(claimed, Claim)
            held.append(claimed.holder)
            most.append(len(held))
            held.remove(claimed.holder)
            replies.release(work, claimed)
            got += 1
        return got

    with ThreadPoolExecutor(CALLERS) as pool:
        assert sum(pool.map(claim_and_give_back, range(CALLERS))) >= TIMES
    assert set(most) == {1}


def wanted(key: str, print_: bytes = b"f" * 32) -> Wanted:
    return Wanted("key_1", key, print_, LEASE)


def test_of_many_keys_at_once_each_is_settled_for_itself(work: Workspace) -> None:
    before = replies.claim(work, "key_1", "kept", b"f" * 32, LEASE)
    assert isinstance(before, Claim)
    replies.keep(work, before, b"the reply")
    asked = [wanted("kept"), wanted("b"), wanted("a"), wanted("b"), wanted("b", b"g" * 32), wanted("kept", b"g" * 32)]
    kept, first, other, same, changed, reused = replies.claim_all(work, asked)
    assert kept == b"the reply"
    assert isinstance(first, Claim) and isinstance(other, Claim)
    assert (first.key, other.key) == ("b", "a")
    assert isinstance(same, RequestOutstanding)
    assert isinstance(changed, KeyReused) and isinstance(reused, KeyReused)
    assert isinstance(replies.claim_all(work, [wanted("a")])[0], RequestOutstanding)


def test_of_many_replies_those_whose_lease_another_took_are_refused_and_the_others_kept(
    work: Workspace, clock: FixedClock
) -> None:
    lost, mine = replies.claim_all(work, [wanted("lost"), wanted("mine")])
    assert isinstance(lost, Claim) and isinstance(mine, Claim)
    clock.advance(2 * LEASE)
    taken_over = replies.claim(work, "key_1", "lost", b"f" * 32, LEASE)
    assert isinstance(taken_over, Claim) and taken_over.taken_over
    assert taken_over.id_of("dec") == lost.id_of("dec")
    refused, kept, given_back = replies.settle_all(work, [(lost, b"late"), (mine, b"mine"), (taken_over, None)])
    assert isinstance(refused, RequestOutstanding)
    assert (kept, given_back) == (None, None)
    assert replies.claim(work, "key_1", "mine", b"f" * 32, LEASE) == b"mine"
    assert isinstance(replies.claim(work, "key_1", "lost", b"f" * 32, LEASE), Claim), "it was given back"


def test_what_waits_is_done_in_few_transactions_and_a_failure_reaches_all_that_waited(
    work: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, real, calls = Event(), replies.claim_all, []

    def counted(work: Workspace, asked: Sequence[Wanted], room: object) -> object:
        gate.wait(30)
        calls.append(len(asked))
        if any(each.key == "fails" for each in asked):
            raise OperationalError("no", None, ValueError())
        return real(work, asked)

    monkeypatch.setattr(replies, "claim_all", counted)
    keeper = Once(work)
    waiting = [keeper.claim(wanted(f"k{number}")) for number in range(50)]
    gate.set()
    assert all(isinstance(each.result(30), Claim) for each in waiting)
    assert sum(calls) == 50 and len(calls) <= 2
    with pytest.raises(OperationalError):
        keeper.claim(wanted("fails")).result(30)
    assert isinstance(keeper.claim(wanted("again")).result(30), Claim), "the thread goes on"
    keeper.close()


def test_a_key_whose_day_is_over_is_new_although_nobody_has_forgotten_it_yet(
    work: Workspace, clock: FixedClock
) -> None:
    before = replies.claim(work, "key_1", "k", b"f" * 32, LEASE)
    assert isinstance(before, Claim)
    replies.keep(work, before, b"of yesterday")
    clock.advance(replies.KEPT + LEASE)
    after = replies.claim(work, "key_1", "k", b"g" * 32, LEASE)
    assert isinstance(after, Claim) and not after.taken_over
    assert after.id_of("dec") != before.id_of("dec")
