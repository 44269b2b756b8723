"""Bytes that a library in C will parse are parsed by a child process first: what crashes it crashes nobody else.

That a file came through is noted under its digest, with this installation's signature over digest and library, in
``home/tried``: a file is tried once with each version of the library, and a service that starts again tries nothing.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from pilotage.models.brought.graph.taking import refuse_unsafe_graph
from pilotage.models.brought.refused import ModelRefused
from pilotage.platform.errors import CorruptArtefact
from pilotage.platform.workspace import Workspace

SECONDS_MAX = 60.0
_FOLDER = "tried"
_CHILD = Path(__file__).with_name("trial_child.py")
_LIBRARY = Path("lib") / "lib_lightgbm.so"
_REFUSED = 3
_TREES_BY = ("lightgbm",)
_GRAPHS_BY = ("onnx", "onnxruntime")


def try_trees(work: Workspace, digest: str, content: bytes) -> None:
    """Have a child load trees and ask them; nothing happens where they came through before.

    Raises:
        CorruptArtefact: the child refused them, crashed, or did not end in time.
    """
    _once(work, digest, _TREES_BY, lambda: _tried(digest, content))


def try_graph(work: Workspace, digest: str, content: bytes) -> None:
    """Have a child look at a graph of ONNX and open it; nothing happens where it came through before.

    Raises:
        CorruptArtefact: it needs operators or files beside it that are not taken, or the runtime does not open it.
    """

    def look() -> None:
        try:
            refuse_unsafe_graph(content, f"The graph of {digest[:12]}…")
        except ModelRefused as error:
            raise CorruptArtefact(error.message, error.repair) from error

    _once(work, digest, _GRAPHS_BY, look)


def _once(work: Workspace, digest: str, libraries: tuple[str, ...], attempt: Callable[[], None]) -> None:
    """Attempt what is not noted as having succeeded with these versions of the libraries, and note it."""
    by = " ".join(f"{library} {_version(library)}" for library in libraries)
    note, vow = work.home / _FOLDER / digest, f"tried {digest} with {by}".encode()
    if note.is_file() and work.signer.is_valid(vow, note.read_text(encoding="ascii", errors="replace")):
        return
    attempt()
    note.parent.mkdir(parents=True, exist_ok=True)
    unfinished = note.with_name(f".{digest}.{os.getpid()}")
    unfinished.write_text(work.signer.sign(vow), encoding="ascii")
    unfinished.replace(note)


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return "not installed"  # the attempt says so


def _tried(digest: str, content: bytes) -> None:
    try:
        # -I and -S: nothing of the user's or of the current folder is imported, and no site starts anything
        ended = subprocess.run(  # noqa: S603  our own program, with bytes on its standard input
            [sys.executable, "-I", "-S", str(_CHILD), str(_library())],
            input=content,
            capture_output=True,
            timeout=SECONDS_MAX,
            env={"OMP_NUM_THREADS": "1", "PATH": os.defpath},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _refusal(digest, f"they were not read within {SECONDS_MAX:.0f} s") from None
    if ended.returncode < 0:
        raise _refusal(digest, f"reading them crashed a process ({signal.Signals(-ended.returncode).name})")
    if ended.returncode == _REFUSED:
        raise _refusal(digest, ended.stderr.decode(errors="replace").strip()[-300:])
    if ended.returncode != 0:
        raise _refusal(digest, f"reading them ended a process with status {ended.returncode}")


def _library() -> Path:
    """Where LightGBM's library lies; the package is not imported for that."""
    found = find_spec("lightgbm")
    if found is None or found.origin is None:
        raise CorruptArtefact("Trees are read by LightGBM, which is not installed.", "pip install lightgbm")
    return Path(found.origin).parent / _LIBRARY


def _refusal(digest: str, why: str) -> CorruptArtefact:
    return CorruptArtefact(
        f"The trees of {digest[:12]}… cannot be used: {why}.", "Train again; nothing of them was loaded."
    )
