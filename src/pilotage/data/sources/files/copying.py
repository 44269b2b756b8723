"""Temporary copies: of files that lie elsewhere, are compressed or are not in UTF-8. Memory is bounded, disk is not."""

from __future__ import annotations

import errno
import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pilotage.data.sources.asked import Asked
from pilotage.data.sources.files.kinds import compression
from pilotage.data.sources.files.unreadable import Unreadable

CHUNK_BYTES = 1024 * 1024
_ZIPPED_BY = (0, 8, 12, 14)
"""Stored, deflated, by bzip2 and by LZMA."""


@contextmanager
def temporary_folder(asked: Asked) -> Iterator[Path]:
    """A folder that is removed with all it holds.

    Raises:
        SourceUnavailable: the disk is full.
    """
    with disk_full(asked), tempfile.TemporaryDirectory(prefix="pilotage-") as folder:
        yield Path(folder)


@contextmanager
def disk_full(asked: Asked) -> Iterator[None]:
    """Says in the terms of the source that the disk of temporary files is full."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise asked.failure(
            f"Source {asked.name}: the disk at {tempfile.gettempdir()} is full; a temporary copy needs room there.",
            "Make room, or point TMPDIR to a larger disk.",
        ) from None


def decompressed(place: Path, name: str, folder: Path, demand: Callable[[], None] = lambda: None) -> Path:
    """The file itself, or a copy without its compression; ``demand`` may stop it between two pieces.

    Raises:
        Unreadable: it is not compressed as its name says, or torn.
    """
    packed = compression(name)
    if not packed:
        return place
    target = folder / f"{hashlib.sha256(str(place).encode()).hexdigest()[:16]}.plain"
    try:
        with _opened(place, packed) as stream, target.open("wb") as copy:
            while chunk := stream.read(CHUNK_BYTES):
                copy.write(chunk)
                demand()
    except _torn_errors() as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise Unreadable(f"{name} is not what {packed} files are, or torn: {error}.", "Write it again.") from None
    return target


def watched(demand: Callable[[], None]) -> Any:
    """An fsspec callback that calls ``demand`` after each piece that was fetched."""
    from fsspec.callbacks import Callback

    class Watched(Callback):  # type: ignore[misc]
        def call(self, hook_name: Any = None, **kwargs: Any) -> None:
            demand()

    return Watched()


def _opened(place: Path, packed: str) -> Any:
    import bz2
    import gzip
    import lzma

    if packed == ".zip":
        return _only_member(place)
    if packed == ".zst":
        import pyarrow as pa

        return pa.CompressedInputStream(pa.OSFile(str(place)), "zstd")
    openers: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
    return openers[packed](place, "rb")


def _only_member(place: Path) -> Any:
    """The file in a ZIP archive; a few programs add files about files, which begin with a dot or ``__``."""
    import zipfile

    archive = zipfile.ZipFile(place)
    names = [one for one in archive.namelist() if not one.endswith("/") and not one.startswith(("__", "."))]
    if len(names) != 1:
        raise ValueError(f"it holds {len(names)} files, and one is wanted ({', '.join(names[:3]) or 'none'})")
    member = archive.getinfo(names[0])
    if member.flag_bits & 1 or member.compress_type not in _ZIPPED_BY:
        raise ValueError("it has a password, or is packed in a way of its own")
    return archive.open(names[0])


def _torn_errors() -> tuple[type[Exception], ...]:
    """What readers of compressed files raise; an ``OSError`` without number is theirs, not the disk's."""
    import lzma
    import zipfile
    import zlib

    return (EOFError, ValueError, OSError, lzma.LZMAError, zlib.error, zipfile.BadZipFile)
