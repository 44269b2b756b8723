"""The command that moves an installation to another control database."""

from __future__ import annotations

import dataclasses
from typing import Annotated

from cyclopts import Parameter

from pilotage.decisions import flow as deciding
from pilotage.migrations.moving import move
from pilotage.platform.database import Database
from pilotage.platform.settings import PREFIX, from_environment
from pilotage.platform.terminal import Terminal
from pilotage.platform.workspace import opened

Machine = Annotated[bool, Parameter(name="--json", help="Print JSON for machines.")]


def move_database(*, to: str, json: Machine = False) -> None:
    """Copy the control database into another, empty one, such as from SQLite to PostgreSQL.

    Stop all servers first. Every table is compared, and the audit log verified there. The old database stays as it is.

    Parameters
    ----------
    to
        Address of the empty database, or env:NAME for the variable that holds it: an address on the command line can
        be seen by others on this machine.
    """
    terminal = Terminal(json)
    with opened() as work:
        target = Database(from_environment(to, "--to"))
        try:
            moved = move(work.database, target)
            found = deciding.verify_recorded(dataclasses.replace(work, database=target))
        finally:
            target.close()
    terminal.say(f"{sum(moved.rows.values()):,} rows in {len(moved.rows)} tables were copied, and compared row by row.")
    terminal.say(f"There: {found.message} Entries: {found.entries:,}, checkpoints: {found.checkpoints}.")
    terminal.document({"rows": moved.rows, "audit_log": found})
    if not found.valid:
        raise SystemExit(1)
    terminal.next(
        f"set {PREFIX}DATABASE_URL to it for servers and commands, set the old one aside, start pilotage serve"
    )
