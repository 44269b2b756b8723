"""The audit of a shop whose data is dirty in known ways."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from pilotage.audit import flow
from pilotage.audit.records import AuditReport
from pilotage.audit.rules.telling_names import hint_of
from pilotage.data import flow as data
from pilotage.platform.workspace import Workspace
from tests.data.conftest import DAY, shop_path
from tests.data.shop import TEXT, fill, shop

__all__ = ["shop_path"]


@pytest.fixture
def dirty(work: Workspace, shop_path: Path) -> AuditReport:
    """Rows twice, corrected rows, spellings, keys that do not match, outcomes of one kind missing."""
    at = DAY + timedelta(hours=3)
    fill(shop_path, "visits", [("v0", "north", 0.0, "a", DAY, DAY)] * 2)
    fill(shop_path, "visits", [("v1", "south", 5.0, "a", at, at + timedelta(hours=4))])
    fill(shop_path, "visits", [("w", "NORTH ", 1.0, "a", at, at)])
    data.sync(work, shop())
    return flow.run(work, shop())


def test_each_kind_of_dirt_is_found_with_its_figures(dirty: AuditReport) -> None:
    found = {finding.code: finding for finding in dirty.findings}
    assert found["duplicates"].figures["rows"] == 2
    assert found["corrected-rows"].figures["rows"] == 1
    assert found["spelled-several-ways"].column == "store"
    assert "'north' = 'NORTH '" in found["spelled-several-ways"].message
    assert found["keys-do-not-match"].figures["matched"] == pytest.approx(2 / 3, abs=0.02)
    assert found["few-outcomes"].severity == "warns"
    assert found["duplicates"].owner == "visits@example.com"
    assert found["few-outcomes"].owner == "data@example.com"


def test_one_kind_of_outcome_blocks(work: Workspace, shop_path: Path) -> None:
    changed = shop(TEXT.replace("returned > 0", "returned > 5"))
    data.sync(work, changed)
    report = flow.run(work, changed)
    assert report.blocked
    assert report.findings[0].code == "one-class"


def test_telling_names_are_found_as_words_not_as_parts() -> None:
    names = ["customer_email", "dateOfBirth", "age", "page_views", "average", "carrier", "GENDER"]
    telling = {name for name in names if (hint := hint_of(name)) is not None and hint.sure}
    assert telling == {"customer_email", "dateOfBirth", "age", "GENDER"}
