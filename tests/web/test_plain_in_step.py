"""Questions that are read without the parser keep a connection in step with those that are not: each request has its
own reply, in order, and none is taken for a body.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import socket
import struct
import weakref
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn

from pilotage.platform.errors import Unavailable
from pilotage.web.connections import READ_SECONDS, Connection
from pilotage.web.plain import Cycle, Head
from pilotage.web.shedding import Refusing, Sheds

BEGIN = b"POST /v1/use-cases/small/decisions HTTP/1.1\r\nhost: x\r\n"
QUESTION = BEGIN + b"content-length: 2\r\n\r\n{}"
NOT_PLAIN = QUESTION.replace(b"host: x", b"host: x\r\nx-of-nobody: 1")
UPLOAD = b"POST /v1/use-cases/small/jobs HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n"
NEXT = b"GET /next HTTP/1.1\r\nhost: x\r\n\r\n"
LONG = 5.0
"""Longer than anything takes here, and shorter than anybody waits for a test."""


@dataclass
class Answering(Sheds):
    """Answers a question with its body once it may, an upload with 401 before it has read any of it."""

    full: bool = False
    crashes: bool = False
    asked: list[str] = field(default_factory=list)
    may: asyncio.Event = field(default_factory=asyncio.Event)

    def refusal(self, head: Head) -> bytes | None:
        return Refusing(Unavailable("Full.", "Wait.")).reply(head) if self.full else None

    def comes(self) -> None:
        """It has a place for all that is not plain."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked.append("plain" if isinstance(send.__self__, Cycle) else "parsed")
        if scope["path"].endswith("/jobs"):
            await reply(send, 401, b"no")
            return
        body = (await receive()).get("body", b"")
        await self.may.wait()
        if self.crashes:
            raise RuntimeError("A mistake.")
        await reply(send, 200, b"%s %s" % (scope["path"].encode(), body))


