"""A port is given up without resetting a connection that had begun."""

from __future__ import annotations

import socket
import sys
import time

import pytest

from pilotage.web.leaving import hold_off_new, refuse_new

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux can hold connections off")


@pytest.fixture(params=["127.0.0.1", "::1"])
def listener(request: pytest.FixtureRequest) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in request.param else socket.AF_INET)
    try:
        made.bind((request.param, 0))
    except OSError:
        pytest.skip(f"{request.param} is no address here")
    made.listen(8)
    return made


def test_who_came_before_is_served_and_who_comes_after_waits(listener: socket.socket) -> None:
    with listener:
        early = socket.create_connection(listener.getsockname()[:2], timeout=2)
        hold_off_new(listener)
        early.sendall(b"question")
        with pytest.raises(TimeoutError):
            socket.create_connection(listener.getsockname()[:2], timeout=0.3)
        taken, _ = listener.accept()
        with early, taken:
            assert taken.recv(20) == b"question"
            taken.sendall(b"answer")
            assert early.recv(20) == b"answer"


def test_who_was_held_off_is_refused_at_his_next_try(listener: socket.socket) -> None:
    with listener:
        hold_off_new(listener)
        refuse_new(listener)
        began = time.monotonic()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(listener.getsockname()[:2], timeout=5)
        assert time.monotonic() - began < 2.9, "TCP tries after one second, and again after three"
