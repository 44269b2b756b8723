"""Promise 20: training and live agree: no decision flips over replayed rows, wherever the threshold lies.

With every change, ``tests/decisions/parity/test_replaying.py`` asks ten thousand rows whose scores are the same to the
last bit, some hundreds of them of a served process, and finds a planted difference of each kind.
"""

from __future__ import annotations

import math
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from pilotage.decisions import parity
from pilotage.decisions.parity import choosing
from pilotage.govern.records import SYSTEM
from pilotage.platform.errors import GateClosed
from pilotage.platform.instants import as_utc
from pilotage.rollout import flow as rollout
from tests.decisions.parity.conftest import Opened, Trained, opened, trained
from tests.decisions.parity.over_http import body_of, served
from tests.decisions.parity.test_replaying import altered, in_kilometres, sending
from tests.promises.table import Promise

__all__ = ["opened", "trained"]
FEW, MANY = 400, 10_000
SEED = 20
LATER = timedelta(days=1)
Values = dict[str, Any]


def flips(trained: float, live: float) -> int:
    """How many thresholds at a score, and one unit in the last place beside it, decide live otherwise."""
    thresholds = (math.nextafter(trained, -math.inf), trained, math.nextafter(trained, math.inf))
    return sum((trained >= each) != (live >= each) for each in thresholds)


def chosen(opened: Opened, n: int) -> list[int]:
    """So many rows, in their order."""
    return sorted(np.random.default_rng(SEED).permutation(opened.past.rows.num_rows)[:n].tolist())


@pytest.mark.long
def test_no_decision_flips_wherever_the_threshold_lies(opened: Opened, promise: Promise) -> None:
    positions = chosen(opened, MANY)
    rows = opened.past.rows.take(positions)
    trained = opened.scorer.score_table(rows).tolist()
    flipped = 0
    for request, row, score in zip(opened.past.requests(positions), rows.to_pylist(), trained, strict=True):
        question = opened.serving.ask(msgspec.json.encode(body_of(request)), as_utc(row["moment"]) + LATER)
        assert question.values is not None
        flipped += flips(score, opened.scorer.row(question.values)[0])
    assert flips(0.5, math.nextafter(0.5, 0.0)) == 1, "it would be seen"
    figure = f"{flipped} flips at thresholds of each score, and one ulp beside it"
    promise(20, what="replayed", figure=figure, n=len(trained), passed=flipped == 0)


@pytest.mark.long
def test_no_decision_of_a_served_process_flips_wherever_the_threshold_lies(
    trained: Trained, opened: Opened, promise: Promise, tmp_path: Path
) -> None:
    positions = chosen(opened, MANY)
    scores = opened.scorer.score_table(opened.past.rows.take(positions)).tolist()
    with served(trained, opened, tmp_path) as asked:
        found = asked.scores([body_of(request) for request in opened.past.requests(positions)])
    flipped = sum(flips(score, live) for score, live in zip(scores, found, strict=True))
    figure = f"{flipped} flips at thresholds of each score, and one ulp beside it"
    promise(20, what="over HTTP", figure=figure, n=len(found), passed=flipped == 0)


@pytest.mark.long
def test_the_gate_itself_finds_no_flip_in_ten_thousand_rows(opened: Opened, promise: Promise) -> None:
    found = parity.measure(opened.serving, opened.scorer, opened.past)
    figure = f"{found.flips} flips, {found.near:,} rows next to the threshold"
    promise(20, what="gate", figure=figure, n=found.asked, passed=found.passed and found.asked == MANY)


@pytest.mark.long
def test_a_planted_difference_is_found_and_the_version_refused(
    trained: Trained, opened: Opened, promise: Promise, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "ROWS_MAX", FEW)
    monkeypatch.setattr(choosing, "NEAR_MAX", FEW // 10)
    with pytest.raises(GateClosed, match="may not become live"):
        rollout.release(trained.work, trained.definition, in_kilometres(trained), SYSTEM, "try")
    live = (
        lambda values: {**values, "temp_f": None if values["temp_f"] is None else (values["temp_f"] - 32) / 1.8},
        lambda values: {**values, "departure_hour": (values["departure_hour"] or 0) + 1},
        lambda values: {**values, "sky": str(values["sky"]).lower()},
        lambda values: {**values, "mean_arr_delay_by_carrier_1d": 0.0},
    )
    sent = (
        lambda request: {**request, "carrier": request["carrier"].lower()},
        lambda request: {**request, "scheduled_departure": request["scheduled_departure"] + timedelta(hours=1)},
    )
    found = [parity.measure(altered(opened.serving, each), opened.scorer, opened.past) for each in live]
    found += [parity.measure(opened.serving, opened.scorer, sending(opened.past, each)) for each in sent]
    missed = sum(each.passed for each in found)
    n = 1 + len(found)
    promise(20, what="planted", figure=f"{missed} of {n} differences let through", n=n, passed=missed == 0)
