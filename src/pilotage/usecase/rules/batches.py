"""Whether the tables that results may be written to can be written, as far as the file alone shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pilotage.usecase.records import UseCase
from pilotage.usecase.rules.places import Mistake

_TABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,40}")
"""Shorter than what any engine allows: while it is written, the table has a longer name beside its own."""
_AS_VARIABLE = "Put the address into an environment variable and write env:ITS_NAME."


def check_batch(use_case: UseCase) -> Iterator[Mistake]:
    """Targets whose address could hold a secret, whose table is no plain name, or which are sources."""
    read = {(source.database, source.table): name for name, source in use_case.sources.items() if source.table}
    written: dict[tuple[str, str], str] = {}
    for name, target in use_case.batch.targets.items():
        path = ("batch", "targets", name)
        if not target.database.startswith("env:"):
            yield Mistake((*path, "database"), "The address of a target must not stand in the file.", _AS_VARIABLE)
        if not _TABLE.fullmatch(target.table):
            message = f"'{target.table}' cannot be the table of a target."
            yield Mistake((*path, "table"), message, "Up to 41 letters, digits and underscores, no digit first.")
        place = (target.database, target.table)
        if place in read:
            message = f"It is the source {read[place]}, and sources are only read."
            yield Mistake((*path, "table"), message, "Name a table of its own.")
        if place in written:
            message = f"{written[place]} writes the same table."
            yield Mistake((*path, "table"), message, "Give each target a table of its own.")
        written[place] = name
