"""A sync and a build hold their rows against the contracts."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pilotage.data import flow
from pilotage.data.flow import contracting
from pilotage.govern.records import SYSTEM
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import ContractBroken, EvidenceMissing, InvalidFile
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import is_adopted
from tests.data.contracts.promises import ORDERS, VISITS, write
from tests.data.shop import fill, shop

LOOSE = VISITS.replace("max: 8", "max: 9")


def sync(work: Workspace, project: Path, **contracts: str) -> dict[str, int]:
    """Adopt the shop's file with these contracts and sync it: new rows by source."""
    write(project / "contracts", **contracts)
    return {r.source: r.rows_new for r in flow.adopt_and_sync(work, shop(), SYSTEM, str(project / "shop.yaml"))}


def test_rows_that_break_a_contract_are_refused_and_the_snapshot_stays_as_it_was(
    work: Workspace, shop_path: Path, tmp_path: Path, clock: FixedClock
) -> None:
    assert sync(work, tmp_path, orders=ORDERS, visits=LOOSE)["visits"] == 150
    before = flow.snapshot(work, "returns", "visits").version
    now = clock.now() - timedelta(minutes=1)
    fill(shop_path, "visits", [("v900", "north", 99.0, "a", now, now), ("v901", "north", 2.0, "a", now, now)])
    fill(shop_path, "orders", [("o900", "east", 5.0, now, now)])
    with pytest.raises(ContractBroken, match=r"score is 99 in 1 of 2 new rows.* Rows: v900\.") as raised:
        flow.sync(work, shop())
    assert "visits@example.com" in raised.value.repair
    assert flow.snapshot(work, "returns", "visits").version == before
    assert flow.snapshot(work, "returns", "orders").rows == 61, "the others are synced all the same"
    assert {(v.source, v.rule) for v in contracting.violations(work, "returns")} == {
        ("visits", "range"),
        ("orders", "categories"),
    }
    assert flow.states(work, "returns")["visits"].failures == 1


@pytest.mark.both_stores
def test_a_first_sync_that_breaks_a_contract_leaves_no_snapshot(
    work: Workspace, shop_path: Path, tmp_path: Path
) -> None:
    with pytest.raises(ContractBroken):
        sync(work, tmp_path, visits=VISITS.replace("max: 8", "max: 7"))
    with pytest.raises(EvidenceMissing, match="was never read"):
        flow.snapshot(work, "returns", "visits")
    assert sync(work, tmp_path, visits=LOOSE)["visits"] == 150


def test_a_file_with_a_wrong_contract_is_not_adopted(work: Workspace, shop_path: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidFile, match=r"orders\.yaml"):
        sync(work, tmp_path, orders=ORDERS.replace("store:", "shop:"))
    assert not is_adopted(work, shop())


def test_a_build_is_refused_by_a_rule_that_blocks(work: Workspace, shop_path: Path, tmp_path: Path) -> None:
    sync(work, tmp_path, orders=ORDERS)
    flow.build(work, shop())
    assert contracting.violations(work, "returns") == ()
    sync(work, tmp_path, orders=ORDERS.replace("max: 100}", "max: 50, severity: blocks}"))
    with pytest.raises(ContractBroken, match=r"amount is up to 59 in 9 of 60 rows.*No training set was built"):
        flow.build(work, shop())
