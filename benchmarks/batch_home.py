"""The installation that ``batch.py`` measures, and files of questions of any length."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.serve_home import signed_version
from pilotage.data import flow as data
from pilotage.govern.records import SYSTEM
from pilotage.models import artefacts
from pilotage.models.families.boosted import BOOSTED
from pilotage.models.flow.task import task_of
from pilotage.models.flow.training import teach
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import open_workspace
from pilotage.releases import flow as releasing
from pilotage.releases.records import Stage
from pilotage.rollout import flow as rollout
from pilotage.usecase import flow as defining

COLUMNS, TREES, LEAVES, LEARNT_ROWS, AT_ONCE = 46, 300, 31, 20_000, 100_000
NAME = "scored_file"
NAMES = tuple(f"n{number:02}" for number in range(COLUMNS))
_FIRST = datetime(2024, 1, 1, tzinfo=UTC)
_FILE = """\
use_case: scored_file
title: A file
owner: owner@example.com
brief:
  workflow: Somebody decides.
  users: People
  decision: Do it or not.
  kpi: Cost
  value: {currency: EUR, caught: 10, false_alarm: -5}
sources:
  cases: {files: "FOLDER/cases.parquet", key: [id], event_time: at, known_at: at}
decision: {entity: id, source: cases, moment: at, request: {at: datetime, REQUEST}}
outcome: {source: cases, positive: label = 1, says: is one}
inputs: {INPUTS}
rule: {positive: n00 > 1, says: it is large}
policy: {actions: {positive: Do it, negative: Leave it}, default: negative}
"""


def make(folder: Path) -> None:
    """Sync, build, train, prove and release; the model answers in shadow, so that no signals are made."""
    cases = _rows(0, LEARNT_ROWS)
    drawn = np.random.default_rng(1).random(LEARNT_ROWS)
    chance = 1 / (1 + np.exp(-sum(np.asarray(cases[name]) * (1.2 - at / 10) for at, name in enumerate(NAMES[:12]))))
    pq.write_table(cases.append_column("label", pa.array((drawn < chance).astype(int))), folder / "cases.parquet")
    text = _FILE.replace("FOLDER", str(folder)).replace("REQUEST", ", ".join(f"{name}: number" for name in NAMES))
    (folder / "file.yaml").write_text(text.replace("INPUTS", ", ".join(f"{name}: request" for name in NAMES)))
    work = open_workspace(Settings(home=folder / "home"))
    definition = defining.read_definition(folder / "file.yaml")
    data.adopt_and_sync(work, definition, SYSTEM, str(folder / "file.yaml"))
    built = data.build(work, definition)
    task = task_of(definition, built, data.training_rows(work, built))
    outcome = teach(work, task, BOOSTED, {"trees": TREES, "leaves": LEAVES})
    if outcome.measured is None:
        raise SystemExit(outcome.refused)
    version = signed_version(work, definition, built, 1, "boosted", outcome)
    rollout.release(work, definition, version, SYSTEM, "benchmark")
    releasing.set_stage(work, NAME, Stage.SHADOW, 1.0, SYSTEM, "benchmark")
    _, files = artefacts.load(work, version.artefact, version.signature)
    (folder / "model.txt").write_bytes(files["model.txt"])
    (folder / "version").write_text(f"{version.artefact}\n{version.signature}")
    work.close()
    print(f"Released {TREES} trees of {LEAVES} leaves over {COLUMNS} columns.", flush=True)


def write_questions(folder: Path, count: int) -> Path:
    """So many questions as Parquet, written some at a time."""
    path = folder / f"questions-{count}.parquet"
    first = _rows(0, 1)
    with pq.ParquetWriter(path, first.schema) as writer:
        for start in range(0, count, AT_ONCE):
            writer.write_table(_rows(start, min(AT_ONCE, count - start)))
    return path


def _rows(start: int, count: int) -> pa.Table:
    drawn = np.random.default_rng(start)
    ids = pa.array([f"c{number}" for number in range(start, start + count)])
    at = pa.array([_FIRST + timedelta(minutes=number * 10 % 500_000) for number in range(start, start + count)])
    return pa.table({"id": ids, "at": at} | {name: drawn.standard_normal(count) for name in NAMES})
