"""Artefacts in the lake: files of safe formats, a manifest that names their hashes, a signature over the manifest.

Nothing is loaded that this installation did not sign, and nothing whose bytes are not those that were signed. What was
signed is looked at all the same: a name is a name and no path, a file is of a format that cannot hold code and is that
format whole, and trees and graphs were opened by a child process before this one opens them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePosixPath

import msgspec

from pilotage.models.records import FileEntry, Manifest
from pilotage.models.rules import tree_text
from pilotage.models.trial import try_graph, try_trees
from pilotage.platform.errors import CorruptArtefact, NotFound
from pilotage.platform.workspace import Workspace

FORMAT = 1
MANIFEST_SUFFIX = ".manifest.json"
MANIFEST_BYTES_MAX = 4 << 20
FILE_BYTES_MAX = 2 << 30
FILES_MAX = 64
_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}(\.[a-z0-9]{1,8})", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


class Handed(Mapping[str, bytes]):
    """The files of an artefact, and which of them nobody has read."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self._read: set[str] = set()

    def __getitem__(self, name: str) -> bytes:
        content = self._files[name]
        self._read.add(name)
        return content

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    @property
    def unread(self) -> list[str]:
        return sorted(set(self._files) - self._read)


def keep_files(work: Workspace, files: Mapping[str, bytes]) -> dict[str, FileEntry]:
    """Put the files of an artefact into the lake."""
    return {
        name: FileEntry(work.lake.put(content, _suffix(name)), len(content)) for name, content in sorted(files.items())
    }


def keep_manifest(work: Workspace, manifest: Manifest) -> str:
    """Put the manifest into the lake: its digest is the artefact's name."""
    return work.lake.put(msgspec.json.encode(manifest, order="sorted"), MANIFEST_SUFFIX)


def sign(work: Workspace, digest: str) -> str:
    """This installation's signature over the manifest, after every file was read, found whole and of its format.

    Raises:
        NotFound: there is no such artefact.
        CorruptArtefact: its bytes were changed, or hold what no artefact holds.
    """
    content = _manifest(work, digest)
    _files(work, _decoded(content, digest))
    return work.signer.sign(content)


def load(work: Workspace, digest: str, signature: str) -> tuple[Manifest, dict[str, bytes]]:
    """The manifest and the files of a signed artefact.

    Raises:
        NotFound: there is no such artefact.
        CorruptArtefact: not signed by this installation, its bytes were changed or are gone, or it holds what no
            artefact holds.
    """
    content = _manifest(work, digest)
    if not work.signer.is_valid(content, signature):
        raise CorruptArtefact(
            f"Artefact {digest[:12]}… does not carry a signature of this installation.",
            "Train and release it here; what was signed elsewhere is not loaded.",
        )
    manifest = _decoded(content, digest)
    return manifest, _files(work, manifest)


def read_manifest(work: Workspace, digest: str) -> Manifest:
    """What an artefact consists of; its files are not read.

    Raises:
        NotFound: there is no such artefact.
        CorruptArtefact: the manifest's bytes were changed.
    """
    return _decoded(_manifest(work, digest), digest)


def _manifest(work: Workspace, digest: str) -> bytes:
    if not _DIGEST.fullmatch(digest):
        raise CorruptArtefact(f"{digest[:80]!r} is no digest of an artefact.", "Train again.")
    return _read(work, digest, MANIFEST_SUFFIX, None)


def _files(work: Workspace, manifest: Manifest) -> dict[str, bytes]:
    _refuse_odd_names(manifest)
    files: dict[str, bytes] = {}
    for name, entry in manifest.files.items():
        try:
            content = files[name] = _read(work, entry.digest, _suffix(name), entry.bytes)
        except NotFound as error:
            raise CorruptArtefact(f"A file of the artefact is gone. {error.message}", "Restore a backup.") from error
        why = _FORMATS[_suffix(name)](content)
        if why:
            raise CorruptArtefact(f"{name} is not what its name says: {why}.", "Train again; it was not loaded.")
        if _suffix(name) in _TRIALS:
            _TRIALS[_suffix(name)](work, entry.digest, content)
    return files


def _read(work: Workspace, digest: str, suffix: str, size: int | None) -> bytes:
    """The bytes of a file in the lake: one of its own, no link to another, and no larger than is due."""
    path = work.lake.path(digest, suffix)
    if path.is_symlink() or path.parent.is_symlink() or (path.exists() and not path.is_file()):
        raise CorruptArtefact(f"{path} is no file of the lake's own but leads elsewhere.", "Restore it from a backup.")
    if path.exists() and path.stat().st_size > (MANIFEST_BYTES_MAX if size is None else size):
        raise CorruptArtefact(f"{path} is larger than what was written.", "Restore it from a backup.")
    content = work.lake.read(digest, suffix)
    if size is not None and len(content) != size:
        raise CorruptArtefact(f"{path} does not have the size that its manifest names.", "Restore a backup.")
    return content


def _refuse_odd_names(manifest: Manifest) -> None:
    """A name or digest that could lead out of the lake, a format that could hold code, a size that fills memory."""
    if len(manifest.files) > FILES_MAX:
        raise CorruptArtefact(f"An artefact of {len(manifest.files):,} files is none of ours.", "Train again.")
    for name, entry in manifest.files.items():
        if not _NAME.fullmatch(name) or not _DIGEST.fullmatch(entry.digest):
            raise CorruptArtefact(
                f"The manifest names {name[:80]!r} at {entry.digest[:80]!r}: no file of an artefact.",
                "Nothing outside of the lake is read. Train again.",
            )
        if _suffix(name) not in _FORMATS:
            raise CorruptArtefact(
                f"{name} is of no format that is loaded.", f"Artefacts hold {', '.join(sorted(_FORMATS))}. Train again."
            )
        if not 0 <= entry.bytes <= FILE_BYTES_MAX:
            raise CorruptArtefact(f"{name} cannot have {entry.bytes:,} bytes.", "Train again.")


def _decoded(content: bytes, digest: str) -> Manifest:
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CorruptArtefact(f"{digest[:12]}… is not the manifest of an artefact: {error}.") from None
    if manifest.format != FORMAT:
        raise CorruptArtefact(
            f"Artefact {digest[:12]}… has format {manifest.format}; this release reads format {FORMAT}.",
            "Use the release that made it, or train again.",
        )
    return manifest


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix


def _json_flaw(content: bytes) -> str:
    """One JSON value and nothing after it."""
    try:
        msgspec.json.decode(content, type=msgspec.Raw)
        content.decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return f"no JSON ({error})"
    return ""


def _numbers_flaw(content: bytes) -> str:
    """Little-endian doubles, all finite."""
    import numpy as np

    if len(content) % 8 or not np.isfinite(np.frombuffer(content, dtype="<f8")).all():
        return "no finite 64-bit numbers"
    return ""


def _graph_flaw(content: bytes) -> str:
    """The beginning of an ONNX model: its field 1, a version. What is in the graph a child looks at."""
    return "" if content[:1] == b"\x08" else "no ONNX model"


TREES, GRAPH = ".txt", ".onnx"
_FORMATS: dict[str, Callable[[bytes], str]] = {
    ".json": _json_flaw,
    TREES: tree_text.flaw,
    ".f64": _numbers_flaw,
    GRAPH: _graph_flaw,
}
"""What an artefact may hold, by the end of a file's name, and what is wrong with a file's bytes (empty: nothing)."""

_TRIALS: dict[str, Callable[[Workspace, str, bytes], None]] = {TREES: try_trees, GRAPH: try_graph}
"""What a library in C parses, and how a child tries it first."""
