"""The command that begins: look at data nobody has described yet, and write a first project."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from pilotage.platform.errors import InvalidRequest
from pilotage.platform.settings import from_environment
from pilotage.platform.terminal import Terminal

if TYPE_CHECKING:
    from pilotage.data.flow.initiating import Draft
    from pilotage.data.guessing.project import Project

_SECRET = re.compile(
    r"://[^/]*:[^/]*@|[?&][^=&]*(password|passwd|token|sig|key|secret|auth|code)[^=&]*=", re.IGNORECASE
)

_NAMED_MAX = 12
_READ_OTHERWISE = (
    "Once a column of text is read as numbers or dates, say so where it is sent as well: its kind under "
    "decision.request is `number` or `datetime` then, and it can be an input."
)


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
    from pilotage.data.guessing.reasons import warnings_of

    terminal = Terminal(json)
    behind = from_environment(address, "pilotage init")
    project = _given_name(name) if name else _name_of(address, behind)
    reference = _reference(address, behind, project)
    found = initiating.tables_at(behind, reference, accept_writer)
    tables = initiating.chosen(found.tables, table or ())
    drafted = initiating.draft(project, tables)
    path = initiating.write(drafted, to)
    integration, left_alone = initiating.write_integration(drafted, to)
    _say(terminal, drafted)
    _paragraph(terminal, "Files that no source can be made of:", found.skipped)
    remarks = [f"{s.table.name}: {said}" for s in drafted.project.sources for said in s.table.remarks]
    remarks += [_READ_OTHERWISE] if remarks else []
    notes = [f"{one.name}: {note}" for one in tables for note in one.notes]
    _paragraph(terminal, "To be known:", [*notes, *remarks])
    terminal.say("".join(f"\n{warning}\n" for warning in warnings_of(drafted.project)))
    terminal.say(f"Wrote {path}. Every guess stands in it under `guessed`: confirm each before a model is trained.")
    if reference != address and reference.startswith("env:"):
        variable = reference.removeprefix("env:").partition("/")[0]
        terminal.say(f"The address holds a secret, which no file may: export {variable}='…' before the next command.")
    if integration:
        terminal.say(f"For continuous integration: {', '.join(map(str, integration))}.")
    if left_alone:
        terminal.say(f"There already, left as they are: {', '.join(map(str, left_alone))}.")
    left_out = [failure.message for failure in drafted.failures]
    warnings = warnings_of(drafted.project)
    terminal.document({"file": str(path), "text": drafted.text, "left_out": left_out, "warnings": list(warnings)})
    terminal.next(f"pilotage check {path}")


def _say(terminal: Terminal, drafted: Draft) -> None:
    """What was guessed, what was left out, and what a person has to say: each in its own paragraph."""
    from pilotage.data.guessing.reasons import by_reason, doubtful, needed

    project = drafted.project
    terminal.table("Sources, as guessed", ("source", "rows looked at", "key", "event_time", "known_at"), _rows(project))
    _paragraph(
        terminal,
        "Left out:",
        [f"{failure.message} {failure.repair}" for failure in drafted.failures]
        + [f"{left}: it has no rows, or no column that tells them apart." for left in project.unkeyed],
    )
    label = project.label
    terminal.say(f"\nTo predict, as guessed: {label.table}: {label.says} ({label.why}).")
    for other in project.others:
        terminal.say(f"  or {other.table}: {other.says} ({other.why})")
    lookups = list(dict.fromkeys(f"{lookup.source} by {lookup.by}: {lookup.why}." for lookup in project.lookups))
    _paragraph(terminal, f"Cases are rows of {project.decision.table.name}. Looked up for each:", lookups)
    sent = {field.name: field.why for field in project.fields if field.why}
    no_inputs = [f"{_some(names)}: {why}." for why, names in by_reason({**project.left_out, **sent}).items()]
    _paragraph(terminal, "No inputs, although they stand in the row:", no_inputs)
    not_taken = [f"{_some(names)}: {why}." for why, names in by_reason(project.not_taken).items()]
    _paragraph(terminal, "Not looked up, although they could be:", not_taken)
    _paragraph(terminal, "Only a person can say:", needed(project))
    _paragraph(terminal, "Guessed, and often wrong:", doubtful(project))


def _some(names: Sequence[str]) -> str:
    """Their number too where they are many; the file names them all."""
    more = len(names) - _NAMED_MAX
    return f"{', '.join(names[:_NAMED_MAX])} and {more} more, in all {len(names)}" if more > 0 else ", ".join(names)


def _paragraph(terminal: Terminal, title: str, lines: Sequence[str]) -> None:
    if lines:
        terminal.say("\n".join([f"\n{title}", *(f"  {line}" for line in lines)]))


def _rows(project: Project) -> list[tuple[str, ...]]:
    return [
        (
            source.table.name,
            f"{source.table.sampled:,}{'' if source.table.whole else ' of more'}",
            ", ".join(source.key.value),
            source.clocks[0].value[0] if source.clocks else "none: static",
            source.clocks[1].value[0] if source.clocks else "",
        )
        for source in project.sources
    ]


def _reference(address: str, behind: str, project: str) -> str:
    """What the file says: the address itself where it holds no secret, else the name of a variable."""
    if address.startswith("env:"):
        return address
    if _SECRET.search(behind):
        return f"env:{project.upper()}_DATABASE"
    return behind if "://" in behind else str(Path(behind).absolute())


def _given_name(name: str) -> str:
    """The name that was given.

    Raises:
        InvalidRequest: no use case can be called so.
    """
    from pilotage.data.guessing.naming import is_use_case_name, use_case_name

    if is_use_case_name(name):
        return name
    raise InvalidRequest(
        f"A name has lower-case letters, digits and underscores, begins with a letter, and has 63 characters at most; "
        f"'{name}' came.",
        f"Give --name {use_case_name(name) or 'late_arrival'}.",
    )


def _name_of(address: str, behind: str) -> str:
    """The variable's, database's or folder's name as a use case can be called."""
    from pilotage.data.guessing.naming import use_case_name

    last = (
        address.removeprefix("env:") if address.startswith("env:") else behind.split("?")[0].rstrip("/").split("/")[-1]
    )
    plain = use_case_name(last.split(".")[0])
    for word in ("_database", "_url", "_db"):
        plain = plain.removesuffix(word)
    if not plain:
        raise InvalidRequest(f"No name can be made of {address}.", "Give one: --name late_arrival")
    return plain
