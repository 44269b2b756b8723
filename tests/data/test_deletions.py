"""Deleted rows: a key that is gone is not visible from then on, and was before."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pilotage.data import flow
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import SourceUnavailable
from pilotage.platform.workspace import Workspace
from tests.data.conftest import DAY
from tests.data.shop import TEXT, fill, shop
from tests.data.stored import changed, newest, outcomes_of, result_of, versions


def compared(text: str, table: str) -> str:
    return text.replace(f"    table: {table}\n", f"    table: {table}\n    deletions: compared\n")


COMPARED = compared(TEXT, "visits")


def test_a_key_that_is_gone_is_deleted_from_the_sync_on_that_compared(
    work: Workspace, shop_path: Path, clock: FixedClock
) -> None:
    first = result_of(flow.sync(work, shop(COMPARED)), "visits")
    assert (first.rows_new, first.deleted) == (150, 0)
    changed(shop_path, "DELETE FROM visits WHERE visit_id IN ('v1', 'v140')")
    clock.advance(timedelta(hours=1))
    result = result_of(flow.sync(work, shop(COMPARED)), "visits")
    assert (result.rows_new, result.deleted, result.rows, result.known_to) == (0, 2, 152, first.known_to)
    assert flow.snapshot(work, "returns", "visits").deletions == 2
    gone = [row for row in versions(work, "visits") if row["_deleted"]]
    at = clock.now().replace(tzinfo=None)
    assert {row["visit_id"]: (row["_known_at"], row["happened_at"], row["score"]) for row in gone} == {
        "v1": (at, at, None),
        "v140": (at, at, None),
    }
    assert len(newest(work, "visits", "visit_id")) == 148
    assert result_of(flow.sync(work, shop(COMPARED)), "visits").deleted == 0


@pytest.mark.parametrize("visit", ["v1", "v140"])
def test_a_key_that_comes_back_is_visible_again_from_then_on(
    work: Workspace, shop_path: Path, clock: FixedClock, visit: str
) -> None:
    flow.sync(work, shop(COMPARED))
    changed(shop_path, f"CREATE TABLE kept AS SELECT * FROM visits WHERE visit_id = '{visit}'")
    changed(shop_path, f"DELETE FROM visits WHERE visit_id = '{visit}'")
    clock.advance(timedelta(hours=1))
    flow.sync(work, shop(COMPARED))
    changed(shop_path, "INSERT INTO visits SELECT * FROM kept")
    clock.advance(timedelta(hours=1))
    back = result_of(flow.sync(work, shop(COMPARED)), "visits")
    assert (back.rows_new, back.corrected, back.late, back.deleted) == (1, 1, 0, 0)
    history = [row for row in versions(work, "visits") if row["visit_id"] == visit]
    assert [row["_deleted"] for row in history] == [False, True, False]
    assert history[2]["_known_at"] == clock.now().replace(tzinfo=None)
    assert history[2]["happened_at"] == history[0]["happened_at"]
    assert len(newest(work, "visits", "visit_id")) == 150
    assert result_of(flow.sync(work, shop(COMPARED)), "visits").rows_new == 0


def test_comparing_keys_also_finds_a_row_written_later_than_the_source_says(work: Workspace, shop_path: Path) -> None:
    flow.sync(work, shop(COMPARED))
    fill(shop_path, "visits", [("old", "north", 3.0, "a", DAY - timedelta(days=9), DAY - timedelta(days=9))])
    assert result_of(flow.sync(work, shop(COMPARED)), "visits").late == 1
    assert ("old",) in newest(work, "visits", "visit_id")
    assert result_of(flow.sync(work, shop(COMPARED)), "visits").rows_new == 0


def test_a_row_that_says_that_it_is_deleted_deletes_its_key_from_its_own_clock_on(
    work: Workspace, shop_path: Path
) -> None:
    text = TEXT.replace(
        "    table: visits\n", "    table: visits\n    deleted: grade = 'gone'\n    deletions: compared\n"
    )
    at = DAY + timedelta(hours=100)
    fill(shop_path, "visits", [("v3", "south", None, "gone", at, at), ("never", "west", None, "gone", at, at)])
    result = result_of(flow.sync(work, shop(text)), "visits")
    assert (result.rows_new, result.deleted) == (150, 2)
    assert not {("v3",), ("never",)} & set(newest(work, "visits", "visit_id"))
    assert {row["_known_at"] for row in versions(work, "visits") if row["_deleted"]} == {at.replace(tzinfo=None)}
    again = result_of(flow.sync(work, shop(text)), "visits")
    assert (again.rows_new, again.deleted) == (0, 0)


def test_what_counts_as_deleted_is_part_of_what_a_source_is(work: Workspace, shop_path: Path) -> None:
    flow.sync(work, shop())
    text = TEXT.replace("    table: visits\n", "    table: visits\n    deleted: grade = 'c'\n")
    result = result_of(flow.sync(work, shop(text)), "visits")
    assert (result.rows_new, result.deleted) == (100, 50)


def test_training_and_live_see_a_visit_until_it_is_deleted(work: Workspace, shop_path: Path, clock: FixedClock) -> None:
    gone_at = DAY + timedelta(hours=30)
    clock.advance(gone_at - timedelta(minutes=5) - clock.now())
    flow.sync(work, shop(COMPARED))
    clock.advance(timedelta(minutes=5))
    changed(shop_path, "DELETE FROM visits WHERE happened_at > '2013-12-01 12:00' AND happened_at < '2013-12-02 05:00'")
    flow.sync(work, shop(COMPARED))
    clock.advance(timedelta(days=9))
    flow.sync(work, shop(COMPARED))
    rows = flow.training_rows(work, flow.build(work, shop(COMPARED))).to_pylist()
    live = flow.open_live(work, shop(COMPARED))
    counts = {row["moment"]: row["count_score_by_store_1d"] for row in rows if row["store"] == "north"}
    before = [count for moment, count in counts.items() if moment < gone_at.replace(tzinfo=None)]
    after = next(count for moment, count in counts.items() if moment > gone_at.replace(tzinfo=None))
    assert max(before) == 24
    assert after < 12
    for row in rows:
        request = {"order_id": row["entity"], "store": row["store"], "amount": row["amount"]}
        answer = live.assemble(request | {"placed_at": row["moment"]}, row["moment"].replace(tzinfo=clock.now().tzinfo))
        assert answer == {name: row[name] for name in answer}


def test_a_decision_deleted_before_its_moment_is_none_and_one_deleted_after_it_stays(
    work: Workspace, shop_path: Path, clock: FixedClock
) -> None:
    due = DAY + timedelta(days=6)
    ahead = [(name, "north", 1.0, due, DAY) for name in ("called off", "kept", "moved")]
    fill(shop_path, "orders", ahead)
    text = compared(compared(TEXT, "orders"), "returns")
    flow.sync(work, shop(text))
    changed(shop_path, "DELETE FROM orders WHERE order_id = 'called off'")
    clock.advance(timedelta(hours=1))
    flow.sync(work, shop(text))
    clock.advance(timedelta(days=4))
    changed(shop_path, "DELETE FROM orders WHERE order_id IN ('kept', 'o3')")
    outcomes = [(name, 1, clock.now()) for name in ("called off", "kept", "moved")]
    fill(shop_path, "returns", outcomes)
    flow.sync(work, shop(text))
    rows = {row["entity"]: row["label"] for row in flow.training_rows(work, flow.build(work, shop(text))).to_pylist()}
    assert "called off" not in rows
    assert (rows["kept"], rows["moved"], rows["o3"]) == (True, True, True)


def test_an_outcome_that_was_deleted_is_unknown_again(work: Workspace, shop_path: Path, clock: FixedClock) -> None:
    text = compared(TEXT, "returns")
    flow.sync(work, shop(text))
    assert outcomes_of(work, shop(text), ["o3", "o6"])["o3"][0] is True
    changed(shop_path, "DELETE FROM returns WHERE order_id = 'o3'")
    clock.advance(timedelta(hours=1))
    flow.sync(work, shop(text))
    assert set(outcomes_of(work, shop(text), ["o3", "o6"])) == {"o6"}
    rows = {row["entity"]: row["label"] for row in flow.training_rows(work, flow.build(work, shop(text))).to_pylist()}
    assert (rows["o3"], rows["o6"]) == (None, True)


def test_a_source_that_is_empty_all_at_once_is_not_taken_as_deleted(work: Workspace, shop_path: Path) -> None:
    flow.sync(work, shop(COMPARED))
    changed(shop_path, "DELETE FROM visits")
    with pytest.raises(SourceUnavailable, match="had 150 rows and is empty"):
        flow.sync(work, shop(COMPARED))
    assert len(newest(work, "visits", "visit_id")) == 150


def test_a_source_may_have_columns_named_as_ours_and_mark_deletions_by_them(work: Workspace, shop_path: Path) -> None:
    changed(shop_path, "ALTER TABLE visits ADD COLUMN _deleted BOOLEAN")
    changed(shop_path, "UPDATE visits SET _deleted = visit_id = 'v9'")
    text = TEXT.replace("    table: visits\n", "    table: visits\n    deleted: _deleted\n")
    assert result_of(flow.sync(work, shop(text)), "visits").deleted == 1
    assert "_deleted" not in {column.name for column in flow.snapshot(work, "returns", "visits").columns}
