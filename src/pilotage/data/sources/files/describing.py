"""What a folder, a file or a prefix on object storage holds, as sources that could be made of it."""

from __future__ import annotations

import fnmatch
import glob
import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import urlsplit

from msgspec import Struct

from pilotage.data.sources.asked import Asked
from pilotage.data.sources.files import excel
from pilotage.data.sources.files.kinds import compression, kind_of
from pilotage.data.sources.files.locating import is_pattern, open_storage, reaching, shown
from pilotage.data.sources.files.unreadable import Unreadable
from pilotage.data.sources.files.waiting import in_time
from pilotage.platform.errors import NotFound
from pilotage.usecase.records import Source

_NUMBERS = re.compile(r"\d+(?:[-_. ]\d+)*(?:-[0-9a-f]{8}-[0-9a-f-]{27}\S*)?")
_SECONDS = 30.0
"""How long a storage may take to say what it holds."""
_PART = re.compile(r"[-_. ](part|chunk|batch|page|rows?)$|\((part)?$")
_PLAIN = re.compile(r"[^a-z0-9]+")


class Described(Struct, frozen=True):
    """A source that could be made: its name, and what to write under ``files``, or under ``delta``.

    ``notes`` say what else there is to know of a local workbook: a title above its header, sheets that are not read.
    """

    name: str
    address: str
    kind: Literal["files", "delta"] = "files"
    notes: tuple[str, ...] = ()


class Surveyed(Struct, frozen=True):
    """What an address holds: the sources that could be made of it, and the files that are passed over."""

    sources: tuple[Described, ...]
    skipped: tuple[str, ...] = ()


def describe(address: str) -> list[Described]:
    """The sources of :func:`survey` alone."""
    return list(survey(address).sources)


def survey(address: str) -> Surveyed:
    """The sources in a folder, below it, or the one that a file or pattern is; sorted by name.

    Files of one folder whose names differ only in numbers are one source: weather-2013-01.csv, weather-2013-02.csv.

    Raises:
        NotFound: there is nothing that can be read.
        SourceUnavailable: the storage cannot be reached, or does not answer within 30 seconds.
    """
    scheme = address.partition("://")[0].lower() if "://" in address else ""
    if scheme in ("http", "https"):
        return Surveyed((_on_the_web(address),))
    places = list(_places(address, scheme))
    if not places and is_pattern(address):
        return Surveyed((Described(_source_name(PurePosixPath(address).name), address),))
    deltas = sorted({place.partition("/_delta_log/")[0] for place in places if "/_delta_log/" in place})
    files = [place for place in places if not any(place.startswith(f"{delta}/") for delta in deltas)]
    files = [place for place in files if not PurePosixPath(place).name.startswith(("_", "."))]
    readable = [place for place in files if kind_of(place)]
    skipped = tuple(shown(place) for place in files if not kind_of(place))
    found = [Described(_source_name(PurePosixPath(delta).name), delta, "delta") for delta in deltas]
    groups: dict[str, list[str]] = {}
    for place in readable:
        groups.setdefault(_pattern(glob.escape(place)), []).append(place)
    for pattern, members in groups.items():
        one = members[0] if len(members) == 1 else _narrow(pattern, members, readable)
        name = _source_name(PurePosixPath(pattern).name, _folder_of(pattern))
        found.append(Described(name, one, notes=_notes(members[0], scheme)))
    if not found:
        raise NotFound(
            f"Nothing at {shown(address)} can be read{_named(skipped)}.",
            "Name a folder with .csv, .parquet, .jsonl or .xlsx files.",
        )
    return Surveyed(tuple(_apart(found)), skipped)


def _on_the_web(address: str) -> Described:
    """The one file of a web address: there is no folder to look into."""
    name = PurePosixPath(urlsplit(address).path).name
    if not kind_of(name):
        raise NotFound(
            f"{shown(address)} names no file that can be read: it does not end in .csv, .parquet, .jsonl or .xlsx.",
            "Give the address of a file. An endpoint that answers with JSON is a source of its own kind: `rest:`.",
        )
    return Described(_source_name(name), address)


def _notes(place: str, scheme: str) -> tuple[str, ...]:
    if scheme or kind_of(place) != "excel" or compression(place):
        return ()
    try:
        return excel.remarks(Path(place))
    except Unreadable:  # whoever reads it says why
        return ()


def _named(skipped: tuple[str, ...]) -> str:
    if not skipped:
        return ""
    more = f" and {len(skipped) - 3} more" if len(skipped) > 3 else ""
    return f": it holds {', '.join(PurePosixPath(place).name for place in skipped[:3])}{more}"


def _places(address: str, scheme: str) -> Iterable[str]:
    """The files below an address, or the one that it is; none for a pattern."""
    if scheme in ("", "file"):
        root = Path(address.removeprefix("file://") if scheme else address)
        if root.is_file():
            return [str(root)]
        return sorted(str(path) for path in root.rglob("*") if path.is_file())
    asked = Asked("files", Source(files=address, key=[]), "")
    storage = open_storage(asked, address, scheme)
    path = storage._strip_protocol(address)
    with reaching(asked, address):
        if is_pattern(address) and not in_time(asked, shown(address), _SECONDS, lambda: storage.isfile(path)):
            return []
        found = in_time(asked, shown(address), _SECONDS, lambda: storage.find(path))
    return sorted(storage.unstrip_protocol(place) for place in found)


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
        apart.append(Described(name, one.address, one.kind, one.notes))
    return apart
