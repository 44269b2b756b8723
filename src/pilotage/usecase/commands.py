"""Commands of the use case: check the file, print its brief, print the schema for editors."""

from __future__ import annotations

from pathlib import Path

from pilotage.platform.errors import InvalidFile
from pilotage.platform.terminal import Terminal
from pilotage.platform.workspace import opened


def check(file: Path, *, json: bool = False) -> None:
    """Check a use-case file; every mistake is named with its line."""
    from pilotage.usecase import flow
    from pilotage.usecase.rules.lints import lints

    terminal = Terminal(json)
    try:
        definition = flow.read_definition(file)
    except InvalidFile as error:
        _report(terminal, file, error)
        raise SystemExit(error.exit_code) from None
    warnings = lints(definition)
    for lint in warnings:
        terminal.say(f"{file}:{lint.line}:{lint.column} warning {lint.id}: {lint.message} {lint.remedy}")
    plan, use_case = definition.plan, definition.use_case
    terminal.say(
        f"{use_case.title} is consistent: {len(plan.columns)} columns from {len(plan.request)} that the app sends "
        f"and {len(use_case.sources)} sources{_and_warnings(len(warnings))}."
    )
    terminal.document({"valid": True, "fingerprint": definition.fingerprint, "plan": plan, "warnings": warnings})
    terminal.next(f"pilotage sync {file}")


def _report(terminal: Terminal, file: Path, error: InvalidFile) -> None:
    for problem in error.problems:
        repair = f" {problem.repair}" if problem.repair else ""
        terminal.say(f"{file}:{problem.line}:{problem.column} {problem.where}: {problem.message}{repair}")
    terminal.say(error.message)
    terminal.document({"valid": False, "problems": error.problems})


def _and_warnings(count: int) -> str:
    return "" if not count else f"; {count} warning{'s' if count > 1 else ''} above"


def brief(use_case: str | None = None, *, json: bool = False) -> None:
    """Print the one-page brief of a use case, as Markdown."""
    from pilotage.usecase import flow
    from pilotage.usecase.rules.brief import brief_of, markdown

    terminal = Terminal(json)
    with opened() as work:
        definition = flow.find(work, use_case)
    if not json:
        terminal.say(markdown(definition).rstrip())
    terminal.document({"use_case": definition.name, "sections": brief_of(definition)})


def schema() -> None:
    """Print the JSON Schema of use-case files, for editors."""
    from pilotage.usecase.rules.schema import json_schema

    Terminal(machine=True).document(json_schema())
