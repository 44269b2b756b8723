"""How much memory a step takes beyond what was in use when it began."""

from __future__ import annotations

import ctypes
from pathlib import Path

_PROCESS = Path("/proc/self")
_FORGET_PEAK = "5"
"""Linux then counts the process's greatest resident memory anew (proc(5), clear_refs)."""


class Peak:
    """From its making on: the greatest memory beyond that of the beginning, in bytes."""

    def __init__(self) -> None:
        self._began: int | None = None
        _give_back()
        try:
            (_PROCESS / "clear_refs").write_text(_FORGET_PEAK)
            self._began = _resident("VmRSS")
        except (OSError, LookupError, ValueError):
            return  # another system, or one that does not let a process see this: then it is not told

    def bytes(self) -> int | None:
        """None where the system does not say."""
        if self._began is None:
            return None
        return max(0, _resident("VmHWM") - self._began)


def _give_back() -> None:
    """Memory that was freed and is still held would be taken again unseen (malloc_trim(3), of glibc only)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _resident(name: str) -> int:
    for line in (_PROCESS / "status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(name)
