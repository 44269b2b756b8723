"""A server under load: started on one core, asked by wrk from the other, and what that cost it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

SERVER_CORE, LOAD_CORE, BOTH_CORES = "0", "1", "0,1"
_TICKS = os.sysconf("SC_CLK_TCK")
_START_SECONDS = 120.0
_QUIET_SHARE, _QUIET_LOOK_SECONDS, _QUIET_SECONDS_MAX = 0.05, 0.5, 30.0

# What wrk runs: bodies in turn, and at the end one line of JSON.
_SCRIPT = """\
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
%(headers)s
local bodies, at, keys = {}, 0, "%(keys)s"
for line in io.lines("%(bodies)s") do bodies[#bodies + 1] = line end
function request()
  at = at + 1
  if keys ~= "" then wrk.headers["Idempotency-Key"] = keys .. at end
  return wrk.format(nil, nil, nil, bodies[at %% #bodies + 1])
end
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('{"requests": %%d, "microseconds": %%d, "p50": %%d, "p99": %%d, ' ..
    '"refused": %%d, "broken": %%d, "late": %%d}\\n', summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), e.status, e.connect + e.read + e.write, e.timeout))
end
"""


class Failed(Exception):
    """A server could not be had, did not start, or did not answer; the first line says it in short."""


@dataclasses.dataclass(frozen=True)
class Load:
    """What wrk counted. ``refused`` had another status than success, ``broken`` none at all; latencies in µs."""

    requests: int
    microseconds: int
    p50: int
    p99: int
    refused: int
    broken: int
    late: int

    @classmethod
    def told(cls, printed: str) -> Load:
        """From what wrk printed: our script's line is the last.

        Raises:
            Failed: there is no such line, or a request was not answered with success.
        """
        lines = printed.strip().splitlines()
        try:
            found = cls(**json.loads(lines[-1]))
        except (IndexError, TypeError, ValueError):
            raise Failed(f"wrk was expected to end with its counts; it printed: {printed[-500:]!r}") from None
        if not found.requests or found.refused or found.broken or found.late:
            raise Failed(f"Every request must be answered with success; wrk counted {found}.")
        return found

    @property
    def per_second(self) -> float:
        return self.requests * 1e6 / self.microseconds


@dataclasses.dataclass(frozen=True)
class Cost:
    """One measurement: CPU microseconds per request of all the server's processes, and what its callers saw."""

    cpu_us: float
    per_second: float
    p50_ms: float
    p99_ms: float


@dataclasses.dataclass(frozen=True)
class Asked:
    """Where a server is asked, and what: a file with one body a line, and headers. ``keyed``: each request has an
    idempotency key of its own.
    """

    path: str
    bodies: Path
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)
    keyed: bool = False

    def script(self) -> str:
        """The Lua program for wrk."""
        headers = "\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in self.headers.items())
        keys = f"{uuid.uuid4()}-" if self.keyed else ""
        return _SCRIPT % {"headers": headers, "bodies": self.bodies, "keys": keys}


def demand_wrk() -> None:
    """wrk and taskset are there.

    Raises:
        SystemExit: they are not; the message says how to get them.
    """
    for program, package in (("wrk", "wrk"), ("taskset", "util-linux")):
        if not any((Path(folder) / program).exists() for folder in os.get_exec_path()):
            raise SystemExit(f"This needs {program}: apt-get install -y {package}, or your system's package of it.")


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(
    command: Sequence[str],
    port: int,
    log: Path,
    environment: Mapping[str, str],
    ready: str = "/",
    cores: str = SERVER_CORE,
) -> Iterator[int]:
    """A server on its core or cores, from its first answer on: its process, which ends with its children.

    Raises:
        Failed: it ended, or did not answer in time; what it printed is shown.
    """
    pinned = ["taskset", "-c", cores, *command]
    with log.open("wb") as printed:
        child = subprocess.Popen(
            pinned, env={**os.environ, **environment}, stdout=printed, stderr=printed, start_new_session=True
        )
        try:
            _await_answer(child, pinned, port, ready, log)
            yield child.pid
        finally:
            _end(child)


def measured(process: int, port: int, asked: Asked, connections: int, seconds: int) -> Cost:
    """Ask for so long. What the server does with it afterwards, until it is quiet again, counts as well."""
    before = cpu_seconds(process)
    load = _asked(port, asked, connections, seconds)
    spent = until_quiet(process) - before
    return Cost(spent * 1e6 / load.requests, load.per_second, load.p50 / 1000, load.p99 / 1000)


def warm(process: int, port: int, asked: Asked, seconds: int) -> None:
    """Ask without measuring, then let the server finish what that made it begin."""
    _asked(port, asked, 8, seconds)
    until_quiet(process)


def until_quiet(process: int) -> float:
    """Wait until the server does next to nothing; the CPU seconds that it had spent when that began."""
    deadline = time.monotonic() + _QUIET_SECONDS_MAX
    spent = cpu_seconds(process)
    while time.monotonic() < deadline:
        time.sleep(_QUIET_LOOK_SECONDS)
        now = cpu_seconds(process)
        if now - spent <= _QUIET_SHARE * _QUIET_LOOK_SECONDS:
            return spent
        spent = now
    return spent


def cpu_seconds(process: int) -> float:
    """User and system time of a process and everything that descends from it."""
    return sum(_ticks(each) for each in family_of(process)) / _TICKS


def family_of(process: int) -> list[int]:
    """A process and its descendants that live."""
    parents: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (fields := _stat(int(folder.name))):
            parents.setdefault(int(fields[1]), []).append(int(folder.name))
    found = [process]
    for each in found:
        found += parents.get(each, [])
    return found


def _ticks(process: int) -> int:
    """Of the process, and of its children that ended and were waited for."""
    fields = _stat(process)
    return sum(map(int, fields[11:15])) if fields else 0


def _stat(process: int) -> list[str]:
    """The fields of ``/proc/<pid>/stat`` from the state on; its name, which comes before, may hold anything."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _asked(port: int, asked: Asked, connections: int, seconds: int) -> Load:
    script = asked.bodies.with_suffix(f".{port}.lua")
    script.write_text(asked.script())
    command = ["taskset", "-c", LOAD_CORE, "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s"]
    try:
        child = subprocess.run(
            [*command, "-s", str(script), f"http://127.0.0.1:{port}{asked.path}"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    finally:
        script.unlink()
    return Load.told(child.stdout)


def _await_answer(child: subprocess.Popen[bytes], command: Sequence[str], port: int, path: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if child.poll() is not None:
            break
        if _status(port, path) in range(200, 400):
            return
        time.sleep(0.1)
    printed = log.read_text(errors="replace")[-3000:].strip()
    last = (printed.splitlines() or ["it printed nothing"])[-1]
    raise Failed(f"it did not start: {last}\n{' '.join(command)} printed:\n{printed}")


def _status(port: int, path: str) -> int:
    """What the server answers; 0 where nobody does."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            return int(connection.recv(64).split()[1])
    except (OSError, IndexError, ValueError):
        return 0


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ask it to stop, and make it; it leads a session of its own, so nobody else is met."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(timeout=20)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
