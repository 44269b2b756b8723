"""The lake: immutable files, named by the SHA-256 of their bytes, in the installation's home directory."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pilotage.platform.errors import CorruptArtefact, NotFound, StorageFull
from pilotage.platform.processes import has_died, this_process

_CHUNK_BYTES = 1 << 20
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_FOREIGN_AGE = timedelta(days=1)  # after which what another machine left half-written is taken as given up


class Lake:
    """Content-addressed files under one directory. What is stored is never changed."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, digest: str, suffix: str) -> Path:
        """Where the file with this digest lies, whether or not it is there."""
        return self.root / digest[:2] / f"{digest}{suffix}"

    @property
    def spill(self) -> Path:
        """Where engines put what does not fit into memory."""
        return self.root / ".spill"

    @contextmanager
    def writing(self) -> Iterator[Path]:
        """A path to write a new file to; hand it to :meth:`keep`. What was not kept is removed.

        Raises:
            StorageFull: the disk is full.
        """
        path = self.root / f".{this_process()}.{secrets.token_hex(4)}.tmp"
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            yield path
        except OSError as error:
            if error.errno in _FULL:
                raise StorageFull.at(self.root) from None
            raise
        finally:
            path.unlink(missing_ok=True)

    def sweep(self, now: datetime) -> int:
        """Remove what dead processes left half-written or spilled; how many files and directories."""
        left = [*self.root.glob(".*.tmp"), *self.spill.glob("*")]
        given_up = [path for path in left if _is_given_up(path, now)]
        for path in given_up:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        return len(given_up)

    def keep(self, written: Path, suffix: str) -> tuple[str, Path]:
        """Take a written file into the lake: its digest and its place. The same bytes are kept once."""
        digest = sha256_of(written)
        place = self.path(digest, suffix)
        place.parent.mkdir(parents=True, exist_ok=True)
        with written.open("rb") as file:
            os.fsync(file.fileno())
        written.replace(place)
        return digest, place

    def put(self, content: bytes, suffix: str) -> str:
        """Store bytes; their digest."""
        with self.writing() as path:
            path.write_bytes(content)
            return self.keep(path, suffix)[0]

    def read(self, digest: str, suffix: str) -> bytes:
        """The bytes with this digest, checked.

        Raises:
            NotFound: they are not in this lake.
            CorruptArtefact: the file is there and its bytes are others.
        """
        path = self.path(digest, suffix)
        if not path.exists():
            raise NotFound(f"{digest[:12]}…{suffix} is not in the lake.", f"It was expected at {path}.")
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != digest:
            raise CorruptArtefact(f"{path} was changed after it was written.", "Restore it from a backup.")
        return content


def _is_given_up(path: Path, now: datetime) -> bool:
    writer = path.name.removeprefix(".").partition(".")[0]
    if writer.partition("-")[0] == this_process().partition("-")[0]:
        return has_died(writer)
    try:
        return datetime.fromtimestamp(path.stat().st_mtime, UTC) < now - _FOREIGN_AGE
    except FileNotFoundError:
        return False


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, hexadecimal, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
