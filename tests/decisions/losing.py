"""A disk that loses what was not synced, tears it, and forgets names; and those who wait for a spool's word."""

from __future__ import annotations

import errno
import io
import os
import random
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pilotage.decisions.durable.disk import SystemDisk
from pilotage.decisions.durable.segments import UNREADABLE
from pilotage.decisions.durable.spool import Spool

HERE = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
"""For a child that imports what these tests import."""
SECTOR = 16
"""What is written whole or not at all. Real ones are larger; smaller ones tear more."""


class PowerCut(BaseException):
    """The machine is gone: no code of ours catches this."""


class _Inode:
    """What a file holds for those who read it now, and what a crash would leave of it for certain."""

    def __init__(self) -> None:
        self.current = bytearray()
        self.synced = b""
        self.dropped_from: int | None = None  # a failed sync drops pages: a later one calls them safe


class LosingDisk(SystemDisk):
    """Works on a real folder and keeps book of what was synced. At call number ``cut_at`` the power goes.

    Names follow the folder's own sync: a new file, a rename and a removal are each lost or kept by themselves. With
    ``faults``, that share of calls to write and sync fails as a disk's does: full, with a part written; or not synced,
    and then those bytes are lost whatever a later sync says.
    """

    def __init__(self, folder: Path, chance: random.Random, cut_at: int, faults: float = 0.0) -> None:
        self._folder = folder
        self._chance = chance
        self._left = cut_at
        self._faults = faults
        self._lock = threading.RLock()
        self._files: dict[io.FileIO, _Inode] = {}
        self._names: dict[str, _Inode] = {}
        self._synced_names: dict[str, _Inode] = {}
        self._renamed: list[tuple[str | None, str | None, _Inode]] = []  # from, to; since the folder's last sync
        self.is_dead = threading.Event()
        for path in folder.iterdir():
            inode = self._names[path.name] = self._synced_names[path.name] = _Inode()
            inode.synced = path.read_bytes()
            inode.current = bytearray(inode.synced)

    def create(self, path: Path) -> io.FileIO:
        with self._alive():
            file = super().create(path)
            inode = self._files[file] = self._names[path.name] = _Inode()
            self._renamed.append((None, path.name, inode))
            return file

    def write(self, file: io.FileIO, content: bytes) -> None:
        with self._lock:
            written, inode = content, self._files[file]
            is_full = self._chance.random() < self._faults
            if is_full or self._is_last():
                written = content[: self._chance.randrange(len(content) + 1)]
            inode.current += written
            super().write(file, written)
            with self._alive():
                if is_full:
                    raise OSError(errno.ENOSPC, "no space left")

    def sync(self, file: io.FileIO) -> None:
        with self._alive():
            inode = self._files[file]
            if self._chance.random() < self._faults:
                inode.dropped_from = len(inode.synced)
                raise OSError(errno.EIO, "the device is gone")
            whole = bytes(inode.current)
            kept = len(whole) if inode.dropped_from is None else min(inode.dropped_from, len(whole))
            inode.synced = whole[:kept] + bytes(len(whole) - kept)

    def truncate(self, file: io.FileIO, size: int) -> None:
        with self._alive():
            del self._files[file].current[size:]
            super().truncate(file, size)

    def rename(self, old: Path, new: Path) -> None:
        with self._alive():
            inode = self._names[new.name] = self._names.pop(old.name)
            self._renamed.append((old.name, new.name, inode))
            super().rename(old, new)

    def remove(self, path: Path) -> None:
        with self._alive():
            inode = self._names.pop(path.name, None)
            if inode is not None:
                self._renamed.append((path.name, None, inode))
            super().remove(path)

    def sync_folder(self, folder: Path) -> None:
        with self._alive():
            if self._chance.random() < self._faults:
                raise OSError(errno.EIO, "the device is gone")
            self._synced_names = dict(self._names)
            self._renamed.clear()

    def crash(self) -> None:
        """Leave in the folder what a restart finds."""
        with self._lock:
            self.is_dead.set()
            names = dict(self._synced_names)
            for old, new, inode in self._renamed:
                if self._chance.random() < 0.5:
                    if old is not None:
                        names.pop(old, None)
                    if new is not None:
                        names[new] = inode
            for path in self._folder.iterdir():
                path.unlink()
            names = {name: inode for name, inode in names.items() if not name.endswith(UNREADABLE)}  # a person came
            for name, inode in names.items():
                (self._folder / name).write_bytes(self._torn(inode))

    def _torn(self, inode: _Inode) -> bytes:
        """Sector by sector what was synced, what was written since, or nothing; its length anywhere between."""
        synced, current = inode.synced, bytes(inode.current)
        ends = sorted((len(synced), len(current)))
        length = self._chance.randint(*ends)
        found = bytearray()
        for start in range(0, length, SECTOR):
            old, new = (each[start : start + SECTOR] for each in (synced, current))
            if old == new or (old and new.startswith(old) and self._chance.random() < 0.5):
                found += old.ljust(min(SECTOR, length - start), b"\0")
            else:
                found += (new if self._chance.random() < 0.7 else old).ljust(SECTOR, b"\0")[:SECTOR]
        return bytes(found[:length])

    def _is_last(self) -> bool:
        return self._left <= 1

    @contextmanager
    def _alive(self) -> Iterator[None]:
        """One call more, under the lock; the last one does not come back."""
        with self._lock:
            self._left -= 1
            if self.is_dead.is_set() or self._left <= 0:
                self.is_dead.set()
                raise PowerCut
            yield


Told = Callable[[OSError | None], None]


def call_all(waiting: Sequence[Told], error: OSError | None) -> None:
    for told in waiting:
        told(error)


class Waiter:
    """Collects what the spool said of each record."""

    def __init__(self) -> None:
        self.said: dict[bytes, OSError | None] = {}
        self.told: dict[bytes, Told] = {}
        self._changed = threading.Condition()

    def hand(self, spool: Spool[Told], content: bytes, name: bytes) -> None:
        """Give the spool a record, and keep what it says of it under this name."""

        def told(error: OSError | None) -> None:
            with self._changed:
                assert name not in self.said, "nobody is told twice"
                self.said[name] = error
                self._changed.notify_all()

        self.told[name] = told
        refused = spool.append(content, told)
        if refused is not None:
            told(refused)

    def wait_for(self, count: int, seconds: float = 10) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.said) >= count, timeout=seconds)

    @property
    def acknowledged(self) -> set[bytes]:
        return {content for content, error in self.said.items() if error is None}
