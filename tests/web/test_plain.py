"""What is read without the parser: whole, plain questions, as the parser reads them, and nothing else."""

from __future__ import annotations

import httptools
import pytest
from hypothesis import example, given, note, settings
from hypothesis import strategies as st

from pilotage.web import plain
from pilotage.web.connections import demand_clear

HEAD = b"POST /v1/use-cases/small/decisions HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer pk_1\r\n"
PLAIN = HEAD + b"Content-Length: 2\r\n\r\n{}"
ANOTHER = PLAIN.replace(b"pk_1", b"pk_2").replace(b"small", b"other")
PATH = "/v1/use-cases/small/decisions"


def path_of(data: bytes) -> str | None:
    found = plain.head_of(data)
    return None if found is None else found.path


def test_a_whole_plain_question_is_one() -> None:
    head = plain.head_of(PLAIN)
    assert head is not None
    assert (head.path, PLAIN[len(head.begin) :], head.request) == (PATH, b"{}", None)
    assert head.headers == ((b"host", b"here"), (b"authorization", b"Bearer pk_1"), (b"content-length", b"2"))
    assert path_of(PLAIN.replace(b"Content-Length: 2", b"content-length:2")) == PATH
    assert path_of(PLAIN.replace(b"Host:", b"Connection: keep-alive\r\nUser-Agent: a/1\r\nHost:")) == PATH
    named = plain.head_of(PLAIN.replace(b"Host:", b"X-Request-Id: mine\r\nHost:"))
    assert named is not None
    assert (named.path, named.request) == (PATH, b"mine")


@pytest.mark.parametrize(
    "lines",
    [
        (
            "host: h\nconnection: keep-alive\ncontent-type: application/json\naccept: */*\naccept-language: *\n"
            "sec-fetch-mode: cors\nuser-agent: node\naccept-encoding: gzip, deflate\ncontent-length: 2"
        ),
        "Host: h\nUser-Agent: curl/7.88.1\nAccept: */*\ncontent-type: application/json\nContent-Length: 2",
        (
            "Host: h\nUser-Agent: python-requests/2.34.2\nAccept-Encoding: gzip, deflate\nAccept: */*\n"
            "Connection: keep-alive\nContent-Length: 2"
        ),
        (
            "Host: h\nContent-Length: 2\nAccept: */*\nAccept-Encoding: gzip, deflate\nUser-Agent: python-httpx/0.28.1\n"
            "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        ),
    ],
    ids=["fetch of Node", "curl", "requests", "httpx through nginx"],
)
def test_what_clients_send_is_plain(lines: str) -> None:
    """As each of them sent it in the year of writing."""
    head = f"POST {PATH} HTTP/1.1\n{lines}\n\n".replace("\n", "\r\n")
    assert path_of(head.encode() + b"{}") == PATH


def test_heads_that_were_seen_before_say_nothing_of_another_body() -> None:
    assert path_of(PLAIN) == PATH
    assert path_of(PLAIN + b" ") is None
    assert path_of(PLAIN.replace(b"small", b"other")) == "/v1/use-cases/other/decisions"


def test_only_heads_are_remembered_that_may_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    remembered: dict[bytes, plain.Head] = {}
    monkeypatch.setattr(plain, "_remembered", remembered)
    for name in ("Idempotency-Key", "X-Request-Id", "X-Request-Timeout-Ms", "Traceparent"):
        assert path_of(PLAIN.replace(b"Host:", name.encode() + b": 1\r\nHost:")) == PATH
    assert path_of(PLAIN.replace(b"/decisions", b"/jobs")) is None
    assert not remembered
    monkeypatch.setattr(plain, "_REMEMBERED_MAX", 3)
    for length in range(10):
        assert path_of(HEAD + b"Content-Length: %d\r\n\r\n" % length + b"x" * length) == PATH
        assert 0 < len(remembered) <= 3


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
        PLAIN.replace(b"Host:", b"accept\r\nHost:"),
        PLAIN.replace(b"Content-Length: 2", b"Content-Length: 2\r\nTransfer-Encoding: chunked"),
        PLAIN.replace(b"Content-Length: 2", b"Content-Length: +2"),
        PLAIN.replace(b"Host:", b"Connection: close\r\nHost:"),
        PLAIN.replace(b"Host:", b"Expect: 100-continue\r\nHost:"),
        PLAIN.replace(b"Host:", b"Cookie: a=b\r\nHost:"),
        PLAIN.replace(b"Host:", b"Content-Encoding: gzip\r\nHost:"),
        PLAIN.replace(b"Host:", b"Upgrade: h2c\r\nHost:"),
        PLAIN.replace(b"Host:", b"X-Of-Nobody: 1\r\nHost:"),
        PLAIN.replace(b"Host:", b"Host: there\r\nHost:"),
        PLAIN.replace(b"Host:", b" folded: 1\r\nHost:"),
        PLAIN.replace(b"Host:", b"Accept: a\nX-Of-Nobody: 1\r\nHost:"),
        PLAIN.replace(b"Host:", b"Accept: a\rb\r\nHost:"),
        PLAIN.replace(b"Host:", b"Accept: a\0b\r\nHost:"),
        PLAIN.replace(b"Host:", b"Accept: a\x7fb\r\nHost:"),
        PLAIN.replace(b"Host:", b"Accept: \xc3\xa9\r\nHost:"),
        PLAIN.replace(b"Host:", b"Accept: a\tb\r\nHost:"),
        PLAIN.replace(b"Content-Length: 2", b"Content-Length: 2 2"),
        PLAIN.replace(b"Content-Length: 2", b"Content-Length: 12345678"),
        PLAIN.replace(b"Host:", b"User-Agent: " + b"a" * 2048 + b"\r\nHost:"),
        b"\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: here\r\n\r\n",
        b"",
    ],
)
def test_everything_else_goes_the_usual_way(data: bytes) -> None:
    assert plain.head_of(data) is None


