"""Asking and looking up: what the command line, other rooms and pages do with decisions."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from pilotage.data import flow as data
from pilotage.decisions import rules, store, tables
from pilotage.decisions.answering.serving import Serving, open_serving
from pilotage.decisions.contract import Contract
from pilotage.decisions.durable import draining
from pilotage.decisions.records import Answer, Decision, Found, Search
from pilotage.govern import flow as governing
from pilotage.govern.records import Principal, Verification
from pilotage.models import flow as modelling
from pilotage.models.countering import CounterExample
from pilotage.platform.errors import InvalidRequest, NotFound, PilotageError, Unavailable
from pilotage.platform.identifiers import made_at
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.usecase.records import Definition

OTHERS_TOLD = 3
PROBLEMS_TOLD = 3
_ASKED_AT_ONCE = 500
_BROUGHT_IN = timedelta(seconds=10)
"""After so long what another host answered is in the ledger, or its spool is behind and an incident says so."""


def decide(work: Workspace, definition: Definition, body: bytes, by: Principal) -> Answer:
    """Answer one question in this process; recorded in the ledger before it is returned."""
    definition = releasing.answering(work, definition)
    decision = _decide(work, _serving_for(work, definition, body), body, by)
    draining.keep(work, [store.encode(decision)])
    return rules.answer_of(decision)


def told(error: InvalidRequest) -> str:
    """What is wrong with one row, short: a file has many."""
    first = [str(problem) for problem in error.problems[:PROBLEMS_TOLD]] or [error.message]
    more = len(error.problems) - len(first)
    return "; ".join(first) + (f"; and {more} more" if more > 0 else "")


def other_answers(
    work: Workspace, definition: Definition, decision: Decision, hidden: Collection[str] = ()
) -> tuple[CounterExample, ...]:
    """What one column would have had to be for the model to answer otherwise; ``hidden`` columns are not told.

    None where the model gave no view, the file has changed since, or its version is not here any more.
    """
    if decision.version is None or decision.model_answer is None:
        return ()
    try:
        version = releasing.version(work, decision.version)
        scorer = modelling.load_artefact(work, version.artefact, version.signature)
    except PilotageError:
        return ()
    if not scorer.fits(definition):
        return ()
    found = scorer.counter_examples(decision.inputs, OTHERS_TOLD + len(hidden))
    return tuple(one for one in found if one.column not in hidden)[:OTHERS_TOLD]


def find(work: Workspace, decision_id: str) -> Decision:
    """One decision, also while it is still on its way from the spool into the ledger.

    Raises:
        NotFound: nobody was ever answered with this identifier.
        Unavailable: it is so new that it may be on its way in the spool of another host.
    """
    with work.database.reading() as connection:
        found = store.find(connection, decision_id)
    found = found or next((each for each in _waiting(work) if each.id == decision_id), None)
    if found is None:  # drained between the two looks
        with work.database.reading() as connection:
            found = store.find(connection, decision_id)
    if found is None and _may_be_elsewhere(work, decision_id):
        raise Unavailable(
            f"There is no decision {decision_id} here yet: another host may have made it just now.",
            "Ask again in a second. Where it is still not there then, use the id that came with the answer.",
        )
    if found is None:
        raise NotFound(f"There is no decision {decision_id}.", "Use the id that came with the answer.")
    return found


def _may_be_elsewhere(work: Workspace, decision_id: str) -> bool:
    """Whether several hosts can share the ledger, and the identifier is newer than they need to bring in theirs."""
    made = made_at(decision_id)
    return not work.database.is_sqlite and made is not None and abs(work.clock.now() - made) < _BROUGHT_IN


def find_all(work: Workspace, ids: Sequence[str]) -> dict[str, Decision]:
    """Those of these decisions that were made, by identifier; spool included."""
    wanted = set(ids)
    waiting = {each.id: each for each in _waiting(work) if each.id in wanted}
    with work.database.reading() as connection:
        kept = {each.id: each for each in store.find_all(connection, ids)}
    return {**waiting, **kept}


def newest_for(work: Workspace, use_case: str, entity: str) -> Decision | None:
    """The newest decision about an entity, spool included."""
    waiting = [each for each in _waiting(work) if each.use_case == use_case and each.entity == entity]
    with work.database.reading() as connection:
        kept = store.newest_for(connection, use_case, entity)
    candidates = [*waiting, *([kept] if kept else [])]
    return max(candidates, key=lambda each: (each.decided_at, each.id), default=None)


def search(
    work: Workspace,
    use_case: str,
    wanted: Search,
    limit: int = 100,
    but: Callable[[Sequence[str]], Collection[str]] | None = None,
) -> Found:
    """Decisions that fit, newest first, and where to go on; one page looks through a bounded number of them.

    ``but`` says which of some identifiers are not to be found, so that a page is as full, and goes on at the same
    place, as if these did not fit.
    """
    most = limit + 1 if but is None else store.LOOKED_THROUGH_MAX
    with work.database.reading() as connection:
        fitting = store.fitting(connection, use_case, wanted, most)
    ids = fitting.ids if but is None else _first_but(fitting.ids, limit + 1, but)
    with work.database.reading() as connection:
        found = {each.id: each for each in store.find_all(connection, ids[:limit])}
    further = ids[limit - 1] if len(ids) > limit else fitting.end
    return Found(tuple(found[each] for each in ids[:limit] if each in found), further)


def _first_but(ids: Sequence[str], many: int, but: Callable[[Sequence[str]], Collection[str]]) -> list[str]:
    """The first so many identifiers without those that are not to be found; asks no further than it must."""
    found: list[str] = []
    for start in range(0, len(ids), _ASKED_AT_ONCE):
        some = ids[start : start + _ASKED_AT_ONCE]
        hidden = but(some)
        found += [each for each in some if each not in hidden]
        if len(found) >= many:
            break
    return found[:many]


def recent(work: Workspace, use_case: str, limit: int = 100, text: str = "") -> list[Decision]:
    """The newest decisions, newest first."""
    with work.database.reading() as connection:
        return store.recent(connection, use_case, limit, text)


def verify_recorded(work: Workspace) -> Verification:
    """The audit log, and every decision batch that it vouches for, recomputed from the stored bytes.

    The columns that pages and gates read must say what the bytes say, and no decision may stand outside a batch.
    """
    found = governing.verify(work)
    if not found.valid:
        return found
    vouched = 0
    with work.database.reading() as connection:
        for entry in governing.entries(work, action="decisions.recorded"):
            fault = _fault_of(entry.detail, store.batch(connection, entry.detail["batch"]))
            if fault:
                return msgspec.structs.replace(found, valid=False, message=f"Entry {entry.number} {fault}")
            vouched += entry.detail["decisions"]
        kept = store.count(connection)
    if kept != vouched:
        message = f"The ledger holds {kept:,} decisions; the audit log vouches for {vouched:,}."
        return msgspec.structs.replace(found, valid=False, message=message)
    return found


def _fault_of(detail: dict[str, Any], kept: list[store.Kept]) -> str:
    """How a batch differs from what the audit log says of it, as the end of a sentence; empty when it does not."""
    batch = f"vouches for {detail['decisions']} decisions of batch {detail['batch']}; the ledger now holds others."
    if len(kept) != detail["decisions"] or draining.digest_of([each.content for each in kept]) != detail["sha256"]:
        return batch
    return next((f"{batch} {each.id} is told otherwise in its columns." for each in kept if not each.agrees), "")


def read_requests(file: Path, contract: Contract) -> Iterator[bytes | InvalidRequest]:
    """The requests of a file, one JSON object each: JSON lines, CSV or Parquet by its suffix.

    A row of which none can be made comes as what is wrong with it.

    Raises:
        PilotageError: the file is not there or of another kind.
        InvalidRequest: no row of a table can fit, because its columns do not.
    """
    if not file.exists():
        raise NotFound(f"{file} does not exist.", "Give a .jsonl, .csv or .parquet file.")
    suffix = file.suffix.lower()
    if suffix in (".jsonl", ".ndjson"):
        return _lines(file)
    if suffix not in (".parquet", ".csv"):
        raise PilotageError(f"{file} is neither JSON lines, CSV nor Parquet.", "Name it .jsonl, .csv or .parquet.")
    try:
        contract.demand_columns(tables.columns_of(file))
    except InvalidRequest as error:
        raise InvalidRequest(f"{file} cannot be answered. {error.message}", error.repair) from None
    return tables.rows_of(file, contract)


def count_requests(file: Path) -> int:
    """How many requests a file of :func:`read_requests` has."""
    is_lines = file.suffix.lower() in (".jsonl", ".ndjson")
    return sum(1 for _ in _lines(file)) if is_lines else tables.count_of(file)


def _lines(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        if stream.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
            stream.seek(0)
        yield from (line for line in stream if line.strip())


def contract_of(work: Workspace, definition: Definition) -> Contract:
    """The request contract of a use case, with what its source's values are."""
    return Contract(definition.plan, data.source_types(work, definition))


def _serving_for(work: Workspace, definition: Definition, body: bytes) -> Serving:
    """A serving that knows the columns of this one question: those of all history would take long to open."""
    _, request = contract_of(work, definition).decode(body)
    moment = rules.as_of(rules.moment_of(definition.plan)(request), work.clock.now())
    return open_serving(work, definition, data.open_live(work, definition, moment))


def _decide(work: Workspace, serving: Serving, body: bytes, by: Principal) -> Decision:
    now = work.clock.now()
    question = serving.ask(body, now)
    return serving.decide(question, serving.score(question), by, now)


def _waiting(work: Workspace) -> Iterator[Decision]:
    yield from draining.waiting(work.settings.spool_folder)
