"""A worker process that is to be killed at work. Arguments: seconds of its lease, ``batch`` or ``recurring``.

Settings come from the environment. It says when it is at work, then goes on for a minute.
"""

from __future__ import annotations

import sys
import time
from datetime import timedelta

from pilotage.decisions.jobs import flow, running
from pilotage.platform import jobs
from pilotage.platform.jobs import Job
from pilotage.platform.settings import read_settings
from pilotage.platform.workspace import Workspace, open_workspace


def shorten(seconds: float) -> None:
    """Let leases of this process be of so many seconds; 0 leaves them as they are."""
    if seconds:
        running.LEASE = flow.LEASE = jobs.LEASE = timedelta(seconds=seconds)


def sleepy(work: Workspace) -> None:
    print("at work", flush=True)
    time.sleep(60)


def main(seconds: float, kind: str) -> None:
    shorten(seconds)
    work = open_workspace(read_settings())
    if kind == "recurring":
        job = Job("sleepy", timedelta(minutes=1), sleepy)
        jobs.enlist(work, [job])
        jobs.run_if_due(work, job, "dying")
        return
    running.CHUNK_ROWS = 10
    while True:
        flow.run_next(work, lambda: bool(print("at work", flush=True)), pause_seconds=0.1)


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2])