class Parsed:
    """What the parser makes of the same bytes."""

    def __init__(self, data: bytes) -> None:
        self.url = self.body = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.ends = 0
        parser = httptools.HttpRequestParser(self)
        parser.feed_data(data)
        assert parser.should_keep_alive()
        assert parser.get_method() == b"POST"
        demand_clear(self.headers, parser.get_http_version())

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.ends += 1


_BITS = [
    b"",
    b" ",
    b"\t",
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n\r\n",
    b":",
    b"0",
    b"2",
    b"-",
    b"+",
    b",",
    b"\0",
    b"\x0b",
    b"\xa0",
]
_BITS += [
    b"chunked",
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Length: 3\r\n",
    b"Connection: close\r\n",
    b"%2f",
    b"?",
]
_BITS += [
    b"Host: b\r\n",
    b"Accept: a\r\n",
    b"X-Api-Key:  b \r\n",
    b"X-Forwarded-For:\r\n",
    b"{}",
    b"POST ",
    b"HTTP/1.1",
]


@settings(max_examples=3_000)
@given(
    edits=st.lists(
        st.tuples(st.integers(0, len(PLAIN)), st.integers(0, 4), st.sampled_from(_BITS) | st.binary(max_size=2)),
        max_size=4,
    )
)
@example([])
@example([(HEAD.index(b"Auth"), 0, b"Accept:  a  \r\n")])
@example([(HEAD.index(b"Auth"), 0, b"Accept:\r\n")])
@example([(PLAIN.index(b"2\r\n"), 1, b"002")])
def test_what_is_taken_for_a_question_the_parser_reads_alike(edits: list[tuple[int, int, bytes]]) -> None:
    data = PLAIN
    for at, gone, instead in edits:
        data = data[:at] + instead + data[at + gone :]
    note(repr(data))
    head = plain.head_of(data)
    for before in (PLAIN, ANOTHER):
        assert plain.head_of(data, plain.head_of(before) or plain.NONE) == head, "what came before says nothing of it"
    if head is None:
        return
    parsed = Parsed(data)
    assert (parsed.url.decode(), parsed.body, parsed.ends) == (head.path, data[len(head.begin) :], 1)
    assert tuple(parsed.headers) == head.headers
