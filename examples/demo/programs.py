"""Runs the two programs, and stops what it started."""

from __future__ import annotations

import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
from examples.demo.plan import Plan

_READY_SECONDS = 60
_STOP_SECONDS = 15


class StepFailed(Exception):
    """A command of the story ended with an error; its output was shown."""


def run(plan: Plan, module: str, *arguments: str, allowed: tuple[int, ...] = (0,), quiet: bool = False) -> str:
    """Run one command of the story, show what it says, and return that.

    Raises:
        StepFailed: it ended with an exit code that is not allowed.
    """
    program = module if module == "pilotage" else f"python -m {module}"
    shown = f"{program} {shlex.join(arguments)}"
    began = time.perf_counter()
    if not quiet:
        print(f"\n$ {shown.replace(str(Path.cwd()) + '/', '')}", flush=True)
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], env=plan.environment(), capture_output=True, text=True, check=False
    )
    if not quiet:
        print(_indented(done.stdout + done.stderr), flush=True)
        print(f"  ({time.perf_counter() - began:.1f} s)", flush=True)
    if done.returncode not in allowed:
        raise StepFailed(f"{shown} ended with exit code {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def pilotage(plan: Plan, *arguments: str, allowed: tuple[int, ...] = (0,), quiet: bool = False) -> str:
    """Run one pilotage command."""
    return run(plan, "pilotage", *arguments, allowed=allowed, quiet=quiet)


def dispatch(plan: Plan, *arguments: str) -> str:
    """Run one command of the dispatch office."""
    return run(plan, "dispatch", *arguments)


@contextmanager
def running(
    plan: Plan, module: str, *arguments: str, url: str, extra: Mapping[str, str] | None = None
) -> Iterator[Path]:
    """A server in a process of its own, ready when its address answers; stopped at the end. Yields its log file."""
    log = plan.home / f"{module.split('.')[0]}.log"
    _refuse_taken(url)
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            env={**plan.environment(), **(extra or {})},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches the demo, which then stops its programs in order
        )
    try:
        _wait_until_ready(process, url, log)
        yield log
    finally:
        _stop(process)


def _refuse_taken(url: str) -> None:
    try:
        httpx.get(f"{url}/healthz", timeout=1)
    except httpx.HTTPError:
        return
    raise StepFailed(f"Something already answers at {url}. Stop it first: another demo may still be running.")


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    until = time.monotonic() + _READY_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise StepFailed(f"The program for {url} ended at once. Its log:\n{log.read_text()}")
        try:
            if httpx.get(f"{url}/healthz", timeout=1).is_success:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise StepFailed(f"{url} was not ready after {_READY_SECONDS} s. Its log:\n{log.read_text()}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.rstrip().splitlines())
