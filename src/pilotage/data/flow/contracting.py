"""Contracts in force: adopted with the use-case file, held against new rows, training rows and requests.

Files lie beside the use-case file, ``contracts/<source>.yaml``; what was adopted of them counts until the next sync of
that file. A rule whose severity blocks refuses the sync or the training; one that warns is kept and shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from pilotage.data import snapshots
from pilotage.data import store as data_store
from pilotage.data.contracts import checking, store
from pilotage.data.contracts.checking import Masking, Rows
from pilotage.data.contracts.consistency import against_use
from pilotage.data.contracts.guarding import Guard, guard, unguarded
from pilotage.data.contracts.reading import parsed
from pilotage.data.contracts.records import Contract, Violation, When
from pilotage.data.records import Snapshot
from pilotage.data.rules.marks import KNOWN_AT, SEEN
from pilotage.govern.flow.secret_files import secret_of
from pilotage.govern.rules.masking import masked
from pilotage.platform.errors import ContractBroken, Problem
from pilotage.platform.quoting import quoted
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import keep_evidence, latest_evidence
from pilotage.usecase.records import Definition, Source
from pilotage.usecase.rules.expansion import source_columns

if TYPE_CHECKING:
    import duckdb

EVIDENCE = "contract"


def current(work: Workspace, use_case: str) -> dict[str, Contract]:
    """The contracts in force, by source."""
    with work.database.reading() as connection:
        texts = store.texts(connection, use_case)
    return {source: parsed(text, f"the contract of {source}") for source, text in texts.items()}


def contract_fingerprints(work: Workspace) -> dict[str, str]:
    """The fingerprint of every contract in force, by ``use_case/source``; one query, as workers ask it often."""
    with work.database.reading() as connection:
        return store.fingerprints(connection)


def open_guard(work: Workspace, definition: Definition) -> Guard:
    """What holds the columns of a request against the contract of the decision's source."""
    contract = current(work, definition.name).get(definition.use_case.decision.source)
    if contract is None:
        return unguarded
    entity = definition.plan.entity
    return guard(contract, {entity: entity, **source_columns(definition.use_case)})


def check_new(
    work: Workspace,
    definition: Definition,
    source: str,
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    kept: str = "",
) -> tuple[Violation, ...]:
    """Hold new rows against the contract of their source before anybody sees them; what only warns is returned.

    ``relation`` has the source's columns, ``_deleted`` and ``_seen_at`` or ``_known_at``. ``kept`` is a relation of the
    rows that are there already: with it a value that has to be unique is looked for in them, too.

    Raises:
        ContractBroken: a rule that blocks is broken; what was found is kept as evidence first.
    """
    contract = current(work, definition.name).get(source)
    if contract is None:
        return ()
    now = work.clock.now()
    key, clock = tuple(definition.use_case.sources[source].key), _clock(connection, relation, definition, source)
    shown = _masking(work, contract)
    found = checking.check(connection, contract, Rows(relation, key, "sync", "new rows"), shown, now)
    every = Rows(_with_kept(connection, relation, kept), key, "sync", "rows", clock)
    found += checking.check_unique(connection, contract, every, shown, now)
    if _blocking(found):
        _keep(work, definition, source, "sync", found)
        raise _broken(found, "Nothing of this sync was kept of it.")
    return found


def check_synced(
    work: Workspace, definition: Definition, source: str, found: Sequence[Violation], known_to: datetime | None
) -> tuple[Violation, ...]:
    """Close the check of a sync, also of one without new rows: is the newest row fresh enough? Keeps the evidence.

    ``found`` is what :func:`check_new` gave; of several pieces the worst of each rule counts.

    Raises:
        ContractBroken: the source is staler than a contract that blocks allows.
    """
    contract = current(work, definition.name).get(source)
    if contract is None:
        return ()
    is_static = definition.use_case.sources[source].is_static
    stale = () if is_static else checking.check_freshness(contract, known_to, "sync", work.clock.now())
    every = (*_worst(found), *stale)
    _keep(work, definition, source, "sync", every)
    if _blocking(stale):
        raise _broken(stale, "Its rows are kept as far as they came.")
    return every


class Inspection:
    """One sync of a source held against its contract: piece by piece while it is read, and closed at its end.

    For :mod:`pilotage.data.flow.taking_in`, which knows rows and no contracts.
    """

    def __init__(self, work: Workspace, definition: Definition, source: str) -> None:
        self._work, self._definition, self._source = work, definition, source
        self._found: list[Violation] = []

    def look(self, connection: duckdb.DuckDBPyConnection, relation: str, kept: str = "") -> None:
        """As :func:`check_new`; what only warns is remembered."""
        self._found += check_new(self._work, self._definition, self._source, connection, relation, kept)

    def close(self, known_to: datetime | None) -> tuple[Violation, ...]:
        """As :func:`check_synced`, of everything that was looked at."""
        return check_synced(self._work, self._definition, self._source, self._found, known_to)


def check_before_training(
    work: Workspace, definition: Definition, connection: duckdb.DuckDBPyConnection, found: dict[str, Snapshot]
) -> tuple[Violation, ...]:
    """Hold the newest rows of all sources against their contracts before anything is learned from them.

    All versions are looked at first, because that is cheaper: only where one of them breaks a rule, the newest of each
    key are told from those that were corrected since.

    Raises:
        ContractBroken: a rule that blocks is broken, or the file uses a column for what its contract does not allow.
    """
    contracts = current(work, definition.name)
    for contract in contracts.values():
        _demand_allowed(contract, definition)
    every: list[Violation] = []
    for source, contract in contracts.items():
        if source in found:
            broken = check_snapshot(work, contract, connection, found[source])
            _keep(work, definition, source, "training", broken)
            every += broken
    if _blocking(every):
        raise _broken(every, "No training set was built.")
    return tuple(every)


