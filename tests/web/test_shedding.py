"""What is refused before it is parsed: whole, plain questions to a full worker, and nothing else."""

from __future__ import annotations

import json

import pytest

from pilotage.platform.errors import Unavailable
from pilotage.web import shedding

HEAD = b"POST /v1/use-cases/small/decisions HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer pk_1\r\n"
PLAIN = HEAD + b"Content-Length: 2\r\n\r\n{}"


def test_a_whole_plain_question_is_one() -> None:
    assert shedding.path_of(PLAIN) == "/v1/use-cases/small/decisions"
    assert shedding.path_of(PLAIN.replace(b"Content-Length: 2", b"content-length:2")) == "/v1/use-cases/small/decisions"
    as_clients_do = PLAIN.replace(b"Host:", b"Connection: keep-alive\r\nUser-Agent: a/1\r\nHost:")
    assert shedding.path_of(as_clients_do) == "/v1/use-cases/small/decisions"


def test_heads_that_were_seen_before_say_nothing_of_another_body() -> None:
    assert shedding.path_of(PLAIN) == "/v1/use-cases/small/decisions"
    assert shedding.path_of(PLAIN + b" ") is None
    assert shedding.path_of(PLAIN.replace(b"small", b"other")) == "/v1/use-cases/other/decisions"


@pytest.mark.parametrize(
    "data",
    [
        PLAIN[:-1],
        PLAIN + b"P",
        PLAIN + PLAIN,
        PLAIN[:40],
        HEAD + b"\r\n",
        PLAIN.replace(b"POST", b"GET"),
        PLAIN.replace(b"/decisions", b"/decisions:batch"),
        PLAIN.replace(b"/decisions", b"/decisions?a=1"),
        PLAIN.replace(b"HTTP/1.1", b"HTTP/1.0"),
        PLAIN.replace(b"Host: here\r\n", b""),
        PLAIN.replace(b"Content-Length: 2", b"Content-Length: 2\r\nContent-Length: 2"),
        PLAIN.replace(b"Content-Length: 2", b"Content-Length : 2"),
        PLAIN.replace(b"Content-Length: 2", b"Content-Length: 2\r\nTransfer-Encoding: chunked"),
        PLAIN.replace(b"Content-Length: 2", b"Content-Length: +2"),
        PLAIN.replace(b"Host:", b"Connection: close\r\nHost:"),
        PLAIN.replace(b"Host:", b"Expect: 100-continue\r\nHost:"),
        PLAIN.replace(b"Host:", b"X-Request-Id: mine\r\nHost:"),
        PLAIN.replace(b"Host:", b"Upgrade: h2c\r\nHost:"),
        PLAIN.replace(b"Host:", b"X-Of-Nobody: 1\r\nHost:"),
        PLAIN.replace(b"Host:", b"Host: there\r\nHost:"),
        PLAIN.replace(b"Host:", b" folded: 1\r\nHost:"),
        PLAIN.replace(b"Content-Length: 2", b"Content-Length: 2 2"),
        PLAIN.replace(b"Content-Length: 2", b"Content-Length: 12345678"),
        PLAIN.replace(b"Host:", b"User-Agent: " + b"a" * 2048 + b"\r\nHost:"),
        b"\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n",
        b"",
    ],
)
def test_everything_else_goes_the_usual_way(data: bytes) -> None:
    assert shedding.path_of(data) is None


def test_the_refusal_is_a_problem_with_when_to_try_again() -> None:
    head, _, body = shedding.refusal(Unavailable("Full.", "Wait."), "/v1/x", "req_1").partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "HTTP/1.1 503 Service Unavailable"
    assert "retry-after: 1" in lines
    assert f"content-length: {len(body)}" in lines
    assert "x-request-id: req_1" in lines
    assert json.loads(body)["instance"] == "/v1/x"
