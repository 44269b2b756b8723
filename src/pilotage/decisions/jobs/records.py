"""The nouns of batch jobs."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

Format = Literal["jsonl", "csv", "parquet"]
State = Literal["waiting", "running", "done", "failed", "cancelled"]
FINISHED: frozenset[State] = frozenset({"done", "failed", "cancelled"})


class Asked(Struct, frozen=True):
    """What a job is asked for: an upload of a format, or a source of the use case's file; and where results go too.

    ``known_since`` and ``known_until`` bound a source's rows by its ``known_at``, both included. ``target`` is one of
    ``batch.targets`` of the file, empty where results are only fetched.
    """

    format: Format = "parquet"
    source: str = ""
    known_since: datetime | None = None
    known_until: datetime | None = None
    target: str = ""


class BatchJob(Struct, frozen=True):
    """Questions on their way. ``seed`` is what the identifiers of its decisions follow from, by row.

    ``rows_refused`` do not fit the contract and have no decision; of ``rows_failed`` the model was asked in vain;
    ``rows_written`` are in the target. Once its source was ``fetched``, the questions lie on one host or on one shared
    disk, and are asked from there.
    """

    id: str
    use_case: str
    caller: str
    caller_name: str
    format: Format
    state: State
    made_at: datetime
    seed: bytes
    source: str = ""
    known_since: datetime | None = None
    known_until: datetime | None = None
    target: str = ""
    rows_done: int = 0
    rows_refused: int = 0
    rows_failed: int = 0
    rows_written: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: str = ""
    lease: int = 0
    fetched: bool = False

    @property
    def has_ended(self) -> bool:
        return self.state in FINISHED
