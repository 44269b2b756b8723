"""Commands of data contracts: check them, import and export Open Data Contracts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from pilotage.platform.counting import plural
from pilotage.platform.terminal import Terminal
from pilotage.platform.workspace import Workspace, opened
from pilotage.usecase.records import Definition

if TYPE_CHECKING:
    from pilotage.data.contracts.records import Contract, Violation
    from pilotage.data.flow.adopting import ContractFile


def check(use_case: str | None = None, *, json: bool = False) -> None:
    """Check contracts: those beside a use-case file for mistakes, those of a name against the rows that were read.

    Exits with 2 when a file has mistakes, with 1 when a rule that blocks is broken.
    """
    from pilotage.usecase import flow as defining

    terminal = Terminal(json)
    file = defining.path_in(use_case)
    if file is not None:
        _check_files(terminal, defining.read_definition(file), file)
        return
    with opened() as work:
        _check_rows(terminal, work, defining.find(work, use_case))


def import_(
    document: Path, use_case: str | None = None, *, replace: bool = False, dry_run: bool = False, json: bool = False
) -> None:
    """Write a contract file for each object of an Open Data Contract (YAML or JSON) that is a source of the use case.

    Parameters
    ----------
    replace
        Write over contract files that are there.
    dry_run
        Print what would be written, write nothing.
    """
    from pilotage.data.flow import exchanging

    terminal = Terminal(json)
    definition, folder = _definition_and_folder(use_case)
    texts, remarks = exchanging.contract_texts(exchanging.read_standard(document), definition)
    paths = [] if dry_run else exchanging.write_contracts(folder, texts, replace)
    for remark in remarks:
        terminal.say(remark)
    for source, text in texts.items():
        terminal.say(text.rstrip() if dry_run else f"Wrote {folder / f'{source}.yaml'}.")
    terminal.document({"contracts": texts, "written": [str(path) for path in paths], "remarks": remarks})
    terminal.next(f"pilotage contract check {use_case or definition.name}")


def export(
    use_case: str | None = None, *, source: str | None = None, out: Path | None = None, json: bool = False
) -> None:
    """Print contracts as an Open Data Contract 3.1, YAML or with --json JSON; contracts of one import make one again.

    Parameters
    ----------
    source
        Only the contract of this source.
    out
        Write to this file; where there are several documents, to this folder.
    """
    from pilotage.data.flow import exchanging
    from pilotage.platform.errors import NotFound

    contracts, definition = _contracts(use_case)
    if source is not None and source not in contracts:
        known = ", ".join(contracts) or "none; a sync adopts those that lie beside the file"
        raise NotFound(f"{source} has no contract that counts.", f"Known: {known}.")
    chosen = [contract for name, contract in contracts.items() if source in (None, name)]
    if not chosen:
        raise NotFound(
            f"{definition.name} has no contract that counts.",
            f"Run pilotage contract draft {definition.name} --write, and sync its file: that adopts them.",
        )
    documents = exchanging.standard_documents(chosen, definition)
    texts = {name: exchanging.standard_text(document, json) for name, document in documents.items()}
    if out is None and len(texts) > 1:
        names = ", ".join(texts)
        raise NotFound(f"These are {len(texts)} documents: {names}.", "Say --source, or --out FOLDER.")
    if out is None:
        print(next(iter(texts.values())), end="")
        return
    _write(out, texts, ".json" if json else ".yaml")


def _check_files(terminal: Terminal, definition: Definition, file: Path) -> None:
    from pilotage.data import flow
    from pilotage.data.flow import adopting

    looked = flow.look(definition)
    found = adopting.look_over(definition, adopting.folder_beside(file), looked.columns)
    report_files(terminal, found)
    for failure in looked.failures.values():
        terminal.say(f"not looked at: {failure.message} {failure.repair}")
    wrong = [each for each in found if each.problems]
    count = "1 contract" if len(found) == 1 else f"{len(found)} contracts"
    terminal.say(f"{count} of {definition.name}: {f'{len(wrong)} with mistakes' if wrong else 'in order'}.")
    files = [{"file": str(e.path), "problems": e.problems, "warnings": e.warnings} for e in found]
    terminal.document({"valid": not wrong, "files": files})
    if wrong:
        raise SystemExit(2)
    terminal.next(f"pilotage sync {file}")


def _check_rows(terminal: Terminal, work: Workspace, definition: Definition) -> None:
    from pilotage.data.flow import contracting

    checked = contracting.check_now(work, definition)
    violations = [violation for found in checked.values() for violation in found]
    say_violations(terminal, violations)
    blocking = [violation for violation in violations if violation.severity == "blocks"]
    rules = "no rule is broken"
    if violations:
        verb = "is" if len(violations) == 1 else "are"
        rules = f"{plural(len(violations), 'rule')} {verb} broken, {len(blocking)} of them block"
    held = f"{plural(len(checked), 'contract')} of {definition.name} held against the rows that were read"
    terminal.say(f"{held}: {rules}.")
    terminal.document({"checked": list(checked), "violations": violations})
    if blocking:
        raise SystemExit(1)


def report_files(terminal: Terminal, found: Iterable[ContractFile]) -> None:
    """Print the mistakes and warnings of contract files, each with its place."""
    for file in found:
        for problem in file.problems:
            repair = f" {problem.repair}" if problem.repair else ""
            terminal.say(f"{file.path}:{problem.line}:{problem.column} {problem.where}: {problem.message}{repair}")
        for lint in file.warnings:
            terminal.say(f"{file.path}:{lint.line}:{lint.column} warning {lint.id}: {lint.message} {lint.remedy}")


def say_violations(terminal: Terminal, violations: Iterable[Violation]) -> None:
    """Print broken promises, one a line."""
    from pilotage.data.flow import contracting

    for line in contracting.in_words(violations):
        terminal.say(line)


def _definition_and_folder(use_case: str | None) -> tuple[Definition, Path]:
    """A use case and the folder of its contract files: beside its file, which may be adopted or not."""
    from pilotage.data.flow import adopting
    from pilotage.platform.errors import NotFound
    from pilotage.usecase import flow as defining

    file = defining.path_in(use_case)
    if file is not None:
        return defining.read_definition(file), adopting.folder_beside(file)
    with opened() as work:
        definition = defining.find(work, use_case)
        adopted = defining.file_of(work, definition.name)
    if adopted is None:
        raise NotFound(f"{definition.name} was not adopted from a file.", "Give its file in place of its name.")
    return definition, adopting.folder_beside(adopted)


def _contracts(use_case: str | None) -> tuple[dict[str, Contract], Definition]:
    """Contracts by source: of a file those beside it, of a name those in force."""
    from pilotage.data.flow import adopting, contracting
    from pilotage.usecase import flow as defining

    file = defining.path_in(use_case)
    if file is None:
        with opened() as work:
            definition = defining.find(work, use_case)
            return contracting.current(work, definition.name), definition
    definition = defining.read_definition(file)
    found = adopting.look_over(definition, adopting.folder_beside(file))
    adopting.demand_right(found)
    return {each.contract.contract: each.contract for each in found if each.contract}, definition


def _write(out: Path, texts: dict[str, str], suffix: str) -> None:
    terminal = Terminal()
    places = {out: next(iter(texts.values()))}
    if len(texts) > 1:
        out.mkdir(parents=True, exist_ok=True)
        places = {out / f"{name}.odcs{suffix}": text for name, text in texts.items()}
    for place, text in places.items():
        place.write_text(text, encoding="utf-8")
        terminal.say(f"Wrote {place}.")
