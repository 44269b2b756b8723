"""Artefacts in the lake: files of safe formats, a manifest that names their hashes, a signature over the manifest.

Nothing is loaded that this installation did not sign, and nothing whose bytes are not those that were signed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

import msgspec

from pilotage.models.records import FileEntry, Manifest
from pilotage.platform.errors import CorruptArtefact, NotFound
from pilotage.platform.workspace import Workspace

FORMAT = 1
MANIFEST_SUFFIX = ".manifest.json"


def keep_files(work: Workspace, files: Mapping[str, bytes]) -> dict[str, FileEntry]:
    """Put the files of an artefact into the lake."""
    return {
        name: FileEntry(work.lake.put(content, _suffix(name)), len(content)) for name, content in sorted(files.items())
    }


def keep_manifest(work: Workspace, manifest: Manifest) -> str:
    """Put the manifest into the lake: its digest is the artefact's name."""
    return work.lake.put(msgspec.json.encode(manifest, order="sorted"), MANIFEST_SUFFIX)


def sign(work: Workspace, digest: str) -> str:
    """This installation's signature over the manifest, after every file was read and found whole.

    Raises:
        NotFound: there is no such artefact.
        CorruptArtefact: its bytes were changed.
    """
    content = work.lake.read(digest, MANIFEST_SUFFIX)
    _files(work, _decoded(content, digest))
    return work.signer.sign(content)


def load(work: Workspace, digest: str, signature: str) -> tuple[Manifest, dict[str, bytes]]:
    """The manifest and the files of a signed artefact.

    Raises:
        NotFound: there is no such artefact.
        CorruptArtefact: not signed by this installation, or bytes were changed or are gone.
    """
    content = work.lake.read(digest, MANIFEST_SUFFIX)
    if not work.signer.is_valid(content, signature):
        raise CorruptArtefact(
            f"Artefact {digest[:12]}… does not carry a signature of this installation.",
            "Train and release it here; what was signed elsewhere is not loaded.",
        )
    manifest = _decoded(content, digest)
    return manifest, _files(work, manifest)


def _files(work: Workspace, manifest: Manifest) -> dict[str, bytes]:
    try:
        files = {name: work.lake.read(entry.digest, _suffix(name)) for name, entry in manifest.files.items()}
    except NotFound as error:
        raise CorruptArtefact(f"A file of the artefact is gone. {error.message}", "Restore a backup.") from error
    wrong = sorted(name for name, content in files.items() if len(content) != manifest.files[name].bytes)
    if wrong:
        raise CorruptArtefact(f"{wrong[0]} does not have the size that its manifest names.", "Restore a backup.")
    return files


def _decoded(content: bytes, digest: str) -> Manifest:
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except msgspec.DecodeError as error:
        raise CorruptArtefact(f"{digest[:12]}… is not the manifest of an artefact: {error}.") from None
    if manifest.format != FORMAT:
        raise CorruptArtefact(
            f"Artefact {digest[:12]}… has format {manifest.format}; this release reads format {FORMAT}.",
            "Use the release that made it, or train again.",
        )
    return manifest


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix
