"""Reading a file that somebody gave us: never through a link, never more than its limit."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pilotage.models.brought.refused import ModelRefused

MODEL_BYTES_MAX = 512 * 1024 * 1024


def read_given(path: Path, who: str, bytes_max: int = MODEL_BYTES_MAX) -> bytes:
    """The bytes of a regular file.

    Raises:
        ModelRefused: it does not exist, is a link or no regular file, cannot be read, is empty or too large.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise ModelRefused(f"{who}: there is no file {path}.", "Paths are relative to the use-case file.") from None
    except OSError as error:
        if path.is_symlink():
            raise ModelRefused(f"{who}: {path} is a symbolic link.", "Put the file itself there.") from None
        raise ModelRefused(f"{who}: {path} cannot be read: {error.strerror}.", "Check its rights.") from None
    about = os.fstat(file)
    if not stat.S_ISREG(about.st_mode):
        os.close(file)
        raise ModelRefused(f"{who}: {path} is not a regular file.", "Give the path of the model's file.")
    with os.fdopen(file, "rb") as opened:
        if about.st_size > bytes_max:
            raise _too_large(path, who, bytes_max)
        content = opened.read(bytes_max + 1)  # it may grow while it is read
    if len(content) > bytes_max:
        raise _too_large(path, who, bytes_max)
    if not content:
        raise ModelRefused(f"{who}: {path} is empty.", "Check that it was copied whole.")
    return content


def _too_large(path: Path, who: str, bytes_max: int) -> ModelRefused:
    limit = f"{bytes_max // 1024**2} MiB" if bytes_max >= 1024**2 else f"{bytes_max // 1024} KiB"
    return ModelRefused(f"{who}: {path} is larger than {limit}.", "Export a smaller model.")
