"""Where each column's value is taken from when an answer is given, and whether that goes together."""

from __future__ import annotations

from collections.abc import Iterator

from pilotage.usecase.records import Input, Latest, UseCase, Window, seconds
from pilotage.usecase.rules.expansion import columns_of_inputs
from pilotage.usecase.rules.places import Mistake, Path


def check_place(path: Path, entry: Input, use_case: UseCase) -> Iterator[Mistake]:
    """Mistakes in ``live``, ``live_age`` and ``live_at`` of an input that is looked up."""
    source = use_case.sources.get(entry.latest or entry.windows)
    if entry.live == "source" and source is not None and not source.database:
        message = f"{entry.latest or entry.windows} is no table of a database, so that nothing can be asked of it live."
        yield Mistake((*path, "live"), message, "Use live: snapshot, or live: table with live_age.")
    if entry.live == "table" and entry.live_age is None:
        repair = "Say how old a value may be: live_age: 15 minutes"
        yield Mistake(path, "live_age is missing: a table may be of any age.", repair)
    if entry.live == "snapshot" and entry.live_age:
        repair = "Remove it, or write live: source or live: table."
        yield Mistake((*path, "live_age"), "live_age belongs to live: source and live: table.", repair)
    if entry.live != "table" and entry.live_at:
        yield Mistake((*path, "live_at"), "live_at belongs to live: table.", "Remove it, or write live: table.")
    if entry.live_at and not entry.live_at.startswith("env:"):
        repair = "Put the database's address into an environment variable and write env:ITS_NAME."
        yield Mistake((*path, "live_at"), "An address may hold a password, which must not stand in the file.", repair)


def placed_columns(use_case: UseCase) -> dict[str, Input]:
    """Columns that live answers do not take from the snapshot in memory, with their inputs."""
    found: dict[str, Input] = {}
    for key, column in columns_of_inputs(use_case):
        entry = use_case.inputs[key]
        if isinstance(column, (Latest, Window)) and isinstance(entry, Input) and entry.live != "snapshot":
            found[column.name] = entry
    return found


def age_max_seconds(entry: Input) -> int:
    """How old a value may be that was written to a table, or read before; 0 where nothing says."""
    return seconds(entry.live_age) if entry.live_age else 0
