"""The spool: decisions are made durable here, in a local append-only file, before they are answered.

Many waiting decisions share one ``fsync`` (group commit). Segments that were closed are drained in bulk into the
ledger and removed. What was not acknowledged is taken back, as far as the disk lets us: a record whose commit comes
too late is withdrawn before its write begins, or its bytes are cut off again.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from io import FileIO
from pathlib import Path
from typing import Generic, TypeVar

import structlog
from msgspec import Struct

from pilotage.decisions.durable.disk import Disk, SystemDisk
from pilotage.decisions.durable.segments import SUFFIX, UNSEEN, framed, opening, segments

SEGMENT_BYTES_MAX = 4 * 1024 * 1024
"""A segment that is larger is closed: it is drained as a whole, in memory."""

log = structlog.get_logger()

Waiting = TypeVar("Waiting")
"""Whatever stands for one who waits until a record is durable."""


class SpoolClosed(OSError):
    """The spool does not take this record: it is full, its disk hangs, or an earlier sync of its disk failed."""


class SyncFailed(OSError):
    """The disk did not confirm what was written: what it holds now, nobody knows."""


class Tally(Struct, frozen=True):
    """What one writer did so far: records acknowledged as durable, and records declared lost."""

    stream: str
    recorded: int
    lost: int


class _Batch(Generic[Waiting]):
    """The records of one commit, from when its write begins. All of them share one fate."""

    def __init__(self, records: list[tuple[bytes, Waiting]]) -> None:
        self.content = b"".join(framed(content) for content, _ in records)
        self.waiting = [waiting for _, waiting in records]
        self.begun_at = time.monotonic()
        self.given_up = False
        self.is_counted = False
        self.is_durable = False


class Spool(Generic[Waiting]):
    """One process's writer. ``append`` returns at once; ``committed`` is told, once per commit and from the thread that
    knows it first, who waited for it and what went wrong, if anything.
    """

    def __init__(
        self,
        folder: Path,
        bytes_max: int,
        committed: Callable[[Sequence[Waiting], OSError | None], None],
        disk: Disk | None = None,
    ) -> None:
        self.folder = folder
        self.stream = f"{os.getpid():010d}-{secrets.token_hex(8)}"
        self.disk = disk or SystemDisk()
        self._bytes_max = bytes_max
        self._committed = committed
        self._waiting: list[tuple[bytes, Waiting]] = []
        self._waiting_bytes = 0
        self._writing: _Batch[Waiting] | None = None
        self._recorded = 0
        self._lost = 0
        self._wake = threading.Condition()
        self._file_lock = threading.Lock()
        self._file: FileIO | None = None
        self._path: Path | None = None
        self._file_bytes = 0  # of the present segment, as far as acknowledged
        self._file_end = 0  # where the batch ends that is being written
        self._sequence = 0
        self._failed = False
        self._stopping = False
        folder.mkdir(parents=True, exist_ok=True)
        self._closed_bytes = self.measure()
        self._thread = threading.Thread(target=self._commit_forever, name="spool", daemon=True)
        self._thread.start()

    @property
    def has_failed(self) -> bool:
        """Whether a sync failed: then nothing is acknowledged any more in this process."""
        return self._failed

    @property
    def refusal(self) -> str:
        """Why not even a small record would be taken now; empty where it would."""
        return self._why_not(1)

    @property
    def bytes_used(self) -> int:
        """Bytes of all segments in the folder, as last looked."""
        return self._file_bytes + self._closed_bytes

    def tally(self) -> Tally:
        """What became of all records that were handed over, without those that still wait."""
        with self._wake:
            return Tally(self.stream, self._recorded, self._lost)

    def append(self, content: bytes, waiting: Waiting) -> OSError | None:
        """Queue a record for the next commit; why it is not taken, and then nobody is told of it."""
        refused = self.append_all([(content, waiting)])
        return refused[0][1] if refused else None

    def append_all(self, records: Sequence[tuple[bytes, Waiting]]) -> list[tuple[Waiting, OSError]]:
        """Queue records for the next commit; who waits for one that is not taken, and why not."""
        refused: list[tuple[Waiting, OSError]] = []
        with self._wake:
            was_idle = not self._waiting
            for record in records:
                size = len(record[0])
                why_not = self._why_not(size)
                if why_not:
                    self._lost += 1
                    refused.append((record[1], SpoolClosed(why_not)))
                else:
                    self._waiting.append(record)
                    self._waiting_bytes += size
            if was_idle and self._waiting:
                self._wake.notify()
        return refused

    def withdraw(self, waiting: Waiting) -> bool:
        """Take a record back before its write begins: it will not become durable. False where that has begun."""
        with self._wake:
            for position, (content, each) in enumerate(self._waiting):
                if each is waiting:
                    del self._waiting[position]
                    self._waiting_bytes -= len(content)
                    self._lost += 1
                    return True
        return False

    def written_for(self) -> float:
        """Seconds since the write began that is under way; 0 where there is none."""
        writing = self._writing
        return 0.0 if writing is None else time.monotonic() - writing.begun_at

    def give_up(self, waiting: Waiting) -> None:
        """Declare a commit lost that hangs, for all that wait for it. When its write ends after all, it is cut off.

        Does nothing where this record's commit is over, or is durable: then its waiter is being told already. Where it
        failed, and what hangs is that it is cut off, it is counted as lost already.
        """
        with self._wake:
            writing = self._writing
            if writing is None or writing.given_up or not any(each is waiting for each in writing.waiting):
                return
            if writing.is_durable:
                return
            writing.given_up = True
            if not writing.is_counted:
                self._lost += len(writing.waiting)
        self._committed(writing.waiting, SpoolClosed("the disk hangs"))

    def closed(self) -> list[Path]:
        """All segments but the present one, also of dead processes, oldest first."""
        return [path for path in segments(self.folder) if path != self._path]

    def take_closed(self) -> list[Path]:
        """Close the present segment if it holds anything; then all closed ones."""
        with self._file_lock:
            self._close_file()
        self.measure()
        return self.closed()

    def measure(self) -> int:
        """Look how many bytes closed segments take, whoever wrote them."""
        self._closed_bytes = sum(_size(path) for path in self.closed())
        return self._closed_bytes

    def can_sync(self) -> bool:
        """Whether the disk makes a new file durable now: tried with one that is removed again."""
        path = self.folder / f"{self.stream}-probe{UNSEEN}"
        try:
            with self.disk.create(path) as file:
                self.disk.write(file, opening(0, 0))
                self.disk.sync(file)
            self.disk.sync_folder(self.folder)
        except OSError:
            return False
        finally:
            with contextlib.suppress(OSError):
                self.disk.remove(path)
        return True

    def close(self) -> None:
        """Commit what waits, then stop."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join(timeout=10)
        if self._thread.is_alive():
            return  # its disk hangs: the process's end closes the file
        with self._file_lock:
            self._close_file()

    def _why_not(self, size: int) -> str:
        if self._failed or self._stopping:
            return "the spool takes no more records until a restart"
        if self._writing is not None and self._writing.given_up:
            return "the disk hangs"
        if self._file_bytes + self._closed_bytes + self._waiting_bytes + size > self._bytes_max:
            return "the spool is full"
        return ""

    def _commit_forever(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._waiting or self._stopping)
                if not self._waiting:
                    return
                batch = self._writing = _Batch(self._waiting)
                self._waiting, self._waiting_bytes = [], 0
            error = self._commit(batch)
            with self._wake:
                self._writing = None
            if not batch.given_up:
                self._committed(batch.waiting, error)

    def _commit(self, batch: _Batch[Waiting]) -> OSError | None:
        """Write and sync a batch; what is not acknowledged is cut off again. After a failed sync nothing more is taken:
        a repeated one calls lost data safe.
        """
        with self._file_lock:
            error = self._written(batch.content)
            if self._is_acknowledged(batch, error):
                self._file_bytes = self._file_end
                if self._file_bytes > SEGMENT_BYTES_MAX:
                    self._close_file()
            else:
                self._take_back()
        return error

    def _written(self, content: bytes) -> OSError | None:
        if self._failed:
            return SpoolClosed("an earlier sync failed")
        try:
            file = self._file or self._open_next()
            if not self._file_bytes:
                content = opening(self._recorded, self._lost) + content
            self._file_end = self._file_bytes + len(content)
            self.disk.write(file, content)
            self._sync(file)
        except SyncFailed as error:
            self._failed = True
            log.error("spool_sync_failed", folder=str(self.folder), error=str(error))
            return error
        except OSError as error:  # such as a full disk: nothing was promised of it, and the next write may fit
            return error
        return None

    def _is_acknowledged(self, batch: _Batch[Waiting], error: OSError | None) -> bool:
        """Settle the batch's fate, and count it, before anybody can be told."""
        with self._wake:
            if batch.given_up:
                return False
            batch.is_counted, batch.is_durable = True, error is None
            if error is None:
                self._recorded += len(batch.waiting)
            else:
                self._lost += len(batch.waiting)
            return error is None

    def _take_back(self) -> None:
        """Cut off what was not acknowledged; what comes next goes into a new segment. Where that cannot be done either,
        nothing more is taken.
        """
        if self._file is None or self._path is None:
            return
        try:
            if self._file_bytes:
                self.disk.truncate(self._file, self._file_bytes)
                self._sync(self._file)
            else:
                self.disk.remove(self._path)
                self.disk.sync_folder(self.folder)
        except OSError as error:
            self._failed = True
            log.error("spool_not_cut", segment=self._path.name, error=str(error))
        self._forget_file()

    def _close_file(self) -> None:
        if self._file_bytes:
            self._forget_file()

    def _forget_file(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file, self._path, self._file_bytes = None, None, 0

    def _open_next(self) -> FileIO:
        """A new segment: locked before anybody can see it under its name, and its name durable before it is used."""
        self._sequence += 1
        path = self.folder / f"{self.stream}-{self._sequence:08d}{SUFFIX}"
        unseen = path.with_suffix(UNSEEN)
        self._file, self._path = self.disk.create(unseen), unseen
        self.disk.rename(unseen, path)
        self._path = path
        try:
            self.disk.sync_folder(self.folder)
        except OSError as error:
            raise SyncFailed(f"the folder was not synced: {error}") from error
        return self._file

    def _sync(self, file: FileIO) -> None:
        try:
            self.disk.sync(file)
        except OSError as error:
            raise SyncFailed(str(error)) from error


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
