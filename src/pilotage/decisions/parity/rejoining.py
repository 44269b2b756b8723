"""In operation: a sample of recorded decisions, held against the columns that training would make for them now."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct

from pilotage.data import flow as data
from pilotage.data.flow import contracting, rejoining
from pilotage.data.flow.rejoining import Question
from pilotage.data.live import as_kind
from pilotage.decisions import store
from pilotage.decisions.parity.comparing import Tally, size_of, tolerance_of
from pilotage.decisions.parity.records import REJOINED, Rejoined
from pilotage.decisions.parity.sighting import personal_columns, shown
from pilotage.decisions.records import Decision
from pilotage.platform.errors import PilotageError
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.releases.records import ColumnParity
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Column, Definition, Latest, Window

SAMPLE = 1_000
PERIOD = timedelta(days=1)
_FOLLOWED = timedelta(minutes=1)
"""So long after another file answers, workers may still do by the one before: they open its columns first."""


def rejoin(work: Workspace, definition: Definition) -> Rejoined | None:
    """Join a sample of the newest day's decisions again and keep as evidence how they compare; None without any.

    They are held against the file that answers are given by, which need not be the newest.

    Only decisions up to the instant to which all sources were read are looked at: of later ones training would not
    know everything yet.
    """
    began = time.perf_counter()
    changed = max(defining.adopted_at(work, definition.name), releasing.file_since(work, definition.name))
    definition = releasing.answering(work, definition)
    until, followed = _read_until(work, definition), changed + _FOLLOWED
    with work.database.reading() as connection:
        found = store.sample(connection, definition.name, followed, until, PERIOD, SAMPLE)
    if found is None:
        return None
    # What was asked twice about the same moment is compared once: training would have one row of it.
    decisions = list({(each.entity, each.moment): each for each in found.decisions}.values())
    names = definition.plan.names
    compared = [each for each in decisions if all(name in each.inputs for name in names)]
    result = _compared(work, definition, compared)
    rejoined = Rejoined(
        use_case=definition.name,
        since=found.since,
        until=found.until,
        decisions=found.count,
        sampled=len(decisions),
        without_columns=len(decisions) - len(compared),
        same=result.same,
        columns=len(names),
        differing=result.differing,
        snapshots=result.snapshots,
        seconds=time.perf_counter() - began,
    )
    defining.keep_evidence(work, definition, REJOINED, msgspec.to_builtins(rejoined))
    return rejoined


def rejoin_all(work: Workspace) -> None:
    """The same for every use case; what fails for one does not keep the others from it.

    Raises:
        PilotageError: something failed; the message names each use case and what was wrong.
    """
    failures: list[str] = []
    for name in defining.names(work):
        try:
            rejoin(work, defining.find_adopted(work, name))
        except PilotageError as failure:
            failures.append(f"{name}: {failure.message}")
    if failures:
        raise PilotageError(" ".join(failures), "Repair what is named; it is tried again.")


def latest_rejoined(work: Workspace, use_case: str) -> Rejoined | None:
    """What was found last; None where nothing was compared yet."""
    piece = defining.latest_evidence(work, use_case, REJOINED)
    return None if piece is None else msgspec.convert(piece.body, Rejoined)


def _read_until(work: Workspace, definition: Definition) -> datetime:
    """Up to when every source of columns was read."""
    sources = {column.source for column in definition.plan.columns if isinstance(column, (Latest, Window))}
    known = data.states(work, definition.name)
    read = [known[name].read_until for name in sources if name in known]
    return min([work.clock.now(), *(until for until in read if until is not None)])


class _Compared(Struct, frozen=True):
    """The columns that differ, how many decisions stand on the same ones throughout, and the snapshots asked."""

    differing: tuple[ColumnParity, ...] = ()
    same: int = 0
    snapshots: dict[str, str] = {}


def _compared(work: Workspace, definition: Definition, decisions: Sequence[Decision]) -> _Compared:
    if not decisions:
        return _Compared()
    plan = definition.plan
    personal = personal_columns(definition, contracting.current(work, definition.name))
    questions = [Question(each.entity, each.moment, each.inputs) for each in decisions]
    made = rejoining.as_trained(work, definition, questions)
    columns = [(each, _tally(each, personal, [row[each.name] for row in made.rows.values()])) for each in plan.columns]
    entity_shown = shown(plan.entity, personal) if plan.entity in personal else str
    same = 0
    for each in decisions:
        row, entity = made.rows[each.entity, each.moment], entity_shown(each.entity)
        before = sum(tally.differing for _, tally in columns)
        for column, tally in columns:
            tally.add(row[column.name], as_kind(each.inputs[column.name], column.kind), entity, each.moment)
        same += sum(tally.differing for _, tally in columns) == before
    counted = sorted((tally.counted() for _, tally in columns), key=lambda found: -found.differing)
    return _Compared(tuple(found for found in counted if found.differing), same, made.snapshots)


def _tally(column: Column, personal: frozenset[str], trained: Sequence[Any]) -> Tally:
    return Tally(column.name, tolerance_of(column), shown(column.name, personal), size_of(column, trained))
