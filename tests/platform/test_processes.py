"""Who left something behind, whether it still lives, and which threads stand back for others."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pilotage.platform.engine import analytical
from pilotage.platform.errors import TooLarge
from pilotage.platform.lake import Lake
from pilotage.platform.processes import BEHIND, has_died, stand_back, this_process


def of_a_child() -> str:
    """The name of a process that has ended."""
    code = "from pilotage.platform.processes import this_process; print(this_process())"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_this_process_lives_and_one_that_ended_has_died() -> None:
    assert not has_died(this_process())
    assert has_died(of_a_child())


def test_an_earlier_process_of_the_same_number_has_died_and_one_of_an_earlier_boot_too() -> None:
    machine, boot, number, life = this_process().split("-")
    assert has_died(f"{machine}-{boot}-{number}-another")
    assert has_died(f"{machine}-before-{number}-{life}")


@pytest.mark.parametrize("process", ["elsewhere-boot-1-life", "", "4f2a9c", "None"])
def test_of_a_process_elsewhere_or_of_another_kind_nobody_can_say(process: str) -> None:
    assert not has_died(process)


def test_what_another_machine_left_is_removed_after_a_day(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    left = tmp_path / ".elsewhere-boot-1-life.token.tmp"
    left.write_text("half")
    now = datetime.now(UTC)
    assert (lake.sweep(now), left.exists()) == (0, True)
    assert (lake.sweep(now + timedelta(days=2)), left.exists()) == (1, False)


def test_the_engine_stays_within_its_memory_and_leaves_no_spilled_page(tmp_path: Path) -> None:
    with analytical(spill=tmp_path, memory_mb=64) as connection:
        connection.execute("CREATE TABLE much AS SELECT range AS n, md5(range::VARCHAR) AS text FROM range(2000000)")
        assert [*tmp_path.glob("*/*")]
        connection.execute("SELECT count(*) FROM (SELECT * FROM much ORDER BY text)")
    assert not [*tmp_path.iterdir()]


def test_a_step_that_needs_more_than_the_memory_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(TooLarge, match="64 MB"), analytical(spill=tmp_path, memory_mb=64) as connection:
        connection.execute("SELECT length(list(md5(range::VARCHAR))::VARCHAR) FROM range(10000000)").fetchall()
    assert not [*tmp_path.iterdir()]


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a priority of their own on Linux only")
def test_a_thread_that_stands_back_takes_only_itself_and_what_it_starts_along() -> None:
    here = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    def nice() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    def behind() -> list[int]:
        stand_back(BEHIND)
        stand_back(0)  # never forward again: that needs a privilege
        with ThreadPoolExecutor(1) as started:
            return [nice(), started.submit(nice).result()]

    with ThreadPoolExecutor(1) as one:
        found = one.submit(behind).result()
    assert found == [max(here, BEHIND)] * 2
    assert nice() == here
