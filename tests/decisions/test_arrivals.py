"""Bodies of requests: whole whenever their parts come, bounded in size, in time and in number."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from pilotage.decisions.http import arrivals
from pilotage.decisions.http.arrivals import Arrivals
from pilotage.platform.errors import TooLarge, TooSlow, Unavailable


def messages(*parts: tuple[bytes, float]) -> Callable[[], Awaitable[dict[str, Any]]]:
    """Parts of a body, each after so many seconds."""
    coming = list(parts)

    async def receive() -> dict[str, Any]:
        part, seconds = coming.pop(0)
        if seconds:
            await asyncio.sleep(seconds)
        return {"type": "http.request", "body": part, "more_body": bool(coming)}

    return receive


async def read(receive: Callable[[], Awaitable[dict[str, Any]]]) -> bytes:
    """A body of at most 100 bytes."""
    return await Arrivals(1, 100).read(receive, "an app")


@pytest.mark.parametrize("seconds", [(0.0, 0.0), (0.01, 0.0), (0.0, 0.01), (0.01, 0.01)])
def test_a_body_is_whole_whenever_its_parts_come(seconds: tuple[float, float]) -> None:
    receive = messages((b"first ", seconds[0]), (b"second", seconds[1]))
    assert asyncio.run(read(receive)) == b"first second"
    assert asyncio.run(read(messages((b"one", seconds[0])))) == b"one"


@pytest.mark.parametrize("parts", [[(b"x" * 101, 0.0)], [(b"x" * 101, 0.01)], [(b"x" * 60, 0.0), (b"x" * 60, 0.01)]])
def test_a_body_beyond_its_bound_is_refused_however_it_comes(parts: list[tuple[bytes, float]]) -> None:
    with pytest.raises(TooLarge, match="more than 100 bytes"):
        asyncio.run(read(messages(*parts)))


@pytest.mark.parametrize("parts", [[(b"x", 30.0)], [(b"x", 0.0), (b"x", 30.0)], [(b"x", 0.01), (b"x", 30.0)]])
def test_a_body_that_does_not_come_is_not_waited_for(
    parts: list[tuple[bytes, float]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "BODY_SECONDS", 0.05)
    with pytest.raises(TooSlow, match="did not come whole"):
        asyncio.run(read(messages(*parts)))


def test_a_caller_that_hangs_up_ends_the_wait_for_its_body() -> None:
    ended: list[str] = []

    async def receive() -> dict[str, Any]:
        try:
            await asyncio.sleep(30)
        finally:
            ended.append("receive")
        return {}

    async def ask() -> None:
        reading = asyncio.create_task(read(receive))
        await asyncio.sleep(0.01)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading

    asyncio.run(ask())
    assert ended == ["receive"]


def test_a_caller_may_have_so_many_bodies_coming_and_whole_ones_beside_them() -> None:
    async def ask() -> None:
        come = Arrivals(2, 100)
        reading = [asyncio.create_task(come.read(messages((b"x", 0.0), (b"y", 30.0)), "one")) for _ in range(2)]
        await asyncio.sleep(0)
        for parts in (((b"x", 30.0),), ((b"x", 0.0), (b"y", 0.0))):
            with pytest.raises(Unavailable, match="2 requests of this key have not come whole yet"):
                await come.read(messages(*parts), "one")
        assert await come.read(messages((b"whole", 0.0)), "one") == b"whole"
        assert await come.read(messages((b"a", 0.0), (b"b", 0.0)), "another") == b"ab"
        for each in reading:
            each.cancel()
        await asyncio.gather(*reading, return_exceptions=True)
        assert await come.read(messages((b"a", 0.0), (b"b", 0.0)), "one") == b"ab"

    asyncio.run(ask())
