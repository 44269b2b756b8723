"""The contract files beside a use-case file: looked over with everything that is wrong, and adopted with that file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import sqlalchemy as sa
from msgspec import Struct

from pilotage.data.contracts import store
from pilotage.data.contracts.consistency import against_source, against_use_case, warnings
from pilotage.data.contracts.reading import FILE_BYTES_MAX, fingerprint, read
from pilotage.data.contracts.records import Contract
from pilotage.data.records import FoundColumn
from pilotage.govern import flow as governing
from pilotage.govern.records import Principal
from pilotage.platform.errors import InvalidFile, Problem
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import Definition
from pilotage.usecase.rules.lints import Lint
from pilotage.usecase.rules.places import Mistake, located

Columns = Mapping[str, Sequence[FoundColumn]]


class ContractFile(Struct, frozen=True):
    """A contract file as it was looked over. ``contract`` is None where too little could be read."""

    path: Path
    text: str
    contract: Contract | None
    problems: tuple[Problem, ...]
    warnings: tuple[Lint, ...]


def folder_beside(file: str | Path) -> Path:
    """Where the contracts of a use-case file lie."""
    return Path(file).parent / "contracts"


def look_over(definition: Definition, folder: Path, columns: Columns | None = None) -> list[ContractFile]:
    """Every contract file in a folder, with its mistakes; ``columns`` are what sources have that were looked at."""
    return [_looked_over(path, definition, columns or {}) for path in sorted(folder.glob("*.yaml"))]


def adopt(
    work: Workspace, definition: Definition, folder: Path, by: Principal, columns: Columns | None = None
) -> dict[str, Contract]:
    """Make the contracts in a folder those in force; one whose file is gone is retired. By source.

    Each change is recorded in the audit log.

    Raises:
        InvalidFile: a file has mistakes, or promises what its source has not; nothing was adopted.
    """
    found = look_over(definition, folder, columns)
    demand_right(found)
    adopted = {file.contract.contract: file for file in found if file.contract}
    with work.database.writing() as connection:
        for source in store.texts(connection, definition.name):
            if source not in adopted:
                store.remove(connection, definition.name, source)
                detail = {"use_case": definition.name, "source": source}
                governing.record(connection, work, by, "contract.retired", f"{definition.name}/{source}", detail)
        for source, file in adopted.items():
            _adopt_one(work, connection, definition, source, file, by)
    return {source: file.contract for source, file in adopted.items() if file.contract}


def demand_right(found: Iterable[ContractFile]) -> None:
    """That no file has a mistake.

    Raises:
        InvalidFile: some have; ``problems`` names all, each with its file where several are at fault.
    """
    wrong = [file for file in found if file.problems]
    if not wrong:
        return
    several = len(wrong) > 1
    problems = [
        Problem(f"{f.path.name} {p.where}" if several else p.where, p.message, p.repair, p.line, p.column)
        for f in wrong
        for p in f.problems
    ]
    names = ", ".join(str(file.path) for file in wrong)
    count = "a mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
    verb = "have" if several else "has"
    raise InvalidFile(f"{names} {verb} {count}.", "Correct what is named; see pilotage contract check.", problems)


def _looked_over(path: Path, definition: Definition, columns: Columns) -> ContractFile:
    text, fault = _text_of(path)
    if fault:
        return ContractFile(path, text, None, (fault,), ())
    reading = read(text)
    contract, mistakes = reading.contract, list(reading.mistakes)
    noted: list[tuple[str, Mistake]] = []
    if contract is not None:
        known = {mistake.path for mistake in mistakes}
        more = [*_named_as(path, contract), *against_use_case(contract, definition)]
        if contract.contract in columns:
            more += against_source(contract, columns[contract.contract])
        mistakes += [mistake for mistake in more if mistake.path not in known]
        noted = list(warnings(contract, columns.get(contract.contract, ())))
    lints = [(identifier, located([mistake], reading.positions)[0]) for identifier, mistake in noted]
    return ContractFile(
        path=path,
        text=text,
        contract=contract,
        problems=tuple(located(mistakes, reading.positions)),
        warnings=tuple(Lint(name, p.message, p.repair, p.line, p.column) for name, p in lints),
    )


def _named_as(path: Path, contract: Contract) -> list[Mistake]:
    if path.stem == contract.contract:
        return []
    message = f"The file is {path.name}, and its contract that of {contract.contract}."
    return [Mistake(("contract",), message, f"Name it {contract.contract}.yaml: one file per source.")]


def _text_of(path: Path) -> tuple[str, Problem | None]:
    with path.open("rb") as file:
        content = file.read(FILE_BYTES_MAX + 1)
    if len(content) > FILE_BYTES_MAX:
        return "", Problem("file", "It is larger than a mebibyte.", "Check that it is the right file.", 1, 1)
    try:
        return content.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return "", Problem("file", "It is not UTF-8.", "Save it as UTF-8 text.", line, 1)


def _adopt_one(
    work: Workspace,
    connection: sa.Connection,
    definition: Definition,
    source: str,
    file: ContractFile,
    by: Principal,
) -> None:
    mark, now = fingerprint(file.text), work.clock.now()
    before = store.put(connection, definition.name, source, file.text, mark, now)
    if before != mark:
        version = file.contract.version if file.contract else ""
        detail = {"use_case": definition.name, "source": source, "fingerprint": mark, "before": before}
        said = {**detail, "version": version, "file": str(file.path)}
        governing.record(connection, work, by, "contract.adopted", f"{definition.name}/{source}", said)
