"""The lake: immutable files, named by the SHA-256 of their bytes, in the installation's home directory."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pilotage.platform.errors import CorruptArtefact, NotFound

_CHUNK_BYTES = 1 << 20


class Lake:
    """Content-addressed files under one directory. What is stored is never changed."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, digest: str, suffix: str) -> Path:
        """Where the file with this digest lies, whether or not it is there."""
        return self.root / digest[:2] / f"{digest}{suffix}"

    @contextmanager
    def writing(self) -> Iterator[Path]:
        """A path to write a new file to; hand it to :meth:`keep`. What was not kept is removed."""
        self.root.mkdir(parents=True, exist_ok=True)
        path = self.root / f".{secrets.token_hex(8)}.tmp"
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

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


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, hexadecimal, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
