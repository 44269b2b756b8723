"""Scoring a file, Parquet to Parquet: ours beside LightGBM's own, on the same cores; and what recording it costs.

    python -m benchmarks.batch [--quick]

46 columns of numbers, 300 trees of 31 leaves, made by the product's own flows: a source synced, a training set built, a
model trained and proved, a version released after past rows were asked through the live path. Each measurement is a
process of its own (``batch_work.py``), three rounds in turn, medians; start-up does not count. Three things are timed:

* *LightGBM*: batches of the file as a matrix, ``Booster.predict`` with as many threads as there are cores, a column of
  probabilities written.
* *scored*: the same by the scorer that answers, calibration included. Nothing is validated, decided or recorded.
* *recorded*: ``pilotage batch`` from the file to Parquet: each row is validated, answered, and durably in the ledger
  with everything it stood on, hashed and vouched for by the audit log. That is another task, and takes its time.

The last line is one JSON object of ratios of rows per second: ``ours_over_lightgbm`` is of *scored*,
``recorded_over_lightgbm`` of *recorded*; ``peak_mb`` is the highest peak of either of ours, ``memory_growth`` that of
*scored* over 10 M rows over that over 1 M; with ``--quick`` files are shorter, and there is one round.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.batch_home import make, write_questions

WAYS = ("lightgbm", "scored", "recorded")


def main() -> None:
    """Make the installation, measure in turn, print the ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    rows, recorded_rows, rounds = (50_000, 5_000, 1) if quick else (3_400_000, 100_000, 3)
    steps = (40_000, 200_000) if quick else (1_000_000, 10_000_000)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        make(folder)
        files = {count: write_questions(folder, count) for count in {rows, recorded_rows, *steps}}
        asked = {"lightgbm": rows, "scored": rows, "recorded": recorded_rows}
        found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
        for number in range(rounds):
            for way in WAYS:
                found[way].append(measured(folder, way, files[asked[way]], asked[way]))
                print(f"round {number + 1}: {way}, {told(found[way][-1])}", flush=True)
        small, large = (measured(folder, "scored", files[count], count) for count in steps)
        print(f"memory: {told(small)}; {told(large)}", flush=True)
    speed = {way: statistics.median(each["rows_per_second"] for each in found[way]) for way in WAYS}
    peaks = [each["peak_mb"] for way in WAYS[1:] for each in found[way]]
    ratios = {
        "ours_over_lightgbm": round(speed["scored"] / speed["lightgbm"], 3),
        "recorded_over_lightgbm": round(speed["recorded"] / speed["lightgbm"], 4),
        "peak_mb": round(max(*peaks, large["peak_mb"])),
        "memory_growth": round(large["peak_mb"] / small["peak_mb"], 2),
    }
    print(json.dumps(ratios))


def measured(folder: Path, way: str, file: Path, rows: int) -> dict[str, float]:
    """One way in a process of its own: rows, seconds, rows per second, peak memory."""
    command = [sys.executable, "-m", "benchmarks.batch_work", way, str(folder), str(file), str(os.cpu_count() or 1)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    said: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return {**said, "rows": rows, "rows_per_second": rows / said["seconds"]}


def told(found: dict[str, float]) -> str:
    """A measurement in words."""
    return f"{found['rows']:,.0f} rows: {found['rows_per_second']:,.0f} rows/s, peak {found['peak_mb']:,.0f} MB"


if __name__ == "__main__":
    main()
