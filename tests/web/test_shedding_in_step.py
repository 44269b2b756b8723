"""What is refused unparsed keeps a connection in step: each request has one reply, and none is taken for a body."""

from __future__ import annotations

import asyncio
from typing import Any

import uvicorn

from pilotage.platform.errors import Unavailable
from pilotage.web.connections import Connection
from pilotage.web.shedding import Sheds, refusal

QUESTION = b"POST /v1/use-cases/small/decisions HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}"
UPLOAD = b"POST /v1/use-cases/small/jobs HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n"
NEXT = b"GET /next HTTP/1.1\r\nhost: x\r\n\r\n"


class Refusing(Sheds):
    """Full, and answers everything with 401 before it has read any body."""

    @property
    def is_full(self) -> bool:
        return True

    def comes(self) -> None:
        """It refuses everything whatever else came."""

    def turned_away(self, path: str) -> bytes:
        return refusal(Unavailable("Full.", "Wait."), path, "req_1")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"no"})


async def statuses(*pieces: bytes) -> list[bytes]:
    """The status of each reply to what is sent piece by piece, each after the replies to those before."""
    config = uvicorn.Config(
        Refusing(), http=Connection, ws="none", proxy_headers=False, log_level="error", port=0, lifespan="off"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    reader, writer = await asyncio.open_connection(*server.servers[0].sockets[0].getsockname()[:2])
    came = b""
    for piece in pieces:
        writer.write(piece)
        try:
            while True:
                came += await asyncio.wait_for(reader.read(65_536), 0.2)
        except TimeoutError:
            pass
    writer.close()
    server.should_exit = True
    await serving
    return [each.split(b" ", 1)[0] for each in came.split(b"HTTP/1.1 ")[1:]]


def test_the_rest_of_a_refused_upload_is_no_question() -> None:
    head = UPLOAD % len(QUESTION)
    assert asyncio.run(statuses(head, QUESTION, NEXT)) == [b"401", b"401"]


def test_a_question_after_a_refused_upload_is_one_again() -> None:
    head = UPLOAD % len(QUESTION)
    assert asyncio.run(statuses(head, QUESTION, QUESTION, NEXT)) == [b"401", b"503", b"401"]


def test_questions_on_a_new_and_on_a_used_connection_are_refused_unparsed() -> None:
    assert asyncio.run(statuses(QUESTION, QUESTION, NEXT, QUESTION)) == [b"503", b"503", b"401", b"503"]
