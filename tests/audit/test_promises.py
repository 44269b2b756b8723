"""What contracts and syncing know of a source, as findings of the audit."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pilotage.audit import flow
from pilotage.data import flow as data
from pilotage.data.sources.asked import Asked
from pilotage.govern.records import SYSTEM
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import SourceUnavailable
from pilotage.platform.workspace import Workspace
from tests.data.conftest import DAY, shop_path
from tests.data.shop import fill, shop

__all__ = ["shop_path"]

CONTRACT = """
contract: visits
owner: visits@example.com
columns:
  visit_id: {type: text}
  store: {type: text, categories: [north]}
"""


def test_a_broken_contract_is_a_finding_with_its_owner(work: Workspace, shop_path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project" / "contracts"
    folder.mkdir(parents=True)
    (folder / "visits.yaml").write_text(CONTRACT)
    file = folder.parent / "shop.yaml"
    file.write_text(shop().text)
    data.adopt_and_sync(work, shop(), SYSTEM, str(file))
    broken = [f for f in flow.run(work, shop()).findings if f.code == "contract-broken"]
    said = [(f.source, f.column, f.owner, f.concerns) for f in broken]
    assert said == [("visits", "store", "visits@example.com", 75)]
    assert "contracts/visits.yaml" in broken[0].repair


def test_a_source_that_cannot_be_read_is_a_finding_that_says_why(
    work: Workspace, shop_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data.sync(work, shop())

    def gone(asked: Asked, *rest: object) -> object:
        raise asked.failure(f"Source {asked.name} was moved.", "Say where it is.")

    monkeypatch.setattr("pilotage.data.sources.introspect", gone)
    with pytest.raises(SourceUnavailable):
        data.sync(work, shop())
    failing = [f for f in flow.run(work, shop()).findings if f.code == "sync-failing"]
    assert {f.source for f in failing} == set(shop().use_case.sources)
    assert "was moved" in failing[0].message


def test_rows_written_after_their_time_are_counted(work: Workspace, clock: FixedClock, shop_path: Path) -> None:
    data.sync(work, shop())
    clock.advance(timedelta(hours=1))
    at = DAY + timedelta(hours=74)
    fill(shop_path, "visits", [("late", "north", 1.0, "a", at, at)])
    data.sync(work, shop())
    late = [f for f in flow.run(work, shop()).findings if f.code == "written-late"]
    assert [(f.source, f.concerns) for f in late] == [("visits", 1)]
