"""A receiver of webhooks: a real server on the loopback, whose answers a test chooses."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = tuple[int, Mapping[str, str], bytes]
Answering = Callable[["Received"], Answer]


@dataclass(frozen=True)
class Received:
    """One request that came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


def well(received: Received) -> Answer:
    return 200, {}, b"thank you"


@dataclass
class Receiver:
    """What came, and what is answered next."""

    url: str
    answering: Answering = well
    received: list[Received] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        return [each.id for each in self.received]


@contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    """A receiver that answers 200 until it is told otherwise."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            came = Received(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            receiver.received.append(came)
            status, headers, content = receiver.answering(came)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def handle(self) -> None:
            with suppress(ConnectionError, TimeoutError):  # the other side had enough
                super().handle()

        def log_message(self, *arguments: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        request_queue_size = 128  # five, the default, resets some of many connections at once
        daemon_threads = True

    server = Server(("127.0.0.1", port), Handler)
    receiver = Receiver(f"http://127.0.0.1:{server.server_port}/hooks/")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def hanging(seconds: float) -> Answering:
    """Answers after so long."""

    def answer(received: Received) -> Answer:
        time.sleep(seconds)
        return 200, {}, b""

    return answer


def in_turn(*statuses: int, then: int = 200) -> Answering:
    """These statuses one after the other, then another for good."""
    left = list(statuses)
    return lambda received: (left.pop(0) if left else then, {}, b"")
