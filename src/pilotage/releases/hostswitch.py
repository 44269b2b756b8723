"""The switch on this host: a signed file in its own folder (``Settings.of_host``), read besides the database.

It is written before the database is asked, so that switching off waits for nothing but this disk, and it survives a
restart. Once the database has the switch, the file is gone; where the database could not be reached, a worker brings
it there later, with its own entry in the audit log. A file that nobody here signed switches off all the same: the
rule answers, which is the safe side; nothing is written into the audit log in its name.
"""

from __future__ import annotations

import os
import re
import time
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from pilotage.platform.errors import InvalidRequest
from pilotage.platform.signing import Signer
from pilotage.platform.synced import sync

FOLDER = "switches"
SUFFIX = ".off.json"
SETTLE_SECONDS = 3.0
"""So long the command that wrote a file has to tell the database itself."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)


class SwitchedOff(Struct, frozen=True):
    """Who switched a use case off on this host, when and why."""

    use_case: str
    reason: str
    by: str
    at: datetime


class _Kept(Struct, frozen=True):
    """What the file holds: the exact bytes that were signed, and the signature."""

    said: str
    signature: str


def write(folder: Path, signer: Signer, off: SwitchedOff) -> None:
    """Switch off on this host, durably.

    Raises:
        InvalidRequest: the name is none that a use case has, or there is no reason.
        OSError: the file cannot be written.
    """
    if not off.reason.strip():
        raise InvalidRequest("A change of what is live needs a reason; none came.", "Give --reason in a few words.")
    path = _path(folder, off.use_case)
    path.parent.mkdir(parents=True, exist_ok=True)
    said = msgspec.json.encode(off).decode()
    content = msgspec.json.encode(_Kept(said, signer.sign(said.encode())))
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync(path.parent)


def clear(folder: Path, use_case: str) -> bool:
    """Take the file away, durably; whether there was one."""
    path = _path(folder, use_case)
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    sync(path.parent)
    return True


def names(folder: Path) -> frozenset[str]:
    """The use cases that are switched off on this host."""
    try:
        with os.scandir(folder / FOLDER) as entries:
            found = [each.name.removesuffix(SUFFIX) for each in entries if each.name.endswith(SUFFIX)]
    except FileNotFoundError:
        return frozenset()
    return frozenset(name for name in found if _NAME.fullmatch(name))


def read(folder: Path, signer: Signer, use_case: str) -> SwitchedOff | None:
    """What the file of a use case says; None where there is none, or none that was signed here for this use case."""
    try:
        kept = msgspec.json.decode(_path(folder, use_case).read_bytes(), type=_Kept)
        off = msgspec.json.decode(kept.said, type=SwitchedOff)
    except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    is_ours = signer.is_valid(kept.said.encode(), kept.signature) and off.use_case == use_case
    return off if is_ours else None


def has_settled(folder: Path, use_case: str) -> bool:
    """Whether the command that wrote the file has had its time to tell the database itself."""
    try:
        return time.time() - _path(folder, use_case).stat().st_mtime > SETTLE_SECONDS
    except FileNotFoundError:
        return False


def _path(folder: Path, use_case: str) -> Path:
    if not _NAME.fullmatch(use_case):
        raise InvalidRequest(f"{use_case[:80]!r} is no name of a use case.", "Give the name that its file begins with.")
    return folder / FOLDER / f"{use_case}{SUFFIX}"
