"""A large result is handed on in row groups: what is held in memory does not grow with it."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest

from pilotage.decisions.jobs import files
from pilotage.decisions.jobs.files import JobRow
from pilotage.decisions.jobs.records import BatchJob
from pilotage.decisions.records import Answer
from pilotage.platform.workspace import Workspace

ROWS = 300_000
PART_ROWS = 1_000
GROWTH_MB_MAX = 150
ANSWER = Answer(
    id="dec_0",
    use_case="small",
    entity="thing",
    action="Leave it",
    positive=False,
    produced_by="rule",
    reason="shadow",
    because="",
    stage="shadow",
)


@pytest.fixture
def job(work: Workspace) -> BatchJob:
    """A job of 300,000 rows whose parts lie there: copies of one, renamed."""
    made = BatchJob("job_large", "small", "key", "key", "parquet", "done", work.clock.now(), b"")
    folder = files.folder_of(work, made.id)
    folder.mkdir(parents=True)
    lines = b"".join(msgspec.json.encode(JobRow(row + 1, 200, ANSWER)) + b"\n" for row in range(PART_ROWS))
    for number in range(ROWS // PART_ROWS):
        (folder / f"part-{number * PART_ROWS + 1:012d}.jsonl").write_bytes(lines)
    return made


def counted(pieces: Iterator[bytes], path: Path) -> int:
    """How many pieces came; they are in the file then."""
    with path.open("wb") as file:
        return sum(bool(file.write(piece)) for piece in pieces)


def test_parquet_comes_in_row_groups_of_bounded_size(work: Workspace, job: BatchJob, tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    pieces = counted(files.result(work, job, "parquet"), tmp_path / "result.parquet")
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    found = pq.ParquetFile(tmp_path / "result.parquet").metadata
    groups = [found.row_group(number).num_rows for number in range(found.num_row_groups)]
    assert (found.num_rows, groups) == (ROWS, [files.GROUP_ROWS] * (ROWS // files.GROUP_ROWS))
    assert pieces >= len(groups)
    assert grown_mb < GROWTH_MB_MAX
    print(f"{ROWS:,} rows in {len(groups)} row groups, peak memory grew by {grown_mb:.0f} MB")
