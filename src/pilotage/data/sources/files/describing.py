"""What a folder, a file or a prefix on object storage holds, as sources that could be made of it."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Literal

from msgspec import Struct

from pilotage.data.sources.asked import Asked
from pilotage.data.sources.files.kinds import kind_of
from pilotage.data.sources.files.locating import open_storage, reaching
from pilotage.platform.errors import NotFound
from pilotage.usecase.records import Source

_NUMBERS = re.compile(r"\d+(?:[-_. ]\d+)*(?:-[0-9a-f]{8}-[0-9a-f-]{27}\S*)?")
_PART = re.compile(r"[-_. ](part|chunk|batch|page|rows?)$|\((part)?$")
_PLAIN = re.compile(r"[^a-z0-9]+")


class Described(Struct, frozen=True):
    """A source that could be made: its name, and what to write under ``files``, or under ``delta``."""

    name: str
    address: str
    kind: Literal["files", "delta"] = "files"


def describe(address: str) -> list[Described]:
    """The sources in a folder, below it, or the one that a file or pattern is; sorted by name.

    Files of one folder whose names differ only in numbers are one source: weather-2013-01.csv, weather-2013-02.csv.

    Raises:
        NotFound: there is nothing that can be read.
        SourceUnavailable: the storage cannot be reached.
    """
    if any(sign in address for sign in "*?["):
        return [Described(_source_name(PurePosixPath(address).name), address)]
    places = list(_places(address))
    deltas = sorted({place.partition("/_delta_log/")[0] for place in places if "/_delta_log/" in place})
    files = [place for place in places if kind_of(place) and not any(place.startswith(f"{d}/") for d in deltas)]
    found = [Described(_source_name(PurePosixPath(delta).name), delta, "delta") for delta in deltas]
    groups: dict[str, list[str]] = {}
    for place in files:
        if not PurePosixPath(place).name.startswith(("_", ".")):
            groups.setdefault(_pattern(place), []).append(place)
    for pattern, members in groups.items():
        one = members[0] if len(members) == 1 else _narrow(pattern, members, files)
        found.append(Described(_source_name(PurePosixPath(pattern).name, _folder_of(pattern)), one))
    if not found:
        raise NotFound(
            f"Nothing at {address} can be read.", "Name a folder with .csv, .parquet, .jsonl or .xlsx files."
        )
    return _apart(found)


def _places(address: str) -> Iterable[str]:
    scheme = address.partition("://")[0].lower() if "://" in address else ""
    if scheme in ("", "file"):
        root = Path(address.removeprefix("file://") if scheme else address)
        if root.is_file():
            return [str(root)]
        return sorted(str(path) for path in root.rglob("*") if path.is_file())
    asked = Asked("files", Source(files=address, key=[]), "whoever runs this")
    storage = open_storage(asked, address, scheme)
    with reaching(asked, address):
        return sorted(storage.unstrip_protocol(place) for place in storage.find(storage._strip_protocol(address)))


def _pattern(place: str) -> str:
    """A place with what varies between the parts of a table replaced by ``*``; folders ``day=…`` too."""
    folder, slash, name = place.rpartition("/")
    parts = [f"{part.partition('=')[0]}=*" if "=" in part else part for part in folder.split("/")]
    stem, dot, endings = name.partition(".")
    return f"{'/'.join(parts)}{slash}{_NUMBERS.sub('*', stem)}{dot}{endings}"


def _folder_of(pattern: str) -> str:
    """The folder that a table is named by: the nearest that names no partition."""
    return next((part for part in reversed(PurePosixPath(pattern).parts[:-1]) if "=" not in part), "")


def _narrow(pattern: str, members: list[str], files: list[str]) -> str:
    """The pattern, with digits in place of anything where it would match files of another table."""
    if set(fnmatch.filter(files, pattern)) == set(members):
        return pattern
    folder, slash, name = pattern.rpartition("/")
    return f"{folder}{slash}{name.replace('*', '[0-9]*', 1)}"


def _source_name(file: str, folder: str = "") -> str:
    """A name for a source, as the use-case file wants it: lower case, digits and underscores."""
    stem = _NUMBERS.sub("*", file.partition(".")[0].lower())
    name = _PLAIN.sub("_", _PART.sub("", stem.partition("*")[0] or stem)).strip("_")
    if name in ("", "part", "data"):
        name = _PLAIN.sub("_", stem).strip("_")
    if name in ("", "part", "data"):
        name = _PLAIN.sub("_", folder.partition("=")[0].lower()).strip("_") or name or "rows"
    return (name if name[0].isalpha() else f"t_{name}")[:63]


def _apart(found: list[Described]) -> list[Described]:
    """Names that are taken get a number."""
    taken: dict[str, int] = {}
    apart = []
    for one in sorted(found, key=lambda one: (one.name, one.address)):
        taken[one.name] = taken.get(one.name, 0) + 1
        name = one.name if taken[one.name] == 1 else f"{one.name}_{taken[one.name]}"
        apart.append(Described(name, one.address, one.kind))
    return apart
