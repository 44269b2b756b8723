"""What every flow is handed first: settings, clock, database, lake and signing key of one installation."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import OperationalError

from pilotage.platform.clock import Clock, SystemClock
from pilotage.platform.database import Database
from pilotage.platform.errors import DatabaseUnavailable
from pilotage.platform.lake import Lake
from pilotage.platform.settings import Settings, read_settings
from pilotage.platform.signing import Signer

_TRY_SECONDS = 0.5


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
def opened(patience_seconds: float = 0.0, say: Callable[[str], None] = print) -> Iterator[Workspace]:
    """The installation that the environment names, for the length of one command.

    Its control database is waited for so long; ``say`` is told once that it is.

    Raises:
        DatabaseUnavailable: it did not answer in time.
    """
    workspace = opened_within(read_settings(), patience_seconds, say)
    try:
        yield workspace
    finally:
        workspace.close()


def opened_within(settings: Settings, patience_seconds: float, say: Callable[[str], None]) -> Workspace:
    """The installation of these settings; its control database is waited for so long, and ``say`` told once that it is.

    Raises:
        DatabaseUnavailable: it did not answer in time.
    """
    give_up = time.monotonic() + patience_seconds
    is_told = False
    while True:
        try:
            return open_workspace(settings)
        except OperationalError as error:
            away = _away(settings, error)
            if time.monotonic() >= give_up:
                raise away from None
        if not is_told:
            say(f"{away.message} Waiting for it, {patience_seconds:g} seconds at most.")
            is_told = True
        time.sleep(min(_TRY_SECONDS, patience_seconds))


def _away(settings: Settings, error: OperationalError) -> DatabaseUnavailable:
    """What the database's driver says, in its first line, and of which database; never its password."""
    address = make_url(settings.database).render_as_string(hide_password=True)
    said = (str(error.orig).strip().splitlines() or ["no answer"])[0]
    return DatabaseUnavailable(
        f"The control database {address} does not answer: {said.removesuffix('.')}.",
        "Start it, or correct PILOTAGE_DATABASE_URL, and try again.",
    )
