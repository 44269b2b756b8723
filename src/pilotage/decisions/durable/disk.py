"""The file calls that make bytes and names durable, as the spool makes them."""

from __future__ import annotations

import fcntl
import io
import os
from pathlib import Path
from typing import Protocol

from pilotage.platform.synced import sync


class Disk(Protocol):
    """What the spool asks of a disk; tests hand in one that loses what was not synced, or that fails.

    Raises:
        OSError: from every call, as the operating system says it.
    """

    def create(self, path: Path) -> io.FileIO:
        """A new file, open for writing and locked by this process."""

    def write(self, file: io.FileIO, content: bytes) -> None:
        """Append all of the content; nothing says yet that it will outlive a crash."""

    def sync(self, file: io.FileIO) -> None:
        """Make the file's content outlive a crash."""

    def truncate(self, file: io.FileIO, size: int) -> None:
        """Cut the file to so many bytes."""

    def rename(self, old: Path, new: Path) -> None:
        """Give a file another name in its folder."""

    def remove(self, path: Path) -> None:
        """Take a name away; one that is gone already is left so."""

    def sync_folder(self, folder: Path) -> None:
        """Make the names in a folder outlive a crash."""


class SystemDisk:
    """The operating system's file calls."""

    def create(self, path: Path) -> io.FileIO:
        file = io.FileIO(path, "xb")
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return file

    def write(self, file: io.FileIO, content: bytes) -> None:
        left = memoryview(content)
        while left:  # a disk that fills takes a part first, and refuses the rest
            left = left[file.write(left) :]

    def sync(self, file: io.FileIO) -> None:
        os.fsync(file.fileno())

    def truncate(self, file: io.FileIO, size: int) -> None:
        file.truncate(size)

    def rename(self, old: Path, new: Path) -> None:
        old.rename(new)

    def remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def sync_folder(self, folder: Path) -> None:
        sync(folder)
