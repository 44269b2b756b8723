"""Which files an address means: a local path or pattern, or one on object storage through fsspec."""

from __future__ import annotations

import glob
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from pilotage.data.sources.asked import Asked
from pilotage.data.sources.files.waiting import in_time
from pilotage.usecase.records import seconds

_EXTRAS = {"s3": "s3", "s3a": "s3", "http": "s3", "https": "s3"}
_PACKAGES = {"gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs", "abfss": "adlfs"}
_WEB = "Check that the address names a file, and that this host may fetch it; no user and no password is sent."
_REPAIRS = {
    "http": _WEB,
    "https": _WEB,
    **dict.fromkeys(
        ("s3", "s3a"),
        "Check the address, the credentials (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) and AWS_ENDPOINT_URL.",
    ),
}
_SCHEMES = {*_EXTRAS, *_PACKAGES, "memory"}
_SERVER_ERRORS = 500
UNANSWERED = re.compile(
    "could not connect to the endpoint|error sending request|connection (refused|reset|closed|error)"
    "|time(d ?out|out error)|slow ?down|service ?unavailable|internal ?(server ?)?error|please reduce your request",
    re.IGNORECASE,
)
"""What storages say when they do not answer, or have no time to."""
_SECRETS = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID")


class File(Struct, frozen=True):
    """A file: the name people know it by, and its place on the disk or in the storage."""

    name: str
    place: str
    bytes: int


class Files(Struct, frozen=True):
    """The files of an address, sorted by place. ``storage`` is fsspec's file system; None is the local disk."""

    files: tuple[File, ...]
    storage: Any = None
    scheme: str = ""


def located(asked: Asked, address: str) -> Files:
    """The files that an address means now; it may be a pattern with ``*``, ``?``, ``[…]`` and ``**``.

    Raises:
        SourceUnavailable: there is none, or the storage cannot be reached.
    """
    scheme = address.partition("://")[0].lower() if "://" in address else ""
    if scheme in ("", "file"):
        found = Files(_local(address.removeprefix("file://") if scheme else address))
    else:
        found = _remote(asked, address, scheme)
    if not found.files:
        raise asked.failure(
            f"Source {asked.name}: no file matches {shown(address)}.",
            "Correct the pattern under `files`, or the environment variable in it, or wait for the first file.",
        )
    return found


def shown(address: str) -> str:
    """An address without whom it names, and without its query."""
    if "://" not in address:
        return address
    try:
        parts = urlsplit(address.replace("?", "%3F") if not address.lower().startswith("http") else address)
    except ValueError:
        return f"{address.partition('://')[0]}://…"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}".replace("%3F", "?")


@contextmanager
def reaching(asked: Asked, address: str) -> Iterator[None]:
    """Says in the terms of the source why a storage cannot be read, and no secret."""
    try:
        yield
    except _storage_errors() as error:
        repair = _REPAIRS.get(address.partition("://")[0].lower(), "Check the address and the credentials.")
        if "://" not in address or address.startswith("file://"):
            repair = "Check that the files are there, and that this user may read them."
            raise asked.failure(_unread(asked, address, error), repair) from None
        said = asked.unreachable if _may_pass(error) else asked.failure
        raise said(_unread(asked, address, error), repair) from None


def _unread(asked: Asked, address: str, error: BaseException) -> str:
    return f"Source {asked.name} cannot be read at {shown(address)}: {_reason(error)}."


def _local(pattern: str) -> tuple[File, ...]:
    if Path(pattern).is_file():
        paths = [pattern]
    else:
        matches = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207 (the pattern may be absolute)
        paths = [path for path in matches if Path(path).is_file() and not Path(path).name.startswith(("_", "."))]
    return tuple(File(path, str(Path(path).resolve()), Path(path).stat().st_size) for path in paths)


def _remote(asked: Asked, address: str, scheme: str) -> Files:
    storage = open_storage(asked, address, scheme)
    with reaching(asked, address):
        listed = in_time(
            asked, shown(address), seconds(asked.source.timeout), lambda: _listed(storage, address, scheme)
        )
    files = [
        File(shown(storage.unstrip_protocol(place)), place, int(entry.get("size") or 0))
        for place, entry in sorted(listed.items())
        if len(listed) == 1 or not place.rpartition("/")[2].startswith(("_", "."))
    ]
    return Files(tuple(files), storage, scheme)


