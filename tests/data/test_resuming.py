"""A first sync that is killed goes on after its last finished piece, and nothing partial is ever visible."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from pilotage.data import flow, store
from pilotage.data.records import Extent
from pilotage.data.rules import pieces
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import EvidenceMissing
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from tests.data.conftest import DAY
from tests.data.reading import reads
from tests.data.shop import fill, shop
from tests.data.stored import result_of, versions

KILLED = """
import os, signal, sys
from datetime import datetime, UTC
from pathlib import Path
from pilotage.data import flow, sources
from pilotage.data.rules import pieces
from pilotage.platform.clock import FixedClock
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import open_workspace
from tests.data.shop import shop

pieces.PIECE_ROWS = 40
real, spans = sources.read, []

def read(asked, columns, span):
    for batch in real(asked, columns, span):
        yield batch
        if asked.name == "visits":
            spans.append(span)
            if len(spans) == 3:
                work.lake.writing().__enter__().write_text("half a file")
                os.kill(os.getpid(), signal.SIGKILL)

sources.read = read
work = open_workspace(Settings(home=Path(sys.argv[1])), FixedClock(datetime(2013, 12, 5, 20, tzinfo=UTC)))
flow.sync(work, shop())
"""


def killed(home: Path) -> int:
    """Sync the shop in a process that dies while it reads the third of the pieces of visits."""
    command = [sys.executable, "-c", KILLED, str(home)]
    return subprocess.run(command, cwd=Path(__file__).parents[2], env=dict(os.environ), check=False).returncode


def test_a_sync_that_is_killed_goes_on_where_it_was_and_ends_as_if_it_had_not_been(
    work: Workspace, shop_path: Path, tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "PIECE_ROWS", 40)
    assert killed(work.home) == -9
    with pytest.raises(EvidenceMissing):
        flow.snapshot(work, "returns", "visits")
    with work.database.reading() as control:
        progress = store.progress(control, "returns", "visits")
    assert progress is not None
    assert (progress.done, len(progress.bounds), len(progress.segments)) == (2, 4, 2)
    other = open_workspace(Settings(home=tmp_path / "other"), clock)
    expected = result_of(flow.sync(other, shop()), "visits").version
    other.close()

    clock.advance(timedelta(minutes=30))
    fill(shop_path, "visits", [("later", "north", 1.0, "a", clock.now(), clock.now())])
    seen = reads(monkeypatch)
    resumed = result_of(flow.sync(work, shop()), "visits")
    assert [span.after for name, span in seen if name == "visits"] == list(progress.bounds[1:3])
    assert (resumed.rows_new, resumed.version) == (150, expected)
    assert result_of(flow.sync(work, shop()), "visits").rows_new == 1
    with work.database.reading() as control:
        assert store.progress(control, "returns", "visits") is None


@pytest.mark.both_stores
def test_pieces_of_another_declaration_are_not_gone_on_with(
    work: Workspace, shop_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "PIECE_ROWS", 40)
    assert killed(work.home) == -9
    monkeypatch.setenv("OTHER", os.environ["SHOP"])
    text = shop().text.replace("database: env:SHOP\n    table: visits", "database: env:OTHER\n    table: visits")
    assert result_of(flow.sync(work, shop(text)), "visits").rows_new == 150
    assert len(versions(work, "visits")) == 150


def test_what_a_dead_process_left_half_written_is_removed_and_what_a_living_one_writes_is_not(
    work: Workspace, shop_path: Path
) -> None:
    assert killed(work.home) == -9
    left = [*work.lake.root.glob(".*.tmp")]
    assert len(left) == 1
    (work.lake.spill / left[0].name.removeprefix(".").removesuffix(".tmp")).mkdir(parents=True)
    with work.lake.writing() as living:
        living.write_text("not ended")
        flow.sync(work, shop())
        assert [*work.lake.root.glob(".*.tmp"), *work.lake.spill.glob("*")] == [living]


def test_pieces_are_equal_spans_that_cover_everything_once() -> None:
    until = DAY + timedelta(days=10)
    ends = pieces.bounds(Extent(2_500_000, DAY, DAY + timedelta(days=9)), until)
    assert ends == (DAY + timedelta(days=3), DAY + timedelta(days=6), until)
    assert pieces.bounds(Extent(1_000_000, DAY, until), until) == (until,)
    assert pieces.bounds(Extent(5_000_000, DAY, DAY), until) == (until,)
    assert pieces.bounds(Extent(0, None, None), until) == pieces.bounds(None, until) == (until,)
