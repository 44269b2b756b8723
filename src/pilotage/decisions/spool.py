"""The spool: decisions are made durable here, in a local append-only file, before they are answered.

Many waiting decisions share one ``fsync`` (group commit). Segments that were closed are drained in bulk into the
ledger and removed. A record is its length, its CRC-32 and its bytes; whatever follows the last whole record of a
segment was never acknowledged. A segment is locked by the process that writes it, so that those of a dead process can
be told apart.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

_HEAD = struct.Struct("<II")
SUFFIX = ".spool"

Done = Callable[[OSError | None], None]


class SpoolClosed(OSError):
    """The spool takes no more records: it is full, or an earlier write to its disk failed."""


class Disk(Protocol):
    """The two calls that make bytes durable; tests hand in a disk that loses what was not synced."""

    def write(self, file: BinaryIO, content: bytes) -> None: ...

    def sync(self, file: BinaryIO) -> None: ...


class SystemDisk:
    """The operating system's file calls."""

    def write(self, file: BinaryIO, content: bytes) -> None:
        file.write(content)

    def sync(self, file: BinaryIO) -> None:
        os.fsync(file.fileno())


class Spool:
    """One process's writer: ``append`` returns at once, ``done`` is called when the record is durable or cannot be."""

    def __init__(self, folder: Path, bytes_max: int, disk: Disk | None = None) -> None:
        self.folder = folder
        self._bytes_max = bytes_max
        self._disk = disk or SystemDisk()
        self._waiting: list[tuple[bytes, Done]] = []
        self._waiting_bytes = 0
        self._wake = threading.Condition()
        self._file_lock = threading.Lock()
        self._file: BinaryIO | None = None
        self._path: Path | None = None
        self._file_bytes = 0
        self._sequence = 0
        self._failed = False
        self._stopping = False
        folder.mkdir(parents=True, exist_ok=True)
        self._closed_bytes = self.measure()
        self._thread = threading.Thread(target=self._commit_forever, name="spool", daemon=True)
        self._thread.start()

    def append(self, content: bytes, done: Done) -> None:
        """Queue a record for the next commit."""
        with self._wake:
            taken = self._file_bytes + self._closed_bytes + self._waiting_bytes
            full = taken + len(content) > self._bytes_max
            if not (full or self._failed or self._stopping):
                self._waiting.append((content, done))
                self._waiting_bytes += len(content)
                self._wake.notify()
                return
        done(SpoolClosed("the spool is full" if full else "the spool takes no more records until a restart"))

    def take_closed(self) -> list[Path]:
        """Close the present segment if it holds anything; all closed segments, also of dead processes, oldest first."""
        with self._file_lock:
            if self._file is not None and self._file_bytes:
                self._file.close()
                self._file, self._path, self._file_bytes = None, None, 0
            current = self._path
        self.measure()
        return [path for path in segments(self.folder) if path != current]

    def measure(self) -> int:
        """Look how many bytes closed segments take, whoever wrote them."""
        sizes = [_size(path) for path in segments(self.folder) if path != self._path]
        self._closed_bytes = sum(sizes)
        return self._closed_bytes

    def close(self) -> None:
        """Commit what waits, then stop."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join(timeout=10)
        with self._file_lock:
            if self._file is not None:
                self._file.close()
                self._file, self._path, self._file_bytes = None, None, 0

    def _commit_forever(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._waiting or self._stopping)
                batch, self._waiting, self._waiting_bytes = self._waiting, [], 0
            if not batch:
                return
            error = self._commit(batch)
            for _, done in batch:
                done(error)

    def _commit(self, batch: list[tuple[bytes, Done]]) -> OSError | None:
        """Write and sync a batch. After a failure nothing more is taken: a repeated fsync calls lost data safe."""
        if self._failed:
            return SpoolClosed("an earlier write failed")
        content = b"".join(framed(record) for record, _ in batch)
        try:
            with self._file_lock:
                file = self._file or self._open_next()
                self._disk.write(file, content)
                file.flush()
                self._disk.sync(file)
                self._file_bytes += len(content)
        except OSError as error:
            self._failed = True
            return error
        return None

    def _open_next(self) -> BinaryIO:
        """A new segment: locked before anybody can see it under its name."""
        self._sequence += 1
        path = self.folder / f"{os.getpid():010d}-{secrets.token_hex(4)}-{self._sequence:08d}{SUFFIX}"
        unseen = path.with_suffix(".new")
        file = unseen.open("xb")
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        unseen.rename(path)
        _sync_folder(self.folder)
        self._file, self._path = file, path
        return file


def framed(content: bytes) -> bytes:
    """A record as it lies in a segment."""
    return _HEAD.pack(len(content), zlib.crc32(content)) + content


def records(segment: bytes) -> Iterator[bytes]:
    """The whole records of a segment, in order; a torn or damaged tail ends it."""
    position = 0
    while position + _HEAD.size <= len(segment):
        length, checksum = _HEAD.unpack_from(segment, position)
        content = segment[position + _HEAD.size : position + _HEAD.size + length]
        if not length or len(content) < length or zlib.crc32(content) != checksum:
            return  # a file system may leave zeros where nothing was written yet
        yield content
        position += _HEAD.size + length


def segments(folder: Path) -> list[Path]:
    """All segments in a spool folder, oldest first; one that is drained meanwhile is left out."""
    found = []
    for path in folder.glob(f"*{SUFFIX}"):
        with contextlib.suppress(FileNotFoundError):
            found.append((path.stat().st_mtime_ns, path))
    return [path for _, path in sorted(found)]


@contextlib.contextmanager
def claimed(path: Path) -> Iterator[bytes | None]:
    """The bytes of a segment that nobody writes or drains, held so while they are used; None where somebody does."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        yield None
        return
    with file:
        yield file.read() if _is_ours(file, path) else None


def _is_ours(file: BinaryIO, path: Path) -> bool:
    """Take the lock, and see that the name still leads to the file that was locked."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except (BlockingIOError, FileNotFoundError):
        return False


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
