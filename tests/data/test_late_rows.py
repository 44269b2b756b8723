"""Rows that come late, corrected, or changed in place: counted, kept, and never known before they were."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from pilotage.data import flow
from pilotage.platform.clock import FixedClock
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import latest_evidence
from tests.data.conftest import DAY
from tests.data.shop import TEXT, fill, shop
from tests.data.stored import changed, newest, outcomes_of, result_of, versions

NEWEST = DAY + timedelta(minutes=30 * 149)


def test_late_and_corrected_rows_are_counted_and_the_evidence_says_so(
    work: Workspace, shop_path: Path, clock: FixedClock
) -> None:
    flow.sync(work, shop())
    clock.advance(timedelta(hours=2))
    rows = [
        ("late", "north", 1.0, "a", NEWEST - timedelta(hours=20), NEWEST - timedelta(hours=20)),
        ("in time", "north", 1.0, "a", clock.now(), clock.now() - timedelta(minutes=1)),
        ("v149", "north", 9.0, "b", NEWEST, clock.now() - timedelta(minutes=1)),
        ("too late", "north", 1.0, "a", DAY, DAY),
    ]
    fill(shop_path, "visits", rows)
    result = result_of(flow.sync(work, shop()), "visits")
    assert (result.rows_new, result.late, result.corrected) == (3, 1, 1)
    evidence = latest_evidence(work, "returns", "sync")
    assert evidence is not None
    kept = next(source for source in evidence.body["sources"] if source["source"] == "visits")
    assert (kept["late"], kept["corrected"], kept["deleted"]) == (1, 1, 0)
    assert ("too late",) not in newest(work, "visits", "visit_id")


def test_how_far_back_a_sync_looks_is_what_the_source_says(work: Workspace, shop_path: Path) -> None:
    text = TEXT.replace("    table: visits\n", "    table: visits\n    late: 4 days\n")
    flow.sync(work, shop(text))
    fill(shop_path, "visits", [("very late", "north", 1.0, "a", DAY, DAY)])
    assert result_of(flow.sync(work, shop(text)), "visits").late == 1
    assert result_of(flow.sync(work, shop(text)), "visits").rows_new == 0


def test_a_row_changed_in_place_counts_from_the_sync_that_saw_it_and_its_history_is_kept(
    work: Workspace, shop_path: Path, clock: FixedClock
) -> None:
    flow.sync(work, shop())
    clock.advance(timedelta(hours=1))
    seen = clock.now().replace(tzinfo=None)
    changed(shop_path, "UPDATE visits SET score = 77 WHERE visit_id = 'v149'")
    result = result_of(flow.sync(work, shop()), "visits")
    assert (result.rows_new, result.corrected, result.late) == (1, 1, 0)
    old, new = (row for row in versions(work, "visits") if row["visit_id"] == "v149")
    assert (old["score"], new["score"]) == (149 % 9, 77.0)
    assert (new["known_at"], new["_known_at"]) == (old["known_at"], seen)
    assert result_of(flow.sync(work, shop()), "visits").rows_new == 0
    clock.advance(timedelta(hours=1))
    changed(shop_path, f"UPDATE visits SET score = {149 % 9} WHERE visit_id = 'v149'")
    assert result_of(flow.sync(work, shop()), "visits").corrected == 1
    assert [row["score"] for row in versions(work, "visits") if row["visit_id"] == "v149"] == [5.0, 77.0, 5.0]


def test_an_outcome_changed_in_place_is_known_from_the_sync_that_saw_it(
    work: Workspace, shop_path: Path, clock: FixedClock
) -> None:
    flow.sync(work, shop())
    before = outcomes_of(work, shop(), ["o58"])["o58"]
    clock.advance(timedelta(hours=1))
    changed(shop_path, "UPDATE returns SET returned = 1 WHERE order_id = 'o58'")
    flow.sync(work, shop())
    assert before[0] is False
    assert outcomes_of(work, shop(), ["o58"])["o58"] == (True, clock.now())


def test_rows_that_share_key_and_clock_are_all_kept_and_stored_once(work: Workspace, shop_path: Path) -> None:
    twins = [("twin", "north", score, "a", NEWEST, NEWEST) for score in (1.0, 2.0, 2.0)]
    fill(shop_path, "visits", twins)
    assert result_of(flow.sync(work, shop()), "visits").rows_new == 153
    assert result_of(flow.sync(work, shop()), "visits").rows_new == 0


def test_a_row_without_a_key_is_stored_once(work: Workspace, shop_path: Path) -> None:
    fill(shop_path, "visits", [(None, "north", 1.0, "a", NEWEST, NEWEST)])
    assert result_of(flow.sync(work, shop()), "visits").rows_new == 151
    assert result_of(flow.sync(work, shop()), "visits").rows_new == 0


def test_a_column_that_nobody_needs_yet_makes_no_row_a_corrected_one(work: Workspace, shop_path: Path) -> None:
    flow.sync(work, shop())
    changed(shop_path, "ALTER TABLE visits ADD COLUMN stars REAL DEFAULT 5")
    assert result_of(flow.sync(work, shop()), "visits").rows_new == 0
