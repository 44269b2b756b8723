"""Definitions are adopted, found and changed on record; evidence is kept, the newest counts."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pilotage.govern import flow as governing
from pilotage.govern.records import SYSTEM
from pilotage.platform.clock import FixedClock
from pilotage.platform.code_version import code_version
from pilotage.platform.errors import Conflict, InvalidFile, NotFound
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow
from tests.usecase.example import TEXT, changed, defined

pytestmark = pytest.mark.both_stores


def entries(work: Workspace) -> int:
    with work.database.writing() as connection:
        return governing.record(connection, work, SYSTEM, "test.counted", "audit-log", {}).number


def test_a_file_is_read_adopted_and_found_by_its_name(work: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "late.yaml"
    file.write_text(TEXT)
    adopted = flow.adopt(work, flow.read_definition(file), SYSTEM, str(file))
    assert flow.find(work, str(file)) == adopted
    assert flow.find(work, "late_arrival") == adopted
    assert flow.find(work, None) == adopted
    assert flow.definitions(work) == [adopted]
    assert flow.adopted_at(work, "late_arrival") == work.clock.now()
    with pytest.raises(NotFound):
        flow.adopted_at(work, "another")


def test_a_file_that_is_not_what_was_adopted_is_refused_and_changes_nothing(work: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "late.yaml"
    file.write_text(TEXT)
    with pytest.raises(Conflict, match="never adopted"):
        flow.find(work, str(file))
    assert flow.definitions(work) == []
    adopted = flow.adopt(work, flow.read_definition(file), SYSTEM, str(file))
    file.write_text(changed(("title: Late arrivals", "title: Delays")))
    with pytest.raises(Conflict, match=r"late.yaml differs from what was adopted as late_arrival.*pilotage sync"):
        flow.find(work, str(file))
    assert flow.find(work, None) == adopted
    assert flow.names(work) == ["late_arrival"]


def test_adopting_is_recorded_once_per_change(work: Workspace) -> None:
    before = entries(work)
    flow.adopt(work, defined(), SYSTEM)
    flow.adopt(work, defined(), SYSTEM)
    assert entries(work) == before + 2  # one deed, and this count
    flow.adopt(work, defined(("title: Late arrivals", "title: Delays")), SYSTEM)
    assert entries(work) == before + 4
    assert flow.find(work, "late_arrival").use_case.title == "Delays"


def test_a_name_that_is_not_known_names_the_nearest(work: Workspace) -> None:
    flow.adopt(work, defined(), SYSTEM)
    with pytest.raises(NotFound, match="Did you mean late_arrival"):
        flow.find(work, "late_arival")


def test_without_a_name_there_must_be_exactly_one(work: Workspace) -> None:
    with pytest.raises(NotFound, match="No use case is adopted yet"):
        flow.find(work, None)
    flow.adopt(work, defined(), SYSTEM)
    flow.adopt(work, defined(("use_case: late_arrival", "use_case: no_show")), SYSTEM)
    with pytest.raises(NotFound, match="late_arrival, no_show"):
        flow.find(work, None)


def test_a_name_from_outside_never_opens_a_file(work: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "late.yaml"
    file.write_text(TEXT)
    with pytest.raises(NotFound):
        flow.find_adopted(work, str(file))


def test_a_file_with_mistakes_is_not_adopted(work: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "late.yaml"
    file.write_text(changed(("risk: limited", "risk: medium")))
    with pytest.raises(InvalidFile):
        flow.find(work, str(file))
    assert flow.definitions(work) == []


def test_the_newest_evidence_of_a_kind_counts_also_within_one_instant(work: Workspace, clock: FixedClock) -> None:
    definition = defined()
    assert flow.latest_evidence(work, definition.name, "audit") is None
    for number in range(20):
        flow.keep_evidence(work, definition, "audit", {"number": number})
    flow.keep_evidence(work, definition, "sync", {"rows": 1})
    found = flow.latest_evidence(work, definition.name, "audit")
    assert found is not None
    assert found.body == {"number": 19}
    assert (found.definition, found.code, found.made_at) == (definition.substance, code_version(), clock.now())
    clock.advance(timedelta(days=1))
    kept = flow.keep_evidence(work, definition, "audit", {"at": clock.now()})
    assert flow.latest_evidence(work, definition.name, "audit") == kept
