"""Drafted contracts hold on the very data that they were drafted from: the dispatch office's, and Online Retail's."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pilotage.data import flow as data
from pilotage.data.contracts.reading import parsed
from pilotage.data.contracts.records import Violation
from pilotage.data.flow import adopting, contracting
from pilotage.data.flow.drafting import draft_text
from pilotage.govern.records import SYSTEM
from pilotage.platform.clock import FixedClock
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.usecase.records import Definition
from tests.data.contracts.promises import write
from tests.proof.cases import retail


def held(work: Workspace, definition: Definition, folder: Path) -> dict[str, list[Violation]]:
    """What drafts of all sources break on the rows they were made of, also of their freshness."""
    texts = {source: draft_text(work, definition, source, {}) for source in definition.use_case.sources}
    write(folder, **texts)
    adopting.adopt(work, definition, folder, SYSTEM, data.look(definition).columns)
    found = {source: list(broken) for source, broken in contracting.check_now(work, definition).items()}
    for source, snapshot in data.current_snapshots(work, definition).items():
        found[source] += contracting.check_synced(work, definition, source, (), snapshot.known_to)
    return found


def test_drafts_of_the_dispatch_office_hold_while_it_works_and_as_an_archive(
    office: Workspace, late_arrival: Definition, tmp_path: Path
) -> None:
    assert not any(held(office, late_arrival, tmp_path / "now").values())
    fresh = parsed((tmp_path / "now" / "weather.yaml").read_text(), "weather")
    assert fresh.freshness == "2 hours"
    years_after = open_workspace(Settings(home=office.settings.home), FixedClock(datetime(2026, 1, 1, tzinfo=UTC)))
    assert not any(held(years_after, late_arrival, tmp_path / "later").values())
    years_after.close()
    stale = (tmp_path / "later" / "weather.yaml").read_text()
    assert parsed(stale, "weather").freshness is None
    assert "# No freshness: the newest row is of 2013-01-31" in stale


@pytest.mark.long
def test_drafts_of_a_million_lines_of_a_shop_hold(tmp_path: Path) -> None:
    work, definition = retail(tmp_path)
    found = held(work, definition, tmp_path / "contracts")
    work.close()
    assert list(found) == list(definition.use_case.sources)
    assert not any(found.values())
