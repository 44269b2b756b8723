"""The files of a job: what was uploaded, and the parts of its result. Parts are whole or not there."""

from __future__ import annotations

import csv
import io
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from pilotage.decisions.jobs.records import BatchJob, Format
from pilotage.decisions.records import Answer
from pilotage.platform.workspace import Workspace

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would compute."""

_COLUMNS = pa.schema(
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


def upload_of(work: Workspace, job: BatchJob) -> Path:
    """What was uploaded."""
    return folder_of(work, job.id) / f"questions.{job.format}"


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


def remove(work: Workspace, job_id: str) -> None:
    """All files of a job."""
    shutil.rmtree(folder_of(work, job_id), ignore_errors=True)


def result(work: Workspace, job: BatchJob, wanted: Format) -> Iterator[bytes]:
    """The result, in pieces: JSON lines with whole answers, or a table of what answers of all kinds have."""
    parts = sorted(folder_of(work, job.id).glob("part-*.jsonl"))
    if wanted == "jsonl":
        return (part.read_bytes() for part in parts)
    return _as_csv(parts) if wanted == "csv" else _as_parquet(parts)


def _as_csv(parts: Sequence[Path]) -> Iterator[bytes]:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS.names)
    yield _taken(text)
    for part in parts:
        for row in _table_rows(part):
            writer.writerow(_cell(row[name]) for name in _COLUMNS.names)
        yield _taken(text)


def _as_parquet(parts: Sequence[Path]) -> Iterator[bytes]:
    buffer = io.BytesIO()
    with pq.ParquetWriter(buffer, _COLUMNS) as writer:
        for part in parts:
            writer.write_table(pa.Table.from_pylist(list(_table_rows(part)), _COLUMNS))
    yield buffer.getvalue()


def _table_rows(part: Path) -> Iterator[dict[str, Any]]:
    for line in part.read_bytes().splitlines():
        row = _decode_row(line)
        said = {} if row.answer is None else msgspec.structs.asdict(row.answer)
        found: dict[str, Any] = {name: said.get(name) for name in _COLUMNS.names}
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