def check_snapshot(
    work: Workspace, contract: Contract, connection: duckdb.DuckDBPyConnection, found: Snapshot
) -> tuple[Violation, ...]:
    """What the newest rows of a snapshot break of a contract."""
    now, shown = work.clock.now(), _masking(work, contract)
    newest = Rows(snapshots.newest_sql(work.lake, found), found.key, "training")
    versions = Rows(snapshots.versions_sql(work.lake, found), found.key, "training")
    broken = checking.check(connection, contract, versions, shown, now)
    if broken:
        broken = checking.check(connection, contract, newest, shown, now)
    return broken + checking.check_unique(connection, contract, newest, shown, now)


def check_now(work: Workspace, definition: Definition) -> dict[str, tuple[Violation, ...]]:
    """What the newest rows that were read break of each contract, by source; nothing is kept of it.

    A source that was never synced is not in the answer.
    """
    contracts = current(work, definition.name)
    with work.database.reading() as control:
        found = {source: data_store.current_snapshot(control, definition.name, source) for source in contracts}
    with snapshots.engine(work.lake) as connection:
        return {
            source: check_snapshot(work, contracts[source], connection, snapshot)
            for source, snapshot in found.items()
            if snapshot is not None
        }


def violations(work: Workspace, use_case: str) -> tuple[Violation, ...]:
    """What the newest check of each source found broken, at a sync and before training."""
    kept = latest_evidence(work, use_case, EVIDENCE)
    checks: dict[str, dict[str, Any]] = kept.body["checks"] if kept else {}
    found = [each for by_when in checks.values() for check in by_when.values() for each in check["violations"]]
    return msgspec.convert(found, tuple[Violation, ...], strict=False)


def in_words(found: Iterable[Violation]) -> list[str]:
    """Violations as lines to print."""
    return [
        f"{each.severity} {each.source}{f'.{each.column}' if each.column else ''}: {each.message}{_such_as(each)} "
        f"Owner: {each.owner}."
        for each in found
    ]


def _demand_allowed(contract: Contract, definition: Definition) -> None:
    mistakes = list(against_use(contract, definition))
    if mistakes:
        problems = [Problem(f"{contract.contract}.{m.path[1]}", m.message, m.repair) for m in mistakes]
        message = f"{definition.name} uses columns of {contract.contract} for what its contract does not allow."
        raise ContractBroken(message, f"Owner of {contract.contract}: {contract.owner}.", problems)


def _clock(connection: duckdb.DuckDBPyConnection, relation: str, definition: Definition, source: str) -> str:
    """Which version of a row is the newer one, as the relation says it."""
    names = {row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()}
    declared = definition.use_case.sources[source]
    if KNOWN_AT.strip('"') in names:
        return KNOWN_AT
    return SEEN if declared.is_static else _known(declared)


def _known(source: Source) -> str:
    return f"coalesce({SEEN}, CAST({quoted(source.known_at)} AS TIMESTAMP))"


def _with_kept(connection: duckdb.DuckDBPyConnection, relation: str, kept: str) -> str:
    """New rows and those that are there, in the columns that both have."""
    if not kept:
        return relation
    there = {row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {kept}").fetchall()}
    names = [row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall() if row[0] in there]
    chosen = ", ".join(quoted(name) for name in names)
    return f"(SELECT {chosen} FROM {kept} UNION ALL SELECT {chosen} FROM {relation})"


def _masking(work: Workspace, contract: Contract) -> Masking:
    secret = secret_of(work, "masking")

    def shown(column: str, value: str) -> str:
        promised = contract.columns.get(column)
        return masked(value, promised.mask if promised else "none", secret)

    return shown


def _worst(found: Iterable[Violation]) -> tuple[Violation, ...]:
    worst: dict[tuple[str, str], Violation] = {}
    for each in found:
        known = worst.get((each.column, each.rule))
        if known is None or each.rows > known.rows:
            worst[(each.column, each.rule)] = each
    return tuple(worst.values())


def _keep(work: Workspace, definition: Definition, source: str, when: When, found: Sequence[Violation]) -> None:
    """The newest check of each source, in one piece of evidence; nothing is kept of one that found nothing again."""
    kept = latest_evidence(work, definition.name, EVIDENCE)
    checks: dict[str, dict[str, Any]] = dict(kept.body["checks"]) if kept else {}
    known = checks.get(source, {}).get(when)
    if known is not None and not found and not known["violations"]:
        return
    now = {"at": work.clock.now(), "violations": found}
    checks[source] = {**checks.get(source, {}), when: now}
    keep_evidence(work, definition, EVIDENCE, {"checks": checks})


def _blocking(found: Iterable[Violation]) -> bool:
    return any(each.severity == "blocks" for each in found)


def _broken(found: Sequence[Violation], consequence: str) -> ContractBroken:
    """One error that says every rule that blocks, the rows, who answers and what to do."""
    blocking = [each for each in found if each.severity == "blocks"]
    sources = " and ".join(dict.fromkeys(each.source for each in blocking))
    owners = " and ".join(dict.fromkeys(each.owner for each in blocking))
    said = " ".join(f"{each.message}{_such_as(each)}" for each in blocking)
    problems = [Problem(f"{e.source}.{e.column}" if e.column else e.source, f"{e.message}{_such_as(e)}") for e in found]
    repair = f"Have {owners} correct the rows, or the contract where it promises too much. {consequence}"
    return ContractBroken(f"The contract of {sources} is broken: {said}", repair, problems if len(found) > 1 else [])


def _such_as(violation: Violation) -> str:
    return f" Rows: {'; '.join(violation.keys)}." if violation.keys else ""
