"""The nouns of batch jobs."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

Format = Literal["jsonl", "csv", "parquet"]
State = Literal["waiting", "running", "done", "failed", "cancelled"]
FINISHED: frozenset[State] = frozenset({"done", "failed", "cancelled"})


class BatchJob(Struct, frozen=True):
    """A file of questions on its way. ``seed`` is what the identifiers of its decisions follow from, by row."""

    id: str
    use_case: str
    caller: str
    caller_name: str
    format: Format
    state: State
    rows_done: int
    rows_refused: int
    made_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: str
    seed: bytes
    lease: int
