"""Processes and threads: which one left something behind and still lives, and which stand back for others."""

from __future__ import annotations

import hashlib
import os
import secrets
import signal
import socket
import sys
import threading
from pathlib import Path

SUPERVISOR = "SUPERVISOR_PID"
"""The variable in which a supervisor tells its workers its number."""
_BOOT = Path("/proc/sys/kernel/random/boot_id")
BEHIND, FAR_BEHIND = 5, 10
"""Niceness: beside a thread that answers, the one has a quarter of a core and the other a tenth; all when it idles."""
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


def stand_back(niceness: int) -> None:
    """Let this thread, and what it starts, wait for others where a core has work for more than one.

    Answers share their core with what is done behind them: the operating system would else give each as much of it, and
    answers and refusals would stand still meanwhile. Threads have a priority of their own on Linux; elsewhere nothing
    happens.

    Args:
        niceness: As of ``nice(1)``, where more is less; never less than the process has.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), max(niceness, niceness_here()))


def niceness_here() -> int:
    """How far this thread stands back, and whatever it starts; 0 where threads have no priority of their own."""
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) if sys.platform == "linux" else 0


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
