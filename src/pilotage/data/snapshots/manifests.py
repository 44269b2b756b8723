"""Manifests: which segments, or which version of a referenced table, make a snapshot."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import msgspec

from pilotage.data.records import FoundColumn, Reference, Segment, Snapshot
from pilotage.data.snapshots.stored import SEGMENT
from pilotage.platform.errors import CorruptArtefact, NotFound
from pilotage.platform.lake import Lake, sha256_of
from pilotage.usecase.records import Source

MANIFEST = ".json"


def make_snapshot(
    lake: Lake,
    name: str,
    source: Source,
    columns: Sequence[FoundColumn],
    segments: Sequence[Segment],
    reference: Reference | None = None,
) -> Snapshot:
    """A snapshot whose version is the digest of its manifest, which is kept in the lake."""
    unnamed = snapshot_of(name, source, columns, segments, reference)
    version = lake.put(msgspec.json.encode(unnamed, order="deterministic"), MANIFEST)
    return msgspec.structs.replace(unnamed, version=version)


def snapshot_of(
    name: str,
    source: Source,
    columns: Sequence[FoundColumn],
    segments: Sequence[Segment],
    reference: Reference | None = None,
) -> Snapshot:
    """A snapshot without a version yet."""
    return Snapshot(
        source=name,
        version="",
        key=tuple(source.key),
        known_at=source.known_at,
        columns=tuple(columns),
        segments=tuple(segments),
        declared=declared(source),
        reference=reference,
        deleted=source.deleted if reference else "",
    )


def declared(source: Source) -> str:
    """The digest of a source as the file declares it. Rows of another declaration are not this source's.

    It is taken of the references (``env:NAME``), never of what they stand for: an address may change its password.
    """
    place = (source.database, source.table, source.files, source.sheet, source.encoding, source.delimiter, source.delta)
    rest = (source.rest.url, source.rest.items) if source.rest else None
    said: tuple[object, ...] = (*place, rest, source.key, source.known_at, source.deleted)
    if source.decimal or source.missing:  # so that what was read before these were there counts as it did
        said = (*said, source.decimal, source.missing)
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()


def read_snapshot(lake: Lake, version: str) -> Snapshot:
    """The snapshot of this version."""
    manifest = msgspec.json.decode(lake.read(version, MANIFEST), type=Snapshot)
    return msgspec.structs.replace(manifest, version=version)


def check_segments(lake: Lake, snapshot: Snapshot) -> None:
    """Every segment is there and has the bytes that its manifest names; of a reference, every local file is there.

    Raises:
        NotFound: a segment or file is gone.
        CorruptArtefact: a segment's bytes are others.
    """
    for segment in snapshot.segments:
        path = lake.path(segment.digest, SEGMENT)
        if not path.exists():
            raise NotFound(f"A segment of {snapshot.source} is not in the lake.", f"It was expected at {path}.")
        if sha256_of(path) != segment.digest:
            raise CorruptArtefact(f"{path} was changed after it was written.", "Restore it from a backup.")
    if snapshot.reference is None:
        return
    for file in snapshot.reference.files:
        if "://" not in file and not Path(file).exists():
            raise NotFound(
                f"Version {snapshot.reference.version} of {snapshot.source} has lost a file: {file}.",
                "Restore it, or sync again and keep old versions longer (VACUUM removes them).",
            )
