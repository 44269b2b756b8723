"""Commands of data: check a file and its sources, sync, build and prove the training set, print its SQL."""

from __future__ import annotations

from pathlib import Path

from pilotage.platform.errors import InvalidFile, SourceUnavailable
from pilotage.platform.terminal import Terminal
from pilotage.platform.workspace import opened


def check(file: Path, *, json: bool = False) -> None:
    """Check a use-case file, and its sources where they can be looked at; every mistake is named with its line."""
    from pilotage.data import flow
    from pilotage.usecase import flow as defining
    from pilotage.usecase.rules.lints import lints

    terminal = Terminal(json)
    try:
        definition = defining.read_definition(file)
        unseen = flow.check(definition, flow.look(definition), str(file))
    except InvalidFile as error:
        _report(terminal, file, error)
        raise SystemExit(error.exit_code) from None
    warnings = lints(definition)
    for lint in warnings:
        terminal.say(f"{file}:{lint.line}:{lint.column} warning {lint.id}: {lint.message} {lint.remedy}")
    for failure in unseen:
        terminal.say(f"{file} not looked at: {failure.message} {failure.repair}")
    plan, use_case = definition.plan, definition.use_case
    terminal.say(
        f"{use_case.title} is consistent: {len(plan.columns)} columns from {len(plan.request)} that the app sends "
        f"and {len(use_case.sources)} sources{_and_more(len(warnings), unseen)}."
    )
    said = {"valid": True, "fingerprint": definition.fingerprint, "plan": plan, "warnings": warnings}
    terminal.document({**said, "not_looked_at": [failure.message for failure in unseen]})
    terminal.next(f"pilotage sync {file}")


def _report(terminal: Terminal, file: Path, error: InvalidFile) -> None:
    for problem in error.problems:
        repair = f" {problem.repair}" if problem.repair else ""
        terminal.say(f"{file}:{problem.line}:{problem.column} {problem.where}: {problem.message}{repair}")
    terminal.say(error.message)
    terminal.document({"valid": False, "problems": error.problems})


def _and_more(warnings: int, unseen: list[SourceUnavailable]) -> str:
    text = "" if not unseen else f", {len(unseen)} of them not looked at"
    return text + ("" if not warnings else f"; {warnings} warning{'s' if warnings > 1 else ''} above")


def sync(use_case: str | None = None, *, json: bool = False) -> None:
    """Read what became known at each source since the last time. A file is checked and adopted first."""
    from pilotage.data import flow
    from pilotage.govern.records import SYSTEM
    from pilotage.usecase import flow as defining

    terminal = Terminal(json)
    with opened() as work:
        file = defining.path_in(use_case)
        if file is not None:
            definition = defining.read_definition(file)
            results = flow.adopt_and_sync(work, definition, SYSTEM, str(file))
        else:
            definition = defining.find(work, use_case)
            results = flow.sync(work, definition)
    rows = [
        (r.source, r.rows_new, r.rows, f"{r.known_to:%Y-%m-%d %H:%M}" if r.known_to else "", r.version[:12])
        for r in results
    ]
    terminal.table("Sources", ("source", "new rows", "rows", "known to (UTC)", "version"), rows)
    terminal.say(f"{sum(r.rows_new for r in results):,} new rows from {len(results)} sources.")
    terminal.document(results)
    terminal.next(f"pilotage audit {definition.name}")


def build(use_case: str | None = None, *, verify: bool = False, json: bool = False) -> None:
    """Build the training set: one row per decision, with what was known by then. --verify rebuilds it to prove it."""
    from pilotage.data import flow
    from pilotage.usecase import flow as defining

    terminal = Terminal(json)
    with opened() as work:
        definition = defining.find(work, use_case)
        built = flow.build(work, definition)
        terminal.say(
            f"{built.rows:,} decisions from {built.moment_from:%Y-%m-%d} to {built.moment_to:%Y-%m-%d}, "
            f"{built.labelled:,} with a known outcome, {built.positives:,} of them positive. Rows in = rows out."
        )
        same = flow.prove(work, definition, built) if verify else None
    if same is not None:
        verdict = "identical" if same else "NOT identical"
        terminal.say(f"Rebuilt from its snapshots: {verdict} ({built.fingerprint[:12]}).")
    terminal.document({"training_set": built, "recreated": same})
    if same is False:
        raise SystemExit(1)
    terminal.next(f"pilotage train {definition.name}")


def sql(use_case: str | None = None) -> None:
    """Print the SQL that makes the training set: it runs in DuckDB as it is."""
    from pilotage.data import flow
    from pilotage.usecase import flow as defining

    with opened() as work:
        Terminal().say(flow.script(work, defining.find(work, use_case)))