async def reply(send: Any, status: int, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


class Caller:
    """One connection to a server, and the replies that come over it."""

    def __init__(self, server: uvicorn.Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server, self._reader, self._writer = server, reader, writer

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def reply(self) -> tuple[int, dict[str, str], bytes]:
        head = await asyncio.wait_for(self._reader.readuntil(b"\r\n\r\n"), LONG)
        first, *lines = head.decode().strip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        return int(first.split()[1]), headers, await self._reader.readexactly(int(headers["content-length"]))

    async def status(self) -> int:
        return (await self.reply())[0]

    async def closed(self) -> bool:
        return await asyncio.wait_for(self._reader.read(1), LONG) == b""

    def connections(self) -> list[Connection]:
        return [each for each in self.server.server_state.connections if isinstance(each, Connection)]

    async def hang_up(self) -> None:
        """Leave, and wait until the server knows."""
        self._writer.close()
        await until(lambda: not self.server.server_state.connections)

    async def break_off(self) -> None:
        """The same, told by a reset."""
        self._writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()
        await until(lambda: not self.server.server_state.connections)

    async def all_ended(self) -> None:
        """Wait until nothing is being answered any more."""
        await until(lambda: not self.server.server_state.tasks)


@contextlib.asynccontextmanager
async def connected(app: Answering, **settings: Any) -> AsyncIterator[Caller]:
    config = uvicorn.Config(
        app, http=Connection, ws="none", proxy_headers=False, log_config=None, port=0, lifespan="off", **settings
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    reader, writer = await asyncio.open_connection(*server.servers[0].sockets[0].getsockname()[:2])
    try:
        yield Caller(server, reader, writer)
    finally:
        app.may.set()
        writer.close()
        server.should_exit = True
        await serving


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(LONG):
        while not is_so():
            await asyncio.sleep(0.005)


def statuses(full: bool, *pieces: bytes) -> list[int]:
    """The status of each reply to what is sent piece by piece, each after the reply to the one before; a piece that is
    the rest of an upload, which was refused before it came, has none.
    """
    found: list[int] = []

    async def ask() -> None:
        app = Answering(full=full)
        app.may.set()
        async with connected(app) as caller:
            rest = 0
            for piece in pieces:
                caller.send(piece)
                if rest:
                    await until(lambda: all(each.due is None for each in caller.connections()))
                else:
                    found.append(await caller.status())
                rest = len(QUESTION) if not rest and piece.startswith(UPLOAD[:40]) else 0

    asyncio.run(ask())
    return found


def test_the_rest_of_a_refused_upload_is_no_question() -> None:
    head = UPLOAD % len(QUESTION)
    assert statuses(True, head, QUESTION, NEXT) == [401, 200]


def test_a_question_after_a_refused_upload_is_one_again() -> None:
    head = UPLOAD % len(QUESTION)
    assert statuses(True, head, QUESTION, QUESTION, NEXT) == [401, 503, 200]


def test_questions_on_a_new_and_on_a_used_connection_are_refused_unparsed() -> None:
    assert statuses(True, QUESTION, QUESTION, NEXT, QUESTION) == [503, 503, 200, 503]


def test_plain_questions_and_others_take_turns_on_a_connection() -> None:
    app = Answering()

    async def ask() -> None:
        app.may.set()
        async with connected(app) as caller:
            for data in (QUESTION, NOT_PLAIN, QUESTION, QUESTION, NEXT, QUESTION):
                caller.send(data)
                assert await caller.status() == 200

    asyncio.run(ask())
    assert app.asked == ["plain", "parsed", "plain", "plain", "parsed", "plain"]


def test_both_ways_say_the_same() -> None:
    async def ask() -> None:
        app = Answering()
        app.may.set()
        async with connected(app) as caller:
            caller.send(QUESTION)
            plain = await caller.reply()
            caller.send(NOT_PLAIN)
            parsed = await caller.reply()
        for headers in (plain[1], parsed[1]):
            assert headers.pop("date")
        assert app.asked == ["plain", "parsed"]
        assert plain == parsed

    asyncio.run(ask())


@pytest.mark.parametrize("later", [QUESTION, NOT_PLAIN, QUESTION[:50], NEXT])
def test_what_comes_before_an_answer_waits_for_it(later: bytes) -> None:
    async def ask() -> None:
        app = Answering()
        async with connected(app) as caller:
            caller.send(QUESTION.replace(b"2\r\n\r\n{}", b"5\r\n\r\nfirst"))
            await until(lambda: app.asked == ["plain"])
            caller.send(later)
            await asyncio.sleep(0.02)
            assert app.asked == ["plain"]
            app.may.set()
            assert (await caller.reply())[2].endswith(b"first")
            caller.send(QUESTION[50:] if later == QUESTION[:50] else b"")
            assert await caller.status() == 200
            caller.send(QUESTION)
            assert await caller.status() == 200
            assert app.asked[-1] == "plain"

    asyncio.run(ask())


def test_a_mistake_of_ours_is_a_500_and_ends_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    async def ask() -> None:
        app = Answering(crashes=True)
        app.may.set()
        async with connected(app) as caller:
            caller.send(QUESTION)
            assert await caller.status() == 500
            assert await caller.closed()

    log = logging.getLogger("uvicorn.error")  # which other servers of this process may have made silent
    log.addHandler(caplog.handler)
    try:
        with caplog.at_level("ERROR", log.name):
            asyncio.run(ask())
    finally:
        log.removeHandler(caplog.handler)
    assert "A mistake." in caplog.text


def test_a_caller_that_hangs_up_costs_no_mistake(caplog: pytest.LogCaptureFixture) -> None:
    async def ask() -> None:
        app = Answering()
        async with connected(app) as caller:
            caller.send(QUESTION)
            await until(lambda: app.asked == ["plain"])
            await caller.hang_up()
            app.may.set()
            await caller.all_ended()

    asyncio.run(ask())
    assert not [each for each in caplog.records if each.levelname == "ERROR"]


def test_a_connection_is_closed_when_it_has_idled_and_not_while_it_waits_for_its_answer() -> None:
    async def ask() -> None:
        app = Answering()
        async with connected(app, timeout_keep_alive=1) as caller:
            app.may.set()
            caller.send(QUESTION)
            assert await caller.status() == 200  # from here on it may idle for a second
            app.may.clear()
            caller.send(QUESTION)
            await asyncio.sleep(1.3)
            app.may.set()
            assert await caller.status() == 200
            began = asyncio.get_running_loop().time()
            assert await caller.closed()
            assert asyncio.get_running_loop().time() - began > 0.7

    asyncio.run(ask())


def test_a_connection_idles_from_the_end_of_a_body_that_was_answered_before_it_came() -> None:
    async def ask() -> None:
        app = Answering()
        async with connected(app, timeout_keep_alive=1) as caller:
            caller.send(UPLOAD % 2)
            assert await caller.status() == 401
            caller.send(b"{}")
            assert await caller.closed()

    asyncio.run(ask())


def test_a_connection_that_breaks_off_in_the_middle_is_forgotten() -> None:
    async def ask() -> None:
        app = Answering()
        async with connected(app, timeout_keep_alive=1) as caller:
            app.may.set()
            caller.send(QUESTION)
            assert await caller.status() == 200
            app.may.clear()
            caller.send(QUESTION)
            await until(lambda: len(app.asked) == 2)
            (connection,) = caller.connections()
            kept = weakref.ref(connection)
            del connection
            await caller.break_off()
            app.may.set()
            await caller.all_ended()
            await asyncio.sleep(0)
            gc.collect()
            assert kept() is None

    asyncio.run(ask())


def test_an_idle_connection_keeps_nothing_of_what_was_asked() -> None:
    async def ask() -> None:
        app = Answering()
        app.may.set()
        async with connected(app) as caller:
            caller.send(QUESTION)
            assert await caller.status() == 200
            (connection,) = caller.connections()
            assert isinstance(connection.cycle, Cycle)
            assert (connection.cycle.body, connection.cycle._begun) == (b"", None)

    asyncio.run(ask())


def test_who_left_before_the_question_is_read_is_not_answered() -> None:
    came: list[str] = []

    class Late(Answering):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            self.asked.append("late")
            await self.may.wait()
            came.append((await receive())["type"])

    async def ask(data: bytes) -> None:
        app = Late()
        async with connected(app) as caller:
            caller.send(data)
            await until(lambda: app.asked == ["late"])
            await caller.hang_up()
            app.may.set()
            await caller.all_ended()

    for data in (QUESTION, NOT_PLAIN):
        asyncio.run(ask(data))
    assert came == ["http.disconnect"] * 2


class Unread(asyncio.Transport):
    """Whose other end reads nothing."""

    aborted = closing = False

    def is_closing(self) -> bool:
        return self.closing

    def get_write_buffer_size(self) -> int:
        return 4_000

    def abort(self) -> None:
        self.aborted = True


def test_who_reads_nothing_is_let_go_even_when_the_connection_is_closing() -> None:
    async def ask() -> None:
        app = Answering()
        async with connected(app) as caller:
            caller.send(NEXT)
            await until(lambda: app.asked == ["parsed"])
            (connection,) = caller.connections()
            transport, connection.transport = connection.transport, Unread()
            connection.transport.closing = True
            connection.look(0.0)
            connection.look(READ_SECONDS - 0.1)
            assert not connection.transport.aborted
            connection.look(READ_SECONDS + 0.1)
            assert connection.transport.aborted
            connection.transport = transport

    asyncio.run(ask())


def test_who_leaves_says_so_with_the_answer_and_then_closes() -> None:
    async def ask() -> None:
        app = Answering()
        async with connected(app) as caller:
            caller.send(QUESTION)
            await until(lambda: app.asked == ["plain"])
            caller.server.should_exit = True
            await until(lambda: not caller.server.servers[0].is_serving())
            app.may.set()
            status, headers, _ = await caller.reply()
            assert (status, headers["connection"]) == (200, "close")
            assert await caller.closed()

    asyncio.run(ask())


def test_who_waits_for_the_end_is_told_of_it() -> None:
    ends: list[str] = []

    class Waiting(Answering):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await receive()
            ending = asyncio.create_task(receive())
            self.asked.append("waits")
            await self.may.wait()
            if not self.full:
                await reply(send, 200, b"")
            ends.append((await asyncio.wait_for(ending, LONG))["type"])

    async def ask(leaves: bool) -> None:
        app = Waiting()
        async with connected(app) as caller:
            caller.send(QUESTION)
            await until(lambda: app.asked == ["waits"])
            assert not ends
            if leaves:
                app.full = True
                await caller.hang_up()
            app.may.set()
            await caller.all_ended()

    for leaves in (False, True):
        asyncio.run(ask(leaves))
        assert ends == ["http.disconnect"]
        ends.clear()


def test_who_reads_no_refusal_is_sent_no_more_of_them() -> None:
    """A buffer that nobody empties must not grow with every question."""

    async def ask() -> None:
        app = Answering(full=True)
        app.may.set()
        async with connected(app) as caller:
            caller.send(QUESTION)
            assert await caller.status() == 503
            (connection,) = caller.connections()
            connection.flow.write_paused = True  # as the transport says when its buffer is full
            caller.send(QUESTION)
            await until(lambda: app.asked == ["parsed"])
            connection.flow.write_paused = False

    asyncio.run(ask())


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-length", b"0"), (b"x-request-id", b"a\r\nset-cookie: b=c")],
        [(b"content-length", b"1")],
    ],
)
def test_an_answer_that_would_bring_the_connection_out_of_step_is_a_mistake(headers: list[tuple[bytes, bytes]]) -> None:
    class Splitting(Answering):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b""})

    async def ask() -> None:
        async with connected(Splitting()) as caller:
            caller.send(QUESTION)
            assert await caller.closed()

    asyncio.run(ask())
