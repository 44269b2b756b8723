"""Static sources: lists without clocks, whose rows always held, and whose changes are seen by syncs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pilotage.data import flow
from pilotage.platform.clock import FixedClock
from pilotage.platform.workspace import Workspace
from tests.data.conftest import DAY
from tests.data.shop import WITH_STORES, fill, shop
from tests.data.stored import changed, newest, result_of, versions

ALWAYS = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)


@pytest.fixture
def stores(shop_path: Path) -> Path:
    """The shop with a list of its stores."""
    rows = [("north", "sea"), ("south", "hill"), ("west", None)]
    fill(shop_path, "stores", rows, "store TEXT, region TEXT")
    return shop_path


def test_rows_of_the_first_sync_always_held_and_those_unchanged_are_kept_once(
    work: Workspace, stores: Path, clock: FixedClock
) -> None:
    first = result_of(flow.sync(work, shop(WITH_STORES)), "stores")
    assert (first.rows_new, first.rows, first.known_to) == (3, 3, None)
    found = flow.snapshot(work, "returns", "stores")
    assert [column.name for column in found.columns] == ["store", "region"]
    clock.advance(timedelta(days=400))
    again = result_of(flow.sync(work, shop(WITH_STORES)), "stores")
    assert (again.rows_new, again.version) == (0, first.version)
    assert {row["_known_at"] for row in versions(work, "stores")} == {ALWAYS}


def test_two_installations_give_the_same_list_the_same_version(
    work: Workspace, stores: Path, clock: FixedClock
) -> None:
    first = result_of(flow.sync(work, shop(WITH_STORES)), "stores").version
    with work.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM snapshots")
    clock.advance(timedelta(days=3))
    assert result_of(flow.sync(work, shop(WITH_STORES)), "stores").version == first


def test_changed_new_and_gone_rows_count_from_the_sync_that_saw_them(
    work: Workspace, stores: Path, clock: FixedClock
) -> None:
    flow.sync(work, shop(WITH_STORES))
    clock.advance(timedelta(days=1))
    seen = clock.now().replace(tzinfo=None)
    changed(stores, "UPDATE stores SET region = 'coast' WHERE store = 'north'")
    changed(stores, "DELETE FROM stores WHERE store = 'south'")
    changed(stores, "INSERT INTO stores VALUES ('east', 'plain')")
    result = result_of(flow.sync(work, shop(WITH_STORES)), "stores")
    assert (result.rows_new, result.corrected, result.deleted, result.late) == (2, 1, 1, 0)
    assert newest(work, "stores", "store", "region") == [("east", "plain"), ("north", "coast"), ("west", None)]
    later = [(r["store"], r["region"], r["_deleted"]) for r in versions(work, "stores") if r["_known_at"] == seen]
    assert sorted(later) == [("east", "plain", False), ("north", "coast", False), ("south", None, True)]
    assert result_of(flow.sync(work, shop(WITH_STORES)), "stores").rows_new == 0
    clock.advance(timedelta(days=1))
    changed(stores, "INSERT INTO stores VALUES ('south', 'hill')")
    back = result_of(flow.sync(work, shop(WITH_STORES)), "stores")
    assert (back.rows_new, back.corrected) == (1, 1)
    assert ("south", "hill") in newest(work, "stores", "store", "region")


def test_a_lookup_in_a_list_works_in_training_and_live_before_and_after_a_change(
    work: Workspace, stores: Path, clock: FixedClock
) -> None:
    clock.advance(DAY + timedelta(hours=30) - clock.now())
    flow.sync(work, shop(WITH_STORES))
    clock.advance(timedelta(hours=1))
    changed(stores, "UPDATE stores SET region = 'coast' WHERE store = 'north'")
    changed(stores, "DELETE FROM stores WHERE store = 'south'")
    flow.sync(work, shop(WITH_STORES))
    change = clock.now()
    clock.advance(timedelta(days=9))
    flow.sync(work, shop(WITH_STORES))
    built = flow.build(work, shop(WITH_STORES))
    rows = flow.training_rows(work, built).to_pylist()
    before, after = (
        {r["store"]: r["region"] for r in rows if (r["moment"] >= change.replace(tzinfo=None)) is late}
        for late in (False, True)
    )
    assert before == {"north": "sea", "south": "hill", "west": None}
    assert after == {"north": "coast", "south": None, "west": None}
    live = flow.open_live(work, shop(WITH_STORES))
    for row in rows:
        request = {"order_id": row["entity"], "store": row["store"], "amount": 1.0, "placed_at": row["moment"]}
        assert live.assemble(request, row["moment"].replace(tzinfo=UTC))["region"] == row["region"]
    assert flow.prove(work, shop(WITH_STORES), built).same


def test_decisions_of_a_static_source_without_a_moment_are_all_of_1970(work: Workspace, stores: Path) -> None:
    clocks = "    event_time: placed_at\n    known_at: known_at\n  visits:"
    text = WITH_STORES.replace(clocks, "    static: true\n  visits:").replace("  moment: placed_at\n", "")
    flow.sync(work, shop(text))
    built = flow.build(work, shop(text))
    assert (built.rows, built.labelled) == (60, 60)
    assert built.moment_from == built.moment_to == ALWAYS.replace(tzinfo=UTC)


def test_decisions_of_a_static_source_with_a_moment_in_the_request_stand_at_it(work: Workspace, stores: Path) -> None:
    clocks = "    event_time: placed_at\n    known_at: known_at\n  visits:"
    text = WITH_STORES.replace(clocks, "    static: true\n  visits:")
    flow.sync(work, shop(WITH_STORES))
    expected = flow.training_rows(work, flow.build(work, shop(WITH_STORES)))
    flow.sync(work, shop(text))
    assert flow.training_rows(work, flow.build(work, shop(text))) == expected


def test_a_list_that_is_empty_all_at_once_is_not_taken_as_deleted(work: Workspace, stores: Path) -> None:
    flow.sync(work, shop(WITH_STORES))
    changed(stores, "DELETE FROM stores")
    with pytest.raises(Exception, match="had 3 rows and is empty: nothing was taken as deleted"):
        flow.sync(work, shop(WITH_STORES))
    assert len(newest(work, "stores", "store")) == 3
