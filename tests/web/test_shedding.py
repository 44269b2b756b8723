"""What a question is told for which there is no place."""

from __future__ import annotations

import json

from pilotage.platform.errors import Unavailable
from pilotage.web import shedding


def test_the_refusal_is_a_problem_with_when_to_try_again() -> None:
    head, _, body = shedding.written(Unavailable("Full.", "Wait."), "/v1/x", "req_1").partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "HTTP/1.1 503 Service Unavailable"
    assert "retry-after: 1" in lines
    assert f"content-length: {len(body)}" in lines
    assert "x-request-id: req_1" in lines
    assert json.loads(body)["instance"] == "/v1/x"
