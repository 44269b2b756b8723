"""The files of a job: its questions, and the parts of its result. Parts are whole or not there."""

from __future__ import annotations

import csv
import io
import math
import os
import shutil
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from pilotage.decisions.jobs.records import BatchJob, Format
from pilotage.decisions.records import Answer
from pilotage.platform.synced import sync
from pilotage.platform.workspace import Workspace

_COUNTED = "rows"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would compute."""
GROUP_ROWS = 50_000
"""Rows of a row group of Parquet: so many are held in memory at once, whatever the result's length."""

COLUMNS = pa.schema(
    [
        ("row", pa.int64()),
        ("status", pa.int32()),
        ("problem", pa.string()),
        ("id", pa.string()),
        ("entity", pa.string()),
        ("action", pa.string()),
        ("positive", pa.bool_()),
        ("answer", pa.string()),
        ("probability", pa.float64()),
        ("confidence", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("review", pa.bool_()),
        ("produced_by", pa.string()),
        ("reason", pa.string()),
        ("stage", pa.string()),
    ]
)


class JobRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one row of a job, counted from 1: its answer, or the problem that it has."""

    row: int
    status: int
    answer: Answer | None = None
    problem: str = ""


_decode_row = msgspec.json.Decoder(JobRow).decode


def folder_of(work: Workspace, job_id: str) -> Path:
    """Where a job's files lie; replicas that take over each other's jobs share the home directory."""
    return work.home / "jobs" / job_id


def questions_of(work: Workspace, job: BatchJob) -> Path:
    """What was uploaded, or read from its source."""
    return folder_of(work, job.id) / f"questions.{job.format}"


def note_rows(work: Workspace, job: BatchJob, rows: int) -> None:
    """Keep how many rows the questions have."""
    folder = folder_of(work, job.id)
    unseen = folder / f".{_COUNTED}.{job.lease}.new"
    unseen.write_text(str(rows))
    unseen.rename(folder / _COUNTED)


def noted_rows(work: Workspace, job: BatchJob) -> int | None:
    """How many rows the questions have; None where nobody has counted them, or the files are elsewhere or gone."""
    try:
        return int((folder_of(work, job.id) / _COUNTED).read_text())
    except (FileNotFoundError, ValueError):  # it is not synced: a power cut may leave it empty
        return None


def keep_upload(path: Path) -> None:
    """Make questions durable before somebody is told that they were taken in."""
    for each in (path, path.parent, path.parent.parent):
        sync(each)


def kept_rows(work: Workspace, job: BatchJob) -> int:
    """How many rows the parts of the result have on this machine."""
    return sum(part.read_bytes().count(b"\n") for part in _parts(work, job))


def write_part(work: Workspace, job: BatchJob, rows: Sequence[JobRow]) -> None:
    """Keep a part of the result, named by its first row: one that is there already is replaced by the same."""
    folder = folder_of(work, job.id)
    path = folder / f"part-{rows[0].row:012d}.jsonl"
    unseen = folder / f".{path.name}.{job.lease}.new"
    with unseen.open("wb") as file:
        file.writelines(msgspec.json.encode(row) + b"\n" for row in rows)
        file.flush()
        os.fsync(file.fileno())
    unseen.rename(path)
    sync(folder)


def remove(work: Workspace, job_id: str) -> None:
    """All files of a job."""
    shutil.rmtree(folder_of(work, job_id), ignore_errors=True)


def untouched_since(work: Workspace, before: datetime) -> set[str]:
    """Names of the folders in which nothing was written since."""
    folder = work.home / "jobs"
    if not folder.is_dir():
        return set()
    return {each.name for each in folder.iterdir() if each.is_dir() and _touched_at(each) < before.timestamp()}


def _touched_at(folder: Path) -> float:
    """When something was last written there, in seconds since 1970; what goes meanwhile is as good as new."""
    try:
        return float(max(each.stat().st_mtime for each in (folder, *folder.iterdir())))
    except FileNotFoundError:
        return math.inf


def result(work: Workspace, job: BatchJob, wanted: Format) -> Iterator[bytes]:
    """The result, in pieces: JSON lines with whole answers, or a table of what answers of all kinds have."""
    parts = _parts(work, job)
    if wanted == "jsonl":
        return (part.read_bytes() for part in parts)
    return _as_csv(parts) if wanted == "csv" else _as_parquet(parts)


def answered(work: Workspace, job: BatchJob) -> Iterator[list[dict[str, Any]]]:
    """The rows of the result that have a decision, part by part, by the names of :data:`COLUMNS`."""
    for part in _parts(work, job):
        yield [row for row in _table_rows(part) if row["id"] is not None]


def _parts(work: Workspace, job: BatchJob) -> list[Path]:
    return sorted(folder_of(work, job.id).glob("part-*.jsonl"))


def _as_csv(parts: Sequence[Path]) -> Iterator[bytes]:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS.names)
    yield _taken(text)
    for part in parts:
        for row in _table_rows(part):
            writer.writerow(_cell(row[name]) for name in COLUMNS.names)
        yield _taken(text)


class _Passing(io.RawIOBase):
    """A file that keeps nothing: what is written is handed on as soon as it is asked for."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        self._waiting.append(bytes(piece))
        return len(self._waiting[-1])

    def taken(self) -> bytes:
        found = b"".join(self._waiting)
        self._waiting.clear()
        return found


def _as_parquet(parts: Sequence[Path]) -> Iterator[bytes]:
    passing = _Passing()
    with pq.ParquetWriter(passing, COLUMNS) as writer:
        for group in _groups(parts):
            writer.write_table(group, row_group_size=GROUP_ROWS)
            yield passing.taken()
    yield passing.taken()


def _groups(parts: Sequence[Path]) -> Iterator[pa.Table]:
    """Tables of at least :data:`GROUP_ROWS` rows each, and what is left."""
    tables: list[pa.Table] = []
    for part in parts:
        tables.append(pa.Table.from_pylist(list(_table_rows(part)), COLUMNS))
        if sum(table.num_rows for table in tables) >= GROUP_ROWS:
            yield pa.concat_tables(tables)
            tables = []
    if tables:
        yield pa.concat_tables(tables)


def _table_rows(part: Path) -> Iterator[dict[str, Any]]:
    for line in part.read_bytes().splitlines():
        row = _decode_row(line)
        said = row.answer
        found: dict[str, Any] = {name: getattr(said, name, None) for name in COLUMNS.names}
        answer = found["answer"]
        found["answer"] = None if answer is None else str(answer)
        yield found | {"row": row.row, "status": row.status, "problem": row.problem or None}


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FORMULA) and not _is_number(value):
        return f"'{value}"
    return "" if value is None else value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _taken(text: io.StringIO) -> bytes:
    found = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return found