def _listed(storage: Any, address: str, scheme: str) -> dict[str, Any]:
    """Places with what the storage says of them. A file whose name looks like a pattern is meant itself."""
    path = storage._strip_protocol(address)
    if scheme in ("http", "https") or not is_pattern(path) or storage.isfile(path):
        return {path: storage.info(path)}
    found = storage.glob(path, detail=True)
    listed = {place: entry for place, entry in found.items() if entry.get("type") == "file"}
    if not listed:
        storage.ls(path.partition("/")[0])  # a missing bucket and refused credentials look like no match
    return listed


def is_pattern(address: str) -> bool:
    """Whether an address has one of the signs of a pattern in it."""
    return any(sign in address for sign in "*?[")


def open_storage(asked: Asked, address: str, scheme: str) -> Any:
    """The file system of an address, without any memory of earlier listings.

    Raises:
        SourceUnavailable: the scheme is not known, or its library not installed.
    """
    import fsspec

    if scheme not in _SCHEMES or "::" in address:
        known = ", ".join(f"{name}://" for name in sorted(_SCHEMES))
        raise asked.failure(
            f"Source {asked.name}: {scheme}:// cannot be read.", f"Use a local path, file:// or {known}."
        )
    options: dict[str, Any] = {"use_listings_cache": False}
    if scheme in ("s3", "s3a"):
        options |= _s3_options()
    try:
        return fsspec.filesystem(scheme, **({} if scheme == "memory" else options))
    except ImportError:
        package = f"'pilotage[{_EXTRAS[scheme]}]'" if scheme in _EXTRAS else _PACKAGES[scheme]
        raise asked.failure(
            f"Source {asked.name}: {scheme}:// needs a library that is not installed.", f"pip install {package}."
        ) from None


def _s3_options() -> dict[str, Any]:
    """Where S3 is and who reads it, as the environment says now: a client is used again only for the same."""
    options: dict[str, Any] = {
        "config_kwargs": {"connect_timeout": 10, "read_timeout": 60, "retries": {"max_attempts": 2}},
        "skip_instance_cache": "AWS_ACCESS_KEY_ID" not in os.environ,
    }
    given = {
        "endpoint_url": "AWS_ENDPOINT_URL",
        "key": "AWS_ACCESS_KEY_ID",
        "secret": "AWS_SECRET_ACCESS_KEY",
        "token": "AWS_SESSION_TOKEN",
    }
    return options | {option: os.environ[name] for option, name in given.items() if os.environ.get(name)}


def _storage_errors() -> tuple[type[BaseException], ...]:
    """What storages raise; ``OSError`` covers most, the others are there only once their libraries are in use."""
    errors: list[type[BaseException]] = [OSError]
    for library, names in {
        "botocore.exceptions": ("BotoCoreError", "ClientError"),
        "aiohttp": ("ClientError",),
    }.items():
        if library in sys.modules:
            errors += [getattr(sys.modules[library], name) for name in names]
    return tuple(errors)


def _may_pass(error: BaseException) -> bool:
    """Whether the storage, or the way to it, did not answer; a refusal or a wrong name is an answer."""
    passing: list[type[BaseException]] = [ConnectionError, TimeoutError]
    for library, names in {
        "botocore.exceptions": ("HTTPClientError", "ConnectionError"),
        "aiohttp": ("ClientConnectionError", "ServerTimeoutError"),
    }.items():
        if library in sys.modules:
            passing += [getattr(sys.modules[library], name) for name in names]
    status = getattr(error, "status", None)
    busy = isinstance(status, int) and status >= _SERVER_ERRORS
    return busy or isinstance(error, tuple(passing)) or bool(UNANSWERED.search(str(error)))


def _reason(error: BaseException) -> str:
    """What a storage says, without what it was told in confidence."""
    lines = str(error).strip().splitlines()
    reason = (lines[0] if lines else type(error).__name__)[:300]
    for name in _SECRETS:
        if secret := os.environ.get(name):
            reason = reason.replace(secret, "…")
    if "://" in reason:
        reason = " ".join(shown(word.strip("\"'")) if "://" in word else word for word in reason.split())
    return reason.rstrip(".")
