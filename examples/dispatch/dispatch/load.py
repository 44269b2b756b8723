"""Fills an office: builds the world and writes down what was known of it at the start."""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import insert

from .alerts import raise_due_alerts
from .archive import find_archive
from .build import build_world
from .clock import find_clock
from .database import open_engine
from .errors import DispatchError
from .manifest import Manifest, read_manifest, write_manifest
from .office import Office
from .recording import RECORD, record_kind, record_reference
from .settings import Settings
from .tables import clock, metadata
from .weather import publish_history, remove_weather
from .world import World

Say = Callable[[str], None]


def load(settings: Settings, wanted: Manifest, archive: Path | None, again: bool, say: Say) -> str:
    """Builds the office, or finds the one already there; returns the sentence that says which."""
    office = Office(open_engine(settings.database_url), World(settings.world_folder), settings.weather_folder)
    present = read_manifest(settings.world_folder)
    standing = find_clock(office.engine)
    if not again and present is not None and present != wanted:
        raise DispatchError(f"{settings.home} already holds {present}; add --again to rebuild it as {wanted}.")
    if not again and present is None and standing is not None:
        raise DispatchError("The database holds another world's office; add --again to rebuild it.")
    if not again and standing is not None:
        return f"The office of {wanted} is already there; its clock stands at {standing.now:%Y-%m-%d %H:%M} UTC."
    if again or present is None:
        say("Building the world from the archive …")
        build_world(find_archive(archive), settings.world_folder, wanted.months)
        write_manifest(settings.world_folder, wanted)
    _fill(office, wanted, say)
    return f"Loaded {wanted}: the world ends at {office.world.ends_at():%Y-%m-%d %H:%M} UTC."


def _fill(office: Office, wanted: Manifest, say: Say) -> None:
    """One transaction with the clock row in it: a load that is cut short leaves an empty office."""
    ends_at = office.world.ends_at()
    if wanted.start > ends_at:
        raise DispatchError(f"Nothing happens after {ends_at:%Y-%m-%d %H:%M} UTC in these months: choose a --start.")
    remove_weather(office.weather_folder)
    with office.engine.begin() as connection:
        metadata.drop_all(connection)
        metadata.create_all(connection)
        record_reference(connection, office.world)
        for kind in RECORD:
            count = record_kind(connection, office.world, kind, None, wanted.start)
            say(f"  {count:,} {kind}")
        connection.execute(insert(clock), {"id": 1, "now": wanted.start, "ends_at": ends_at})
    say(f"  {publish_history(office.world, office.weather_folder, wanted.start):,} days of weather")
    say(f"  {raise_due_alerts(office.engine, wanted.start):,} alerts asked in the last 24 hours")
