"""Commands of data: check a file and its sources, sync, build and prove the training set, print its SQL."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pilotage.data.rules import manifests
from pilotage.data.rules.least import too_few
from pilotage.platform.counting import plural
from pilotage.platform.errors import InvalidFile, SourceUnavailable
from pilotage.platform.terminal import Terminal
from pilotage.platform.workspace import opened

if TYPE_CHECKING:
    from pilotage.data.records import SyncResult
    from pilotage.usecase.rules.lints import Lint


def check(file: Path, *, json: bool = False) -> None:
    """Check a use-case file, and its sources where they can be looked at; every mistake is named with its line."""
    from pilotage.data import flow
    from pilotage.data.contract_commands import report_files
    from pilotage.data.flow import adopting
    from pilotage.usecase import flow as defining
    from pilotage.usecase.rules.lints import lints

    terminal = Terminal(json)
    try:
        definition = defining.read_definition(file)
    except InvalidFile as error:
        _report(terminal, file, flow.with_sources(file, error))
        raise SystemExit(error.exit_code) from None
    looked = flow.look(definition)
    try:
        unseen = flow.check(definition, looked, str(file))
    except InvalidFile as error:
        _report(terminal, file, error)
        raise SystemExit(error.exit_code) from None
    warnings = lints(definition)
    _warn(terminal, file, warnings)
    for failure in unseen:
        terminal.say(f"{file} not looked at: {failure.message} {failure.repair}")
    contracts = adopting.look_over(definition, adopting.folder_beside(file), looked.columns)
    report_files(terminal, contracts)
    if any(contract.problems for contract in contracts):
        terminal.document({"valid": False, "problems": [each for found in contracts for each in found.problems]})
        raise SystemExit(InvalidFile.exit_code)
    plan, use_case = definition.plan, definition.use_case
    terminal.say(
        f"{use_case.title} is consistent: {plural(len(plan.columns), 'column')} from {len(plan.request)} that the "
        f"app sends and {plural(len(use_case.sources), 'source')}{_and_more(len(warnings), unseen)}."
    )
    said = {"valid": True, "fingerprint": definition.fingerprint, "plan": plan, "warnings": warnings}
    terminal.document({**said, "not_looked_at": [failure.message for failure in unseen]})
    terminal.next(f"pilotage sync {file}")


def _warn(terminal: Terminal, file: Path, warnings: list[Lint]) -> None:
    """Warnings of one kind with one remedy stand together, the remedy once."""
    alike: dict[tuple[str, str], list[Lint]] = {}
    for lint in warnings:
        alike.setdefault((lint.id, lint.remedy), []).append(lint)
    for (identifier, remedy), found in alike.items():
        if len(found) == 1:
            terminal.say(f"{file}:{found[0].line}:{found[0].column} warning {identifier}: {found[0].message} {remedy}")
            continue
        terminal.say(f"{file} warning {identifier}, {len(found)} times. {remedy}")
        for lint in found:
            terminal.say(f"  {file}:{lint.line}:{lint.column} {lint.message}")


def _report(terminal: Terminal, file: Path, error: InvalidFile) -> None:
    for problem in error.problems:
        repair = f" {problem.repair}" if problem.repair else ""
        terminal.say(f"{file}:{problem.line}:{problem.column} {problem.where}: {problem.message}{repair}")
    terminal.say(error.message)
    terminal.document({"valid": False, "problems": error.problems})


def _and_more(warnings: int, unseen: list[SourceUnavailable]) -> str:
    text = "" if not unseen else f", {len(unseen)} of them not looked at"
    return text + ("" if not warnings else f"; {plural(warnings, 'warning')} above")


def sync(use_case: str | None = None, *, json: bool = False) -> None:
    """Read what became known at each source since the last time. A file is checked and adopted first."""
    from pilotage.data import flow
    from pilotage.data.contract_commands import say_violations
    from pilotage.data.flow import contracting
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
        broken = [each for each in contracting.violations(work, definition.name) if each.when == "sync"]
    columns = ("source", "new rows", "late", "corrected", "deleted", "rows", "known to (UTC)", "version")
    terminal.table("Sources", columns, [_synced(result) for result in results])
    say_violations(terminal, broken)
    for result in (each for each in results if each.unclocked):
        clock = definition.use_case.sources[result.source].known_at
        terminal.say(f"{result.source}: {plural(result.unclocked, 'row')} left out for want of a date in {clock}.")
    rows = sum(result.rows_new for result in results)
    terminal.say(f"{plural(rows, 'new row')} from {plural(len(results), 'source')}.")
    terminal.document(results)
    terminal.next(f"pilotage audit {definition.name}")


def _synced(result: SyncResult) -> tuple[object, ...]:
    known_to = f"{result.known_to:%Y-%m-%d %H:%M}" if result.known_to else ""
    counts = (result.rows_new, result.late, result.corrected, result.deleted, result.rows)
    return (result.source, *counts, known_to, result.version[:12])


def build(
    use_case: str | None = None,
    *,
    verify: bool = False,
    engine: Literal["duckdb", "spark"] = "duckdb",
    json: bool = False,
) -> None:
    """Build the training set: one row per decision, with what was known by then. --verify rebuilds it to prove it.

    With --verify a set that stands on the same file, snapshots and code is rebuilt and compared row for row; where it
    differs, the first row and column that do and what changed are named. With --engine spark lookups and windows are
    made on Spark (PILOTAGE_SPARK_MASTER says where), and DuckDB is what proves them.
    """
    from pilotage.data import flow
    from pilotage.data.contract_commands import say_violations
    from pilotage.data.flow import contracting
    from pilotage.usecase import flow as defining

    terminal = Terminal(json)
    with opened() as work:
        definition = defining.find(work, use_case)
        defining.say_if_changed(work, definition, terminal.say)
        verified = flow.verify(work, definition, engine) if verify else None
        built = flow.build(work, definition, engine) if verified is None else verified.training_set
        broken = [each for each in contracting.violations(work, definition.name) if each.when == "training"]
        say_violations(terminal, broken)
        terminal.say(manifests.built(built))
    proof, earlier = (verified.proof, verified.earlier) if verified else (None, None)
    if proof is not None:
        _say_all(terminal, manifests.rebuilt(built, proof))
    if earlier is not None:
        _say_all(terminal, manifests.rebuilt(built, earlier, f"Beside {earlier.training_set} of the same snapshots"))
    recreated = None if proof is None else proof.same
    terminal.document({"training_set": built, "recreated": recreated, "proof": proof, "earlier": earlier})
    if recreated is False:
        raise SystemExit(1)
    if definition.use_case.guessed:
        terminal.say("Before training: read each line under `guessed` in the file, correct its place, remove the line.")
    elif lacking := too_few(definition.use_case.kind, built.labelled, built.positives or 0):
        terminal.say(f"Next: sync more history. {lacking[:1].upper()}{lacking[1:]}.")
    else:
        terminal.next(f"pilotage train {definition.name}")


def _say_all(terminal: Terminal, lines: Iterable[str]) -> None:
    for line in lines:
        terminal.say(line)


def sql(
    use_case: str | None = None,
    *,
    where: Literal["history", "live", "now"] = "history",
    dialect: Literal["duckdb", "sqlite", "postgresql", "spark"] | None = None,
) -> None:
    """Print the SQL of a use case's columns: over history, for one live row, or for all keys now.

    Without options it is what makes the training set, and runs in DuckDB as it is. Other forms read the sources'
    tables in a session in UTC.
    """
    from pilotage.data import flow
    from pilotage.usecase import flow as defining

    with opened() as work:
        Terminal().say(flow.columns_sql(work, defining.find(work, use_case), where, dialect))


def materialise(use_case: str | None = None, *, to: str = "", table: str = "", json: bool = False) -> None:
    """Write all keys' lookups and windows as of now into tables, replacing those of the time before at once.

    Without --to, the inputs that say `live: table` are written where answers read them. With --to, a database's
    address or env:NAME, all of them are written there, in tables that --table names.
    """
    from pilotage.data import flow
    from pilotage.usecase import flow as defining

    terminal = Terminal(json)
    with opened() as work:
        written = flow.materialise(work, defining.find(work, use_case), to, table)
    rows = [(each.table, each.keys, len(each.columns), f"{each.made_at:%Y-%m-%d %H:%M:%S}") for each in written]
    terminal.table("Tables", ("table", "keys", "columns", "made at (UTC)"), rows)
    terminal.document(written)
