"""The snippets that a developer copies do what they say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.client.script import playing

from pilotage.decisions.records import Said
from pilotage.rollout import integration

REQUEST = {"flight_id": "it's one", "distance_miles": 1400.5, "late": True, "tail_number": None}
ANSWER = {"id": "dec_1", "use_case": "u", "action": "Wait", "produced_by": "rule", "reason": "off"}


@pytest.mark.parametrize("default", [False, "SUPPORT", 12.5])
def test_the_python_snippet_asks_and_falls_back(default: Said) -> None:
    with playing([{"status": 200, "body": ANSWER}]) as (address, arrived):
        asked = _ran(integration.ask_in_python(address, "late_arrival", REQUEST, default))
    assert (asked.action, asked.produced_by) == ("Wait", "rule")
    assert arrived[0].path == "/v1/use-cases/late_arrival/decisions"
    assert json.loads(arrived[0].body) == REQUEST

    with playing(None) as (address, _):
        alone = _ran(integration.ask_in_python(address, "late_arrival", REQUEST, default))
    assert alone.produced_by == "fallback"
    assert (alone.positive if isinstance(default, bool) else alone.answer) == default


def _ran(code: str) -> Any:
    names: dict[str, Any] = {}
    exec(code.replace("…", "1"), names)
    return names["decision"]
