"""Promise 2: never later than the caller's deadline, by more than 20 ms at p99.9, with a model that overruns it.

Lateness is what an app sees beyond what it said it would wait. A bare ASGI server that only waits as long and says
hello is asked in turn by the same apps: its lateness is that of this machine, its network stack and its event loops,
and is taken off. Answers that the model was asked for, such answers to questions with an idempotency key, and those for
which both its threads were busy, have to hold each by themselves: one kind must not make another look better.
"""

from __future__ import annotations

import asyncio
import random
import signal
import socket
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pilotage.platform.workspace import Workspace
from tests.promises import bare
from tests.promises.asking import App, Reply, apps, at_share
from tests.promises.installation import BODY, PATH, Installation, installed, running
from tests.promises.table import Promise
from tests.web.serving import wait_until

LATE_MS = 20.0
FEW, MANY = 60, 8_000
"""Overruns, half of them of questions with a key; of so many, the p99.9 of each half is the fifth latest."""
SHARES = {FEW: 0.5, MANY: 0.999}
"""Of so few as every change is tested with, the latest says more of what else ran on the machine than of us."""
DEADLINES_MS = (10, 15, 25)
MODEL_SECONDS = 0.05
ASKING = 3
HANG_SECONDS = 1.2


@contextmanager
def saying_hello(here: Installation) -> Iterator[int]:
    """The bare server, on the port that is given."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    server = subprocess.Popen([sys.executable, "-m", bare.__name__, str(port)], env=here.environment())
    try:
        wait_until(lambda: asyncio.run(App(port, {}).ask("/", BODY)).status == 200)
        yield port
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()


def lateness_ms(reply: Reply, deadline_ms: int) -> float:
    return reply.seconds * 1000 - deadline_ms


async def ask_both(port: int, bare_port: int, key: dict[str, str], overruns: int) -> list[list[float]]:
    """Lateness in ms: answers for an overrunning model; such to questions with idempotency keys; answers without it;
    hellos in between.
    """
    ours: list[float] = []
    keyed: list[float] = []
    told: list[float] = []
    bares: list[float] = []
    chance = random.Random(2)

    async def one(app: App, other: App) -> None:
        while min(len(ours), len(keyed)) < overruns // 2:
            deadline_ms, is_keyed = chance.choice(DEADLINES_MS), len(keyed) < len(ours)
            header = {"X-Request-Timeout-Ms": str(deadline_ms)}
            named = {"Idempotency-Key": str(uuid.uuid4())} if is_keyed else {}
            reply = await app.ask(PATH, BODY, header | named)
            assert reply.is_usable, reply
            said = reply.json
            if said["reason"] in ("too_slow", "model"):  # the model's own answer comes where this machine stood still
                (keyed if is_keyed else ours).append(lateness_ms(reply, deadline_ms))
                bares.append(lateness_ms(await other.ask("/", BODY, header), deadline_ms))
            else:  # both slots are charged: it is told so at once, and asks again when one may be free
                assert said["reason"] == "overloaded", said
                told.append(lateness_ms(reply, deadline_ms))
                await asyncio.sleep(MODEL_SECONDS / 2)

    async with apps(port, key, ASKING) as first, apps(bare_port, {}, ASKING) as second:
        await asyncio.gather(*(one(app, other) for app, other in zip(first, second, strict=True)))
    return [ours, keyed, told, bares]


@pytest.mark.parametrize("overruns", [FEW, pytest.param(MANY, marks=pytest.mark.long)])
def test_an_overrunning_model_is_answered_for_at_the_callers_deadline(
    work: Workspace, monkeypatch: pytest.MonkeyPatch, promise: Promise, overruns: int
) -> None:
    here = installed(work, monkeypatch)
    here.break_with(model="slow", seconds=0.002)
    with running(here) as served, saying_hello(here) as bare_port:
        here.break_with(model="slow", seconds=MODEL_SECONDS)
        ours, keyed, told, bares = asyncio.run(ask_both(served.port, bare_port, served.headers, overruns))
        here.break_with(model="slow", seconds=0.002)
        wait_until(lambda: served.answers({"reason": "model"}))  # callers' own haste has not opened the breaker
    share = SHARES[overruns]
    noise = at_share(bares, share)
    late = max(at_share(each, share) for each in (ours, keyed, told) if each)
    promise(
        2,
        what="lateness",
        figure=f"{late - noise:+.1f} ms at p{share * 100:g} ({late:+.1f} ms; a bare hello {noise:+.1f} ms)",
        n=len(ours) + len(keyed),
        passed=late - noise <= LATE_MS,
    )


@pytest.mark.parametrize("rounds", [1, pytest.param(30, marks=pytest.mark.long)])
def test_an_overrunning_score_keeps_its_slot_until_it_ends(
    work: Workspace, monkeypatch: pytest.MonkeyPatch, promise: Promise, rounds: int
) -> None:
    here = installed(work, monkeypatch)
    here.break_with(model="slow", seconds=0.002)

    async def hold_and_ask(port: int, key: dict[str, str]) -> list[Counter[str]]:
        """What is said while two scores hang and after they ended, each round."""
        found = []
        async with apps(port, key, 1) as (app,):
            for _ in range(rounds):
                here.break_with(model="slow", seconds=HANG_SECONDS)
                hurried = {"X-Request-Timeout-Ms": "200"}
                first = [(await app.ask(PATH, BODY, hurried)).json["reason"] for _ in range(2)]
                here.break_with(model="slow", seconds=0.002)
                held = [(await app.ask(PATH, BODY, hurried)).json["reason"] for _ in range(2)]
                await asyncio.sleep(HANG_SECONDS * 1.2)
                after = [(await app.ask(PATH, BODY)).json["reason"] for _ in range(3)]
                found.append(
                    Counter(first=first.count("too_slow"), held=held.count("model"), after=after.count("model"))
                )
        return found

    with running(here) as served:
        found = asyncio.run(hold_and_ask(served.port, served.headers))
    kept = sum(each == Counter(first=2, held=0, after=3) for each in found)
    promise(2, what="slot charged", figure=f"{kept} of {rounds} rounds", n=rounds, passed=kept == rounds)
