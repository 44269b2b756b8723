"""There is one way out, and it leads to the open internet or to hosts that were listed."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pilotage.platform.egress import Egress, EgressRefused, Unreachable, checked_addresses, is_public


@pytest.mark.parametrize(
    "address",
    [
        *("10.1.1.1", "127.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "192.0.0.8"),
        *("::1", "::", "fe80::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::7f00:1"),
        *("64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", "2002:a9fe:a9fe::1", "2001:0:4136:e378:8000:63bf:5601:5601"),
    ],
)
def test_what_is_private_stays_private_however_it_is_wrapped(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"])
def test_the_open_internet_is_open(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


def test_one_private_address_among_public_ones_is_enough_to_refuse_a_name() -> None:
    with pytest.raises(
        EgressRefused, match=r"scorer.example lies at 10.0.0.7.*PILOTAGE_EGRESS_HOSTS=scorer.example:443"
    ):
        checked_addresses("scorer.example", 443, (), lambda *_: ["8.8.8.8", "10.0.0.7"])
    listed = checked_addresses("scorer.example", 443, {"scorer.example"}, lambda *_: ["10.0.0.7"])
    assert listed == ["10.0.0.7"]


def test_a_listed_name_that_leads_to_the_metadata_service_is_refused_all_the_same() -> None:
    for address in ("169.254.169.254", "64:ff9b::a9fe:a9fe", "fe80::1"):
        with pytest.raises(EgressRefused):
            checked_addresses("scorer.example", 80, {"scorer.example"}, lambda *_, found=address: [found])


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://scorer.example", "without encryption"),
        ("https://user:secret@scorer.example", "holds a user or password"),
        ("ftp://scorer.example", "no address that can be called"),
        ("https://scorer.example/?key=secret", "no address that can be called"),
        ("https://scorer.example:99999", "no address that can be called"),
    ],
)
def test_an_address_that_is_not_called_is_refused_without_its_secrets(url: str, says: str) -> None:
    with pytest.raises(EgressRefused, match=says) as refusal:
        Egress(url)
    assert "secret" not in str(refusal.value)


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hosts: list[str] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.hosts.append(self.headers["host"])
        body = {"/large": b"x" * 5_000, "/slow": b"x" * 40}.get(self.path, b"{}")
        self.send_response(302 if self.path == "/moved" else 200)
        self.send_header("location", "http://127.0.0.1/elsewhere")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.path == "/slow":  # a byte now and then keeps every single read within its time
            for byte in body:
                time.sleep(0.1)
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
        else:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _served() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answering)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def _counted(found: list[str]) -> tuple[Callable[[str, int], list[str]], list[int]]:
    calls: list[int] = []

    def resolving(_: str, port: int) -> list[str]:
        calls.append(port)
        return [found[min(len(calls), len(found)) - 1]]

    return resolving, calls


def test_it_connects_to_the_address_it_checked_and_names_the_host_it_was_asked_for() -> None:
    with _served() as port:
        resolving, calls = _counted(["127.0.0.1", "8.8.8.8"])
        way = Egress(f"http://scorer.example:{port}", {f"scorer.example:{port}"}, resolving)
        assert way.post("/", b"{}", {}, 5.0, 1_000).content == b"{}"
        assert way.post("/", b"{}", {}, 5.0, 1_000).status == 200
        assert len(calls) == 1
        assert _Answering.hosts[-1] == f"scorer.example:{port}"


def test_a_name_that_turns_to_a_private_address_later_is_refused_then() -> None:
    with _served() as port:
        resolving, _ = _counted(["127.0.0.1", "169.254.169.254"])
        way = Egress(f"http://scorer.example:{port}", {"scorer.example"}, resolving)
        assert way.post("/", b"{}", {}, 5.0, 1_000).status == 200
        way._pool.close()
        with pytest.raises(EgressRefused, match=r"169\.254"):
            way.post("/", b"{}", {}, 5.0, 1_000)


def test_redirects_are_given_back_and_not_followed() -> None:
    with _served() as port:
        reply = Egress(f"http://127.0.0.1:{port}", {"127.0.0.1"}).post("/moved", b"{}", {}, 5.0, 1_000)
        assert reply.status == 302


def test_an_answer_that_drips_or_is_too_large_is_broken_off() -> None:
    with _served() as port:
        way = Egress(f"http://127.0.0.1:{port}", {"127.0.0.1"})
        began = time.monotonic()
        with pytest.raises(Unreachable, match=r"within 0\.3 s"):
            way.post("/slow", b"{}", {}, 0.3, 1_000)
        assert time.monotonic() - began < 3.0, "all of it takes four seconds"
        with pytest.raises(Unreachable, match="more than 1,000 bytes"):
            way.post("/large", b"{}", {}, 5.0, 1_000)
    with pytest.raises(Unreachable, match="cannot be reached"):
        Egress(f"http://127.0.0.1:{port}", {"127.0.0.1"}).post("/", b"{}", {}, 1.0, 1_000)
