"""The command of the use case: print its brief."""

from __future__ import annotations

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
