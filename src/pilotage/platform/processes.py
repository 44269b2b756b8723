"""Which process left something behind, and whether it still lives: for leases and half-written files of the dead."""

from __future__ import annotations

import hashlib
import os
import secrets
import signal
import socket
from pathlib import Path

SUPERVISOR = "SUPERVISOR_PID"
"""The variable in which a supervisor tells its workers its number."""
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_LIFE = secrets.token_hex(4)  # tells this process from an earlier one of the same number, as in a restarted container


def this_process() -> str:
    """A name for this process that fits into a file's name: machine, its boot, number, and a token of this life."""
    boot = _BOOT.read_text() if _BOOT.exists() else ""
    return f"{_short(socket.gethostname())}-{_short(boot)}-{os.getpid()}-{_LIFE}"


def has_died(process: str) -> bool:
    """Whether the process of this name certainly runs no more. Of one on another machine nobody here can say."""
    machine, boot, number, life = (*process.split("-"), "", "", "", "")[:4]
    here = this_process().split("-")
    if machine != here[0] or not number.isdigit():
        return False
    if boot != here[1]:
        return True
    return life != here[3] if number == here[2] else not _runs(int(number))


def ask_for_successor() -> bool:
    """Have this process replaced by a new one, which answers before this one ends; whether there is a supervisor."""
    if os.environ.get(SUPERVISOR) != str(os.getppid()):
        return False
    os.kill(os.getppid(), signal.SIGHUP)
    return True


def _runs(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]
