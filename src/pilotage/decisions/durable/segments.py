"""A segment of the spool: how its bytes lie in the file, and who may touch it.

It opens with a name and a version of the format, then how many records its writer had made durable and how many it had
declared lost before it; a CRC-32 closes the opening. A record is its length, its CRC-32 and its bytes. Whatever follows
the last whole record was never acknowledged. A segment is locked by the process that writes it, so that those of a
dead process can be told apart.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import socket
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct

SUFFIX = ".spool"
UNSEEN = ".new"
"""Of a segment that was made and has no record yet."""
UNREADABLE = ".unreadable"

_MAGIC = b"PLSPOOL"
_VERSION = 1
_OPENING = struct.Struct("<7sBQQ")
_CHECK = struct.Struct("<I")
_HEAD = struct.Struct("<II")
OPENING_BYTES = _OPENING.size + _CHECK.size


class Segment(Struct, frozen=True):
    """What a segment holds. ``before`` and ``lost``: records that its writer had made durable, and declared lost,
    before it. ``torn_bytes`` follow the last whole record. ``is_damaged``: among them are whole records again, so that
    more than a torn tail may be at fault.
    """

    before: int
    lost: int
    records: tuple[bytes, ...]
    torn_bytes: int
    is_damaged: bool = False


class NewerSegment(Exception):
    """The segment has a format that only a newer release of Pilotage reads; it is left as it is."""


class DamagedSegment(Exception):
    """The file is no segment, or its opening is damaged."""


def opening(before: int, lost: int) -> bytes:
    """The first bytes of a segment."""
    content = _OPENING.pack(_MAGIC, _VERSION, before, lost)
    return content + _CHECK.pack(zlib.crc32(content))


def framed(content: bytes) -> bytes:
    """A record as it lies in a segment."""
    return _HEAD.pack(len(content), zlib.crc32(content)) + content


def parse(content: bytes) -> Segment:
    """Read the whole records of a segment, in order; a torn or damaged tail ends them.

    Raises:
        NewerSegment: its format is of a newer release.
        DamagedSegment: it does not open as a segment does.
    """
    begun = (_MAGIC + bytes([_VERSION])).startswith(content[:8])
    if not content.strip(b"\0") or (begun and len(content) < OPENING_BYTES):
        return Segment(0, 0, (), len(content))  # a crash came before its first sync: nobody was told of a record
    if content[:7] != _MAGIC:
        raise DamagedSegment("it does not begin as a segment does")
    if content[7] > _VERSION:
        raise NewerSegment(f"its format is version {content[7]}; this release reads up to {_VERSION}")
    if len(content) < OPENING_BYTES or _CHECK.unpack_from(content, _OPENING.size)[0] != zlib.crc32(
        content[: _OPENING.size]
    ):
        raise DamagedSegment("its opening is damaged")
    _, _, before, lost = _OPENING.unpack_from(content)
    found = tuple(_records(content))
    whole = OPENING_BYTES + sum(_HEAD.size + len(record) for record in found)
    torn = len(content[whole:].rstrip(b"\0"))
    view = memoryview(content)
    is_damaged = any(_end_of(view, start) for start in range(whole + 1, whole + torn))
    return Segment(before, lost, found, torn, is_damaged)


def _records(segment: bytes) -> Iterator[bytes]:
    view, position = memoryview(segment), OPENING_BYTES
    while end := _end_of(view, position):
        yield segment[position + _HEAD.size : end]
        position = end


def _end_of(view: memoryview, position: int) -> int:
    """Where the whole record ends that begins here; 0 where none does. No byte is read before there are enough."""
    begin = position + _HEAD.size
    if begin > len(view):
        return 0
    length, checksum = _HEAD.unpack_from(view, position)
    if not length or begin + length > len(view):  # a file system may leave zeros where nothing was written yet
        return 0
    return begin + length if zlib.crc32(view[begin : begin + length]) == checksum else 0


def stream_of(path: Path) -> str:
    """The writer of a segment, by its file's name: one life of one process."""
    return path.stem.rpartition("-")[0]


def name_of(folder: Path) -> str:
    """A short name of a spool folder that no folder of another machine has."""
    return hashlib.sha256(f"{socket.gethostname()}:{folder.resolve()}".encode()).hexdigest()[:16]


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
