"""Keys on the command line: made, listed without what they are, disabled for good."""

from __future__ import annotations

import msgspec
import pytest

from pilotage.cli.main import run
from pilotage.govern import flow
from pilotage.platform.workspace import Workspace


@pytest.fixture(autouse=True)
def _here(work: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTAGE_HOME", str(work.home))
    monkeypatch.setenv("PILOTAGE_DATABASE_URL", work.settings.database)


@pytest.mark.both_stores
def test_a_leaked_key_is_found_in_the_list_and_disabled(work: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    run(["key", "make", "shop", "--use-case", "late_arrival", "--json"])
    secret = msgspec.json.decode(capsys.readouterr().out)["key"]
    assert flow.principal_of_key(work, secret) is not None
    run(["key", "list"])
    listed = capsys.readouterr().out
    assert "app of late_arrival" in listed
    assert secret[:8] in listed
    assert secret not in listed
    (key,) = flow.every_key(work)
    run(["key", "disable", key.id])
    assert "opens nothing any more" in capsys.readouterr().out
    assert flow.principal_of_key(work, secret) is None
    run(["key", "list"])
    assert "disabled" in capsys.readouterr().out


def test_a_key_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["key", "disable", "key_none"]) == 2
    assert "pilotage key list" in capsys.readouterr().err
