"""Which code made a thing: the release, and a hash of the source, so that a changed working copy is told apart."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import pilotage


@lru_cache(maxsize=1)
def code_version() -> str:
    """Such as ``0.1.0+3f9c1a2b4d5e``: the release and 12 hexadecimal digits of SHA-256 over all our Python files."""
    root = Path(pilotage.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return f"{pilotage.__version__}+{digest.hexdigest()[:12]}"
