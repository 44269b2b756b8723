"""Commands of use cases: print the brief of one, list the columns that they share."""

from __future__ import annotations

from pathlib import Path

from pilotage.platform.terminal import Terminal
from pilotage.platform.workspace import opened


def brief(use_case: str | None = None, *, json: bool = False) -> None:
    """Print the one-page brief of a use case, adopted or in a file, as Markdown."""
    from pilotage.usecase import flow
    from pilotage.usecase.rules.brief import brief_of, markdown

    terminal = Terminal(json)
    file = flow.path_in(use_case)
    if file is not None:
        definition = flow.read_definition(file)
    else:
        with opened() as work:
            definition = flow.find(work, use_case)
    if not json:
        terminal.say(markdown(definition).rstrip())
    terminal.document({"use_case": definition.name, "sections": brief_of(definition)})


def columns(folder: Path = Path(), *, json: bool = False) -> None:
    """List the columns that use cases share: what they say, who answers for them, which use cases use them.

    Files are looked for in the folder columns of FOLDER and beside every adopted use case.
    """
    from pilotage.usecase import flow

    terminal = Terminal(json)
    with opened() as work:
        found = flow.shared_columns(work, folder)
    if not found:
        terminal.say("No columns are shared: there is no file columns/*.yaml beside a use case.")
    for each in found:
        terminal.say(f"{each.columns or 'unnamed'} ({each.file}), owner {each.owner or 'unknown'}")
        if each.description:
            terminal.say(f"  {each.description}")
        terminal.say(f"  inputs: {', '.join(each.inputs) or 'none that can be read'}")
        terminal.say(f"  used by: {', '.join(each.used_by) or 'no use case yet'}")
        for name in each.outdated:
            terminal.say(f"  {name} was adopted with another text: sync its file, and build its training set anew.")
        for mistake in each.mistakes:
            terminal.say(f"  {mistake}")
    terminal.document(found)
