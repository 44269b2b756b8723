"""Bytes on the wire: requests that two programs could read differently, that never end, or that are too many."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from pilotage.decisions.http.route import ARRIVING_MAX
from pilotage.govern.records import SYSTEM
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import adopt, parse_definition
from pilotage.web import connections
from tests.decisions.asking import PATH, key_of
from tests.decisions.small import FILE, Model, serving
from tests.web.listening import Address, listening, rest_of, said_to, statuses

BODY = b'{"thing": "t1", "size": 7, "at": "2013-12-05T19:00:00Z"}'


@pytest.fixture
def key(work: Workspace) -> str:
    return key_of(work)


@pytest.fixture
def slow_key(work: Workspace) -> str:
    return key_of(work, "slow")


@pytest.fixture
def address(work: Workspace, key: str, slow_key: str) -> Iterator[Address]:
    definition = adopt(work, parse_definition(FILE, "small.yaml"), SYSTEM)
    with listening(work, serving(definition, Model(lambda: 0.6))) as (found, _):
        yield found


def asked(key: str, *headers: bytes, body: bytes = BODY, length: bool = True) -> bytes:
    """A question with these headers, as bytes."""
    sized = (b"Content-Length: %d" % len(body),) if length else ()
    lines = (f"POST {PATH} HTTP/1.1".encode(), b"Host: x", f"Authorization: Bearer {key}".encode(), *sized, *headers)
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


SMUGGLED = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
TRICKS: dict[str, tuple[tuple[bytes, ...], bytes, bool]] = {
    "two lengths": ((b"Content-Length: 1",), BODY, True),
    "two equal lengths": ((b"Content-Length: %d" % len(BODY),), BODY, True),
    "a length and chunks": ((b"Transfer-Encoding: chunked",), CHUNKED, True),
    "a space before the colon": ((b"Transfer-Encoding : chunked",), CHUNKED, True),
    "a coding that is none": ((b"Transfer-Encoding: xchunked",), BODY, False),
    "chunks and another coding": ((b"Transfer-Encoding: chunked, identity",), CHUNKED, False),
    "two codings": ((b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"), CHUNKED, False),
    "a tab in the coding": ((b"Transfer-Encoding:\tchunked", b"Content-Length: 4"), CHUNKED, False),
    "a folded header": ((b"Transfer-Encoding:\r\n chunked", b"Content-Length: 4"), CHUNKED, False),
    "a length with a sign": ((b"Content-Length: +5",), BODY, False),
    "a length in hexadecimal": ((b"Content-Length: 0x5",), BODY, False),
    "a length below nought": ((b"Content-Length: -1",), BODY, False),
    "a list of lengths": ((b"Content-Length: 5, 5",), BODY, False),
    "a length too large": ((b"Content-Length: 99999999999999999999999",), BODY, False),
    "a chunk size that is none": ((b"Transfer-Encoding: chunked",), b"zz\r\n" + BODY, False),
    "a chunk size too large": ((b"Transfer-Encoding: chunked",), b"fffffffffffffffff\r\n" + BODY, False),
    "two hosts": ((b"Host: y",), BODY, True),
    "two keys": ((b"Authorization: Bearer pk_other",), BODY, True),
    "two content types": ((b"Content-Type: application/json", b"Content-Type: text/csv"), BODY, True),
    "a header without a name": ((b": x",), BODY, True),
    "a nul in a header": ((b"X-A: a\x00b",), BODY, True),
    "a bare carriage return": ((b"X-A: a\rX-B: b",), BODY, True),
}


@pytest.mark.parametrize("trick", TRICKS)
def test_what_could_be_read_in_two_ways_is_refused_and_nothing_after_it_is_obeyed(
    address: Address, key: str, trick: str
) -> None:
    headers, body, length = TRICKS[trick]
    answered = said_to(address, asked(key, *headers, body=body, length=length) + SMUGGLED)
    assert statuses(answered) == [400], answered[:500]
    assert b"alive" not in answered
    assert key.encode() not in answered


@pytest.mark.parametrize(
    "sent",
    [
        b"GET /healthz HTTP/1.1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
        b"GET /healthz HTTP/3.7\r\nHost: x\r\n\r\n",
        b"GET /healthz\r\n\r\n",
        b"GET /health\x00z HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /health\xffz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GE\r\nT /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 200 + b"\r\n",
    ],
)
def test_what_is_no_request_is_refused(address: Address, sent: bytes) -> None:
    answered = said_to(address, sent)
    assert all(400 <= status < 500 for status in statuses(answered)), answered
    assert b"alive" not in answered


CHUNKS = b"POST /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
ENDLESS = {
    "a header": (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ", b"a" * 16_384),
    "a trailer": (CHUNKS + b"0\r\nX-Long: ", b"a" * 16_384),
    "trailers": (CHUNKS + b"1\r\na\r\n0\r\n", b"X-A: b\r\n" * 2_048),
    "an extension of a chunk": (CHUNKS + b"1;", b"a" * 16_384),
}


@pytest.mark.parametrize("what", ENDLESS)
def test_what_is_no_body_and_does_not_end_is_refused_before_it_ends(address: Address, what: str) -> None:
    begin, more = ENDLESS[what]
    with socket.create_connection(address) as connection:
        sent = 0
        connection.sendall(begin)
        try:
            while sent < 4 * 1024 * 1024:
                sent += connection.send(more)
                time.sleep(0.001)
        except ConnectionError:
            pass
        answered = rest_of(connection, 2) if sent >= 4 * 1024 * 1024 else b"closed"
    assert sent < 4 * 1024 * 1024, "the connection was closed meanwhile"
    assert b"alive" not in answered


def test_what_comes_behind_a_body_is_no_header(address: Address, key: str) -> None:
    """Also not one that a request may have once, or that says who asks."""
    chunked = b"".join(b"1\r\n%c\r\n" % each for each in BODY) + b"0\r\nAuthorization: Bearer pk_x\r\nHost: y\r\n\r\n"
    with_key = asked(key, b"Transfer-Encoding: chunked", body=chunked, length=False)
    answered = said_to(address, with_key + asked(key, b"Connection: close"))
    assert statuses(answered) == [200, 200], answered
    without = with_key.replace(f"Authorization: Bearer {key}\r\n".encode(), b"")
    named = without.replace(b"Bearer pk_x", f"Bearer {key}".encode())
    assert statuses(said_to(address, named + SMUGGLED.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))) == [
        401,
        200,
    ]


@pytest.mark.parametrize(
    "upgrade", [b"websocket\r\nSec-WebSocket-Key: dGVzdA==\r\nSec-WebSocket-Version: 13", b"h2c", b"TLS/1.0"]
)
def test_no_other_protocol_is_changed_to(address: Address, upgrade: bytes) -> None:
    head = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: " + upgrade + b"\r\n\r\n"
    assert statuses(said_to(address, head + SMUGGLED)) == [200]
    websocket = head.replace(b"/healthz", b"/v1/openapi.json")
    assert statuses(said_to(address, websocket)) == [401]


def test_what_a_proxy_may_say_changes_nobodys_rights(address: Address, key: str) -> None:
    told = (
        b"X-Forwarded-For: 127.0.0.1",
        b"X-Forwarded-Proto: https",
        b"X-Forwarded-Host: evil.example",
        b"Forwarded: for=127.0.0.1;host=evil.example",
        b"X-Original-URL: /people",
        b"X-Rewrite-URL: /people",
        b"X-Real-IP: 127.0.0.1",
        b"X-Remote-User: admin",
    )
    head = b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + b"\r\n".join(told) + b"\r\n\r\n"
    answered = said_to(address, head % b"/people")
    assert statuses(answered) == [303]
    assert b"location: /log-in?next=/people" in answered.lower()
    assert b"evil.example" not in answered
    assert statuses(said_to(address, head % b"/v1/webhooks")) == [401]
    assert statuses(said_to(address, asked(key, *told))) == [200]


def test_a_host_that_looks_like_a_path_changes_no_answer(address: Address) -> None:
    for path, kind in ((b"/people", b"text/html"), (b"/v1/webhooks", b"application/problem+json")):
        answered = said_to(address, b"GET %s HTTP/1.1\r\nHost: x/y?z\r\nConnection: close\r\n\r\n" % path)
        assert statuses(answered) == [400]
        assert b"content-type: " + kind in answered.lower()
        assert b"x/y" not in answered


class Dribbler:
    """Connections that send a byte now and then and never finish; how many were let go."""

    def __init__(self, address: Address, count: int, start: bytes, drop: bytes) -> None:
        self._open = [socket.create_connection(address) for _ in range(count)]
        for each in self._open:
            each.sendall(start)
            each.setblocking(False)
        self._drop, self._over = drop, threading.Event()
        self.answers: list[bytes] = []
        self._thread = threading.Thread(target=self._dribble)
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        for each in self._open:
            each.close()

    def __len__(self) -> int:
        return len(self._open)

    def _dribble(self) -> None:
        while not self._over.wait(0.1):
            for each in list(self._open):
                try:
                    each.send(self._drop)
                    said = each.recv(65_536)
                except BlockingIOError:
                    continue
                except ConnectionError:
                    said = b""
                self.answers.append(said)
                each.close()
                self._open.remove(each)


def test_one_key_may_have_so_many_bodies_on_their_way_and_others_are_asked_as_ever(
    address: Address, key: str, slow_key: str
) -> None:
    start = asked(slow_key, b"Content-Length: 100", body=b"", length=False)
    slow: list[socket.socket] = []
    while len(slow) < ARRIVING_MAX:  # a few at a time: of many that come at once, some are refused
        few = [socket.create_connection(address) for _ in range(16)]
        for each in few:
            each.sendall(start)
        assert statuses(said_to(address, asked(key, b"Connection: close"))) == [200]
        assert not select.select(few, [], [], 0)[0], "their bodies are waited for"
        slow += few
    one_more = asked(slow_key, b"Content-Length: 2", b"Connection: close", body=b"", length=False)
    assert statuses(said_to(address, one_more)) == [503], "their bodies are counted"
    for each in (key, slow_key):  # what comes whole has nothing to wait for
        assert statuses(said_to(address, asked(each, b"Connection: close"))) == [200]
    for each in slow:
        each.close()
    until = time.monotonic() + 15
    while (told := begun(address, one_more, b"{}")) != [422]:
        assert time.monotonic() < until, f"who leaves gives the place back, and yet one more was told {told}"


def begun(address: Address, head: bytes, body: bytes) -> list[int]:
    """The statuses of the replies to a request whose body comes after its head; none where it is closed before."""
    with socket.create_connection(address) as caller:
        caller.sendall(head)
        select.select([caller], [], [], 0.1)
        try:
            caller.sendall(body)
            return statuses(rest_of(caller))
        except ConnectionError:
            return []


SLOW = {
    "head": (b"POST /v1/outcomes HTTP/1.1\r\nHost: x\r\nX-A: ", b"a"),
    "between": (b"GET /healthz HTTP/1.1\r\nHost: x\r\n", b"X-A: a\r\n"),
    "nothing": (b"", b"\r\n"),
    "body": (b"POST /log-in HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n", b"a"),
    "chunks": (
        b"POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer KEY\r\nTransfer-Encoding: chunked\r\n\r\n"
        % PATH.encode(),
        b"1\r\na\r\n",
    ),
}


@pytest.mark.parametrize("how", SLOW)
def test_who_dribbles_is_let_go_in_time_while_others_are_answered(
    address: Address, key: str, slow_key: str, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.6)
    monkeypatch.setattr(connections, "BODY_SECONDS", 0.6)
    start, drop = SLOW[how]
    slow = Dribbler(address, 150, start.replace(b"KEY", slow_key.encode()), drop)
    try:
        answered, until = 0, time.monotonic() + 8
        while len(slow) and time.monotonic() < until:
            assert statuses(said_to(address, asked(key, b"Connection: close"))) == [200]
            answered += 1
        assert len(slow) == 0, "all were let go"
        assert answered
    finally:
        slow.close()
    assert {status for each in slow.answers for status in statuses(each)} <= {408, 401, 403, 400, 503}


def test_a_full_server_lets_the_slowest_go_for_the_next(
    address: Address, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "CONNECTIONS_MAX", 20)
    slow = Dribbler(address, 20, b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ", b"a")
    try:
        assert statuses(said_to(address, asked(key, b"Connection: close"))) == [503]
        time.sleep(1.2)
        for _ in range(10):
            assert statuses(said_to(address, asked(key, b"Connection: close"))) == [200]
        end = time.monotonic() + 5
        while not slow.answers and time.monotonic() < end:  # it looks ten times a second
            time.sleep(0.02)
    finally:
        slow.close()
    assert statuses(slow.answers[0]) == [408], "and was told why"
