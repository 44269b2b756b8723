"""The command that begins: look at data nobody has described yet, and write a first project."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from pilotage.platform.errors import PilotageError
from pilotage.platform.settings import from_environment
from pilotage.platform.terminal import Terminal

_SECRET = re.compile(r"://[^/]*@|[?&](password|token|sig|key)=", re.IGNORECASE)


def init(
    *,
    address: Annotated[str, Parameter(name="--from", help="A database's address, a folder, a file, or env:NAME.")],
    name: Annotated[str, Parameter(help="What the use case is called; made from the address when absent.")] = "",
    to: Annotated[Path, Parameter(help="The folder to write into.")] = Path(),
    table: Annotated[list[str], Parameter(help="Only these tables; all when absent.")] | None = None,
    accept_writer: Annotated[bool, Parameter(help="Read as a database user that could write.")] = False,
    json: bool = False,
) -> None:
    """Look at a database or files and write a first use-case file; what was guessed in it is marked as guessed."""
    from pilotage.data.flow import initiating

    terminal = Terminal(json)
    behind = from_environment(address, "pilotage init")
    project = name or _name_of(address, behind)
    reference = _reference(address, behind, project)
    found = initiating.tables_at(behind, reference, accept_writer)
    drafted = initiating.draft(project, initiating.chosen(found, table or ()))
    path = initiating.write(drafted, to)
    guessed = drafted.project
    rows = [
        (
            source.table.name,
            f"{source.table.sampled:,}{'' if source.table.whole else ' of more'}",
            ", ".join(source.key.value),
            source.clocks[0].value[0] if source.clocks else "none: static",
            source.clocks[1].value[0] if source.clocks else "",
        )
        for source in guessed.sources
    ]
    terminal.table("Sources, as guessed", ("source", "rows looked at", "key", "event_time", "known_at"), rows)
    for name_, failure in zip((f.message for f in drafted.failures), drafted.failures, strict=True):
        terminal.say(f"Left out: {name_} {failure.repair}")
    for left in guessed.unkeyed:
        terminal.say(f"Left out: {left} has no rows, or no column that tells them apart.")
    terminal.say(f"To predict, as guessed: {guessed.label.table}: {guessed.label.condition} ({guessed.label.why}).")
    terminal.say(f"Wrote {path}. Every guess stands in it under `guessed`: confirm each before a model is trained.")
    if reference != address and reference.startswith("env:"):
        variable = reference.removeprefix("env:").partition("/")[0]
        terminal.say(f"The address holds a secret, which no file may: export {variable}='…' before the next command.")
    terminal.document({"file": str(path), "text": drafted.text, "left_out": [f.message for f in drafted.failures]})
    terminal.next(f"pilotage check {path}")


def _reference(address: str, behind: str, project: str) -> str:
    """What the file says: the address itself where it holds no secret, else the name of a variable."""
    if address.startswith("env:"):
        return address
    if _SECRET.search(behind):
        return f"env:{project.upper()}_DATABASE"
    return behind if "://" in behind else str(Path(behind).absolute())


def _name_of(address: str, behind: str) -> str:
    """The variable's, database's or folder's name as a use case can be called."""
    last = (
        address.removeprefix("env:") if address.startswith("env:") else behind.split("?")[0].rstrip("/").split("/")[-1]
    )
    plain = re.sub(r"[^a-z0-9]+", "_", last.split(".")[0].lower()).strip("_")
    for word in ("_database", "_url", "_db"):
        plain = plain.removesuffix(word)
    if not plain:
        raise PilotageError(f"No name can be made of {address}.", "Give one: --name late_arrival")
    return plain if plain[0].isalpha() else f"case_{plain}"
