"""``pilotage review``: what waits, for people and for machines."""

from __future__ import annotations

import json

import pytest

from pilotage.platform.workspace import Workspace
from pilotage.review.commands import review
from tests.review.arranging import NAME, recorded


@pytest.fixture
def here(live: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("PILOTAGE_HOME", str(live.home))
    recorded(live, review=True, band="uncertain", probability=0.27)
    return live


def test_it_lists_the_waiting_cases_and_says_where_to_review_them(
    here: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    review(NAME)

    printed = capsys.readouterr().out
    assert "Waiting in late_arrival: 1, of them past their time" in printed and "UA1545-2013-12-05" in printed
    assert f"{here.settings.address}/use-cases/{NAME}/queue" in printed


def test_machines_get_one_document(here: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    review(json=True)

    document = json.loads(capsys.readouterr().out)
    assert (document["use_case"], document["counts"]["open"], len(document["cases"])) == (NAME, 1, 1)
