"""Unsafe starts are refused, each with what is wrong and what to do."""

from __future__ import annotations

import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pilotage.platform.database import Database
from pilotage.platform.errors import SettingsError
from pilotage.platform.workspace import Workspace
from pilotage.web import precautions
from pilotage.web.commands import serve


@pytest.fixture
def starts(work: Workspace, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What was started, without starting it: whatever gets so far was not refused."""
    started: list[object] = []
    monkeypatch.setenv("PILOTAGE_HOME", str(work.home))
    for name in ("HOST", "PORT", "WORKERS"):
        monkeypatch.setenv(f"PILOTAGE_{name}", {"HOST": "127.0.0.1", "PORT": "8700", "WORKERS": "1"}[name])

    def run(supervisor: object) -> bool:
        started.append(supervisor)
        return True

    monkeypatch.setattr("pilotage.web.supervising.Supervisor.run", run)
    return started


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_secret_that_others_can_read_or_change(work: Workspace, starts: list[object], mode: int) -> None:
    key = work.home / "keys" / "signing.pem"
    key.chmod(mode)
    with pytest.raises(SettingsError, match=f"others on this machine.*{mode:04o}") as refused:
        serve(port=free())
    assert str(key) in refused.value.message
    assert "chmod 600" in refused.value.repair
    key.chmod(0o600)
    serve(port=free())
    assert len(starts) == 1


def test_a_secret_that_is_too_short(work: Workspace, starts: list[object]) -> None:
    short = work.home / "keys" / "card.secret"
    short.write_bytes(b"secret")
    short.chmod(0o600)
    with pytest.raises(SettingsError, match="weak secret: 6 bytes"):
        serve(port=free())
    assert starts == []


def test_a_public_address_in_clear(work: Workspace, starts: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=r"0\.0\.0\.0 can be reached.*PILOTAGE_PUBLIC_URL is not set") as refused:
        serve(host="0.0.0.0", port=free())
    assert "--insecure-public" in refused.value.repair
    monkeypatch.setenv("PILOTAGE_PUBLIC_URL", "http://console.example")
    with pytest.raises(SettingsError, match="is not https"):
        serve(host="0.0.0.0", port=free())
    assert starts == []


def test_a_public_address_is_allowed_behind_https_or_when_said(
    starts: list[object], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    serve(host="0.0.0.0", port=free(), insecure_public=True)
    assert "travel in clear" in capsys.readouterr().out
    monkeypatch.setenv("PILOTAGE_PUBLIC_URL", "https://console.example")
    serve(host="0.0.0.0", port=free())
    assert len(starts) == 2


@pytest.mark.parametrize("byte", [b"\0", b"x"])
def test_a_secret_that_was_overwritten_with_one_byte(work: Workspace, starts: list[object], byte: bytes) -> None:
    emptied = work.home / "keys" / "card.secret"
    emptied.write_bytes(byte * 32)
    emptied.chmod(0o600)
    with pytest.raises(SettingsError, match="weak secret: one byte, again and again"):
        serve(port=free())
    assert starts == []


@contextmanager
def sqlite_that_says(version: str) -> Iterator[None]:
    """Whoever connects meanwhile has an SQLite that calls itself so."""

    def pretend(connection: Any, _: object) -> None:
        connection.create_function("sqlite_version", 0, lambda: version)

    sa.event.listen(sa.Engine, "connect", pretend)
    try:
        yield
    finally:
        sa.event.remove(sa.Engine, "connect", pretend)


@pytest.mark.parametrize("version", ["3.7.0", "3.40.1", "3.51.2"])
def test_an_sqlite_that_can_corrupt_its_file(starts: list[object], version: str) -> None:
    with sqlite_that_says(version), pytest.raises(SettingsError, match=f"SQLite {version} can corrupt its file"):
        serve(port=free())
    assert starts == []


def test_the_sqlite_that_comes_with_us_is_sound(starts: list[object]) -> None:
    serve(port=free())
    with sqlite_that_says("3.51.3"):
        serve(port=free())
    assert len(starts) == 2


def test_an_sqlite_that_does_not_sync(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'some.db'}")
    sa.event.listen(database.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    with pytest.raises(SettingsError, match="synchronous=0"):
        precautions.demand_sound_sqlite(database)
    database.close()


def test_too_few_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 512))
    with pytest.raises(SettingsError, match="512 files") as refused:
        precautions.demand_descriptors()
    assert "LimitNOFILE" in refused.value.repair


def test_the_limit_of_files_is_raised_as_far_as_it_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    raised: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 4096))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: raised.append(limits))
    precautions.demand_descriptors()
    assert raised == [(4096, 4096)]


def test_no_workers(starts: list[object]) -> None:
    with pytest.raises(SettingsError, match="at least 1"):
        serve(port=free(), workers=0)


def test_workers_of_the_settings_are_the_default(starts: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PILOTAGE_WORKERS", "3")
    serve(port=free())
    assert [each._count for each in starts] == [3]  # type: ignore[attr-defined]


def free() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
