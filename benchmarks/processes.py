"""Whole processes, timed: wall time and peak memory of one command, and peers in virtual environments of their own."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

CACHE = Path(".cache/benchmarks")


@dataclasses.dataclass(frozen=True)
class Run:
    """One or more runs of a command: median wall time in seconds, highest peak resident memory in MB."""

    seconds: float
    peak_mb: float


def timed(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    rounds: int = 1,
    passing: Collection[int] = (0, 1),
) -> Run:
    """Run a command to its end, some times over; it may end with a code of ``passing``.

    Raises:
        SystemExit: it failed; what it printed is shown.
    """
    seconds, peaks = [], []
    for _ in range(rounds):
        began = time.perf_counter()
        child = subprocess.Popen(
            list(command), env={**os.environ, **(environment or {})}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        printed = child.stdout.read() if child.stdout else b""
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        seconds.append(time.perf_counter() - began)
        peaks.append(usage.ru_maxrss / 1024)
        if child.returncode not in passing:  # 1: a check did not pass, which is an answer of our commands
            raise SystemExit(f"{' '.join(command[:4])} … failed:\n{printed.decode(errors='replace')[-3000:]}")
    return Run(statistics.median(seconds), max(peaks))


def peer(packages: Sequence[str]) -> Path:
    """The Python of a virtual environment with these packages, made once."""
    name = hashlib.sha256(" ".join(packages).encode()).hexdigest()[:12]
    place = CACHE / "peers" / name
    python = place / "bin" / "python"
    if not (place / ".installed").exists():
        print(f"Installing {', '.join(packages)} …", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
        subprocess.run(install, check=True)
        (place / ".installed").touch()
    return python.absolute()
