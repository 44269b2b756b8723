"""What every flow is handed first: settings, clock, database, lake and signing key of one installation."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pilotage.platform.clock import Clock, SystemClock
from pilotage.platform.database import Database
from pilotage.platform.lake import Lake
from pilotage.platform.settings import Settings, read_settings
from pilotage.platform.signing import Signer


@dataclasses.dataclass(frozen=True)
class Workspace:
    """One installation, opened."""

    settings: Settings
    clock: Clock
    database: Database
    lake: Lake
    signer: Signer

    @property
    def home(self) -> Path:
        return self.settings.home

    def close(self) -> None:
        self.database.close()


def open_workspace(settings: Settings, clock: Clock | None = None) -> Workspace:
    """Open the installation in ``settings.home``, making what is not there yet; the schema is brought up to date."""
    from pilotage.platform.schema import upgrade

    settings.home.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database)
    upgrade(database)
    return Workspace(
        settings=settings,
        clock=clock or SystemClock(),
        database=database,
        lake=Lake(settings.home / "lake"),
        signer=Signer.at(settings.home / "keys" / "signing.pem"),
    )


@contextmanager
def opened() -> Iterator[Workspace]:
    """The installation that the environment names, for the length of one command."""
    workspace = open_workspace(read_settings())
    try:
        yield workspace
    finally:
        workspace.close()
