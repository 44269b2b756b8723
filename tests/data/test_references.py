"""A Delta table keeps its versions itself: a snapshot names one of them, and nothing is copied."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from pilotage.data import flow
from pilotage.data.snapshots import check_segments
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import NotFound
from pilotage.platform.workspace import Workspace
from tests.data.conftest import DAY
from tests.data.shop import TEXT, shop
from tests.data.stored import newest, result_of

deltalake = pytest.importorskip("deltalake")
pytest.importorskip("pilotage.data.sources.delta")

DELTA = TEXT.replace("    database: env:SHOP\n    table: visits\n", "    delta: env:VISITS\n")


def visits(first: int, count: int, grade: str = "a") -> pa.Table:
    at = [(DAY + n * timedelta(minutes=30)).replace(tzinfo=UTC) for n in range(first, first + count)]
    columns: dict[str, list[object]] = {"visit_id": [f"v{n}" for n in range(first, first + count)]}
    columns |= {"store": ["north"] * count, "score": [float(n % 9) for n in range(count)], "grade": [grade] * count}
    return pa.table(columns | {"happened_at": at, "known_at": at})


@pytest.fixture
def table(shop_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Delta table of a hundred visits, beside the shop's database."""
    path = tmp_path / "visits"
    deltalake.write_deltalake(str(path), visits(0, 100))
    monkeypatch.setenv("VISITS", str(path))
    return path


def test_a_version_is_referenced_and_a_newer_one_is_another_snapshot(work: Workspace, table: Path) -> None:
    first = result_of(flow.sync(work, shop(DELTA)), "visits")
    assert (first.rows_new, first.rows) == (100, 100)
    assert first.known_to == DAY + 99 * timedelta(minutes=30)
    found = flow.snapshot(work, "returns", "visits")
    assert found.segments == ()
    assert found.reference is not None
    assert found.reference.version == 0
    again = result_of(flow.sync(work, shop(DELTA)), "visits")
    assert (again.rows_new, again.version) == (0, first.version)
    deltalake.write_deltalake(str(table), visits(100, 20), mode="append")
    second = result_of(flow.sync(work, shop(DELTA)), "visits")
    assert (second.rows_new, second.rows) == (20, 120)
    assert second.version != first.version
    assert len(newest(work, "visits", "visit_id")) == 120


def test_training_sets_stand_on_the_version_that_was_referenced(work: Workspace, table: Path) -> None:
    flow.sync(work, shop(DELTA))
    built = flow.build(work, shop(DELTA))
    deltalake.write_deltalake(str(table), visits(0, 10), mode="overwrite")
    flow.sync(work, shop(DELTA))
    assert flow.build(work, shop(DELTA)).fingerprint != built.fingerprint
    assert flow.prove(work, shop(DELTA), built).same
    live = flow.open_live(work, shop(DELTA))
    request = {"order_id": "o1", "store": "north", "amount": 1.0, "placed_at": DAY}
    assert live.assemble(request, datetime(2013, 12, 1, 1, tzinfo=UTC))["count_by_store_2h"] is not None


def test_a_row_that_says_that_it_is_deleted_is_so_in_a_referenced_version(work: Workspace, table: Path) -> None:
    deltalake.write_deltalake(str(table), visits(200, 5, "gone"), mode="append")
    text = DELTA.replace("    delta: env:VISITS\n", "    delta: env:VISITS\n    deleted: grade = 'gone'\n")
    flow.sync(work, shop(text))
    assert len(newest(work, "visits", "visit_id")) == 100


def test_a_table_without_clocks_or_with_compared_keys_is_copied(
    work: Workspace, table: Path, clock: FixedClock
) -> None:
    text = DELTA.replace("    delta: env:VISITS\n", "    delta: env:VISITS\n    deletions: compared\n")
    flow.sync(work, shop(text))
    assert flow.snapshot(work, "returns", "visits").reference is None
    clock.advance(timedelta(hours=1))
    deltalake.write_deltalake(str(table), visits(0, 90), mode="overwrite")
    assert result_of(flow.sync(work, shop(text)), "visits").deleted == 10


def test_a_version_whose_files_are_gone_is_named(work: Workspace, table: Path) -> None:
    flow.sync(work, shop(DELTA))
    next(table.glob("*.parquet")).unlink()
    with pytest.raises(NotFound, match="Version 0 of visits has lost a file"):
        check_segments(work.lake, flow.snapshot(work, "returns", "visits"))
