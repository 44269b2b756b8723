"""Outcomes that apps tell: each event has one effect, however often, in whatever order and by whomever it is told.

What is told of a decision that nobody knows is quarantined, listed, and joined when the decision turns up.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from msgspec.structs import replace

from pilotage.govern import flow as governing
from pilotage.govern.records import Permission, Principal
from pilotage.govern.rules.permissions import allowed
from pilotage.outcomes import reports_store, rules, store
from pilotage.outcomes.flow import told_of
from pilotage.outcomes.records import Asked, JoinedOutcome, Report, Reported, ReportRow
from pilotage.platform.errors import InvalidRequest, NotFound
from pilotage.platform.instants import as_utc
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow as defining
from pilotage.usecase.records import OutcomeKind
from pilotage.webhooks import flow as webhooks

ROWS_MAX = 1_000
_SETTLED_AT_ONCE = 1_000
_LISTED_MAX = 1_000

_WANTED: Mapping[OutcomeKind, str] = {"flag": "true or false", "category": "a text", "number": "a finite number"}


def report(work: Workspace, by: Principal, rows: Sequence[ReportRow | InvalidRequest]) -> list[Reported]:
    """Take outcomes in; what became of each row, in their order.

    A row that could not be read is handed in as its error. Each row stands for itself: one that is refused does not
    keep the others out.
    """
    now, of_kind, rows = work.clock.now(), kinds(work), [_keepable(row) for row in rows]
    told = [_told(row, by, now) for row in rows if isinstance(row, ReportRow)]
    callers = {each.id: each for each in governing.all_keys(work).values()} | {by.id: by}
    with work.database.writing() as connection:
        governing.take_turn(connection)
        before = reports_store.of_events(connection, [(each.source, each.id) for each in told])
        asked = reports_store.decisions_of(connection, [*told, *(each for each in before if each.quarantined)])
        taking = _Taking(by, callers, of_kind, asked, before)
        results = [
            taking.take(_told(row, by, now))
            if isinstance(row, ReportRow)
            else Reported(422, "refused", problem=row.message)
            for row in rows
        ]
        reports_store.remove_quarantined(connection, taking.replaced)
        reports_store.add(connection, taking.fresh)
        joined = _settle(connection, work, [each for each in taking.fresh if not each.quarantined])
    corrected = {each.decision for each in joined if each.revision > 1}
    return [_with_effect(result, corrected) for result in results]


def quarantined(work: Workspace, by: Principal | None = None) -> list[Report]:
    """Reports about decisions that nobody knows, newest first; those of one caller, or of all."""
    with work.database.reading() as connection:
        return reports_store.quarantined(connection, _LISTED_MAX, None if by is None else by.id)


def settle(work: Workspace) -> int:
    """Join what was told before its decision was in the ledger; how many reports left the quarantine.

    So many at a time, in short transactions, until no more can be joined.
    """
    settled = 0
    while joined := _settle_some(work):
        settled += joined
    return settled


def _settle_some(work: Workspace) -> int:
    with work.database.reading() as connection:
        if not reports_store.settleable(connection, 1):
            return 0
    callers = {each.id: each for each in governing.all_keys(work).values()}
    with work.database.writing() as connection:
        governing.take_turn(connection)
        waiting = reports_store.settleable(connection, _SETTLED_AT_ONCE)
        asked = reports_store.decisions_of(connection, waiting)
        of_kind = kinds(work)
        known = {each.reported_by: _Known(callers.get(each.reported_by), asked) for each in waiting}
        placed = [known[each.reported_by].placed(each) for each in waiting]
        free = [each for each in placed if not each.quarantined and not misfit(each, of_kind)]
        reports_store.release(connection, free)
        _settle(connection, work, free)
    return len(free)


class _Known:
    """The decisions that a caller may know of, by identifier and by what was asked."""

    def __init__(self, by: Principal | None, asked: Mapping[str, Asked]) -> None:
        self.decisions: dict[str, Asked] = {}
        self.of_entity: dict[tuple[str, str], list[str]] = {}
        for name, one in asked.items():
            if by is not None and allowed(by, Permission.DECIDE, one.use_case):
                self.decisions[name] = one
                self.of_entity.setdefault((one.use_case, one.entity), []).append(name)

    def placed(self, each: Report) -> Report:
        """The report with its use case, or quarantined where the caller knows no such decision."""
        if not each.decision:
            return replace(each, quarantined=(each.use_case, each.entity) not in self.of_entity)
        found = self.decisions.get(each.decision)
        if found is None or each.use_case not in ("", found.use_case):
            return replace(each, quarantined=True)
        return replace(each, use_case=found.use_case, quarantined=False)

    def about(self, each: Report) -> tuple[str, ...]:
        """The decisions that a report is about."""
        return (each.decision,) if each.decision else tuple(sorted(self.of_entity[each.use_case, each.entity]))


class _Taking:
    """One request of rows: each is judged by what is known before it, the rows before it included.

    ``fresh`` are to be kept, ``replaced`` waited and make room for them.
    """

    def __init__(
        self,
        by: Principal,
        callers: Mapping[str, Principal],
        kinds: Mapping[str, OutcomeKind],
        asked: Mapping[str, Asked],
        before: Iterable[Report],
    ) -> None:
        self.fresh: list[Report] = []
        self.replaced: list[Report] = []
        self._by, self._callers, self._kinds, self._asked = by, callers, kinds, asked
        self._known = _Known(by, asked)
        self._versions: dict[tuple[str, str], dict[int, Report]] = {}
        for each in before:
            self._remember(each)

    def take(self, told: Report) -> Reported:
        each = self._known.placed(told)
        before = self._versions.get((each.source, each.id), {}).get(each.version)
        if before is not None and not self._makes_room(before, each):
            return self._unfit(each) or _again(each, before)
        result = self._judged(each)
        if result.effect != "refused":
            if before is not None:
                self.replaced.append(before)
                each = replace(each, reported_at=before.reported_at) if _is_same(each, before) else each
            self._remember(each)
            self.fresh.append(each)
        return result

    def _remember(self, each: Report) -> None:
        self._versions.setdefault((each.source, each.id), {})[each.version] = each

    def _makes_room(self, before: Report, each: Report) -> bool:
        """Whether a report that waits is replaced by another of its version.

        It is where it can never be joined, because its caller may not tell of that decision, and this one can be now.
        The same of another caller is taken over as long as nobody knows whose the decision will be: a key that is
        disabled meanwhile, or that never had the right, does not keep it waiting.
        """
        if not before.quarantined:
            return False
        if not each.quarantined:
            return _is_same(each, before) or self._may_tell(before) is False
        is_known = each.decision in self._asked
        return _is_same(each, before) and before.reported_by != each.reported_by and not is_known

    def _may_tell(self, before: Report) -> bool | None:
        """Whether its caller may tell of what a report is about; None where nobody knows whose it will be."""
        caller = self._callers.get(before.reported_by)
        if caller is None:
            return False
        if not before.decision:
            return allowed(caller, Permission.DECIDE, before.use_case)
        asked = self._asked.get(before.decision)
        return None if asked is None else allowed(caller, Permission.DECIDE, asked.use_case)

    def _unfit(self, each: Report) -> Reported | None:
        if not each.decision and not (each.use_case and each.entity):
            return Reported(422, "refused", problem="Name a decision, or a use_case and an entity.")
        if not each.decision and not allowed(self._by, Permission.DECIDE, each.use_case):
            return Reported(404, "refused", problem=f"There is no use case {each.use_case} that this key may ask.")
        if wrong := misfit(each, self._kinds):
            return Reported(422, "refused", problem=wrong)
        return None

    def _judged(self, each: Report) -> Reported:
        if unfit := self._unfit(each):
            return unfit
        others = [one for one in self._versions.get((each.source, each.id), {}).values() if one.version != each.version]
        if any(_case(one) != _case(each) and self._counts(one) for one in others):
            return Reported(409, "refused", problem="Another version of this event is about another case.")
        if each.quarantined:
            return Reported(202, "quarantined")
        newer = any(one.version > each.version and self._counts(one) for one in others)
        return Reported(200, "superseded" if newer else "joined", self._known.about(each))

    def _counts(self, other: Report) -> bool:
        """Whether another version is joined, or waits for its decision with the right to tell of it."""
        return not other.quarantined or other.reported_by == self._by.id or self._may_tell(other) is True


def _keepable(row: ReportRow | InvalidRequest) -> ReportRow | InvalidRequest:
    """The row with its instant in UTC, or why no store can keep it."""
    if isinstance(row, InvalidRequest):
        return row
    torn = [name for name in ("source", "id", "decision", "use_case", "entity") if "\0" in getattr(row, name)]
    if torn:
        return InvalidRequest(f"The row does not fit: {', '.join(torn)} must be without the letter NUL (\\u0000).")
    try:
        return replace(row, known_at=as_utc(row.known_at))
    except InvalidRequest:
        return InvalidRequest("The row does not fit: known_at must lie between the years 1 and 9999, in UTC.")


def _told(row: ReportRow, by: Principal, now: datetime) -> Report:
    entity = "" if row.decision else row.entity
    said = (row.source, row.id, row.version, row.use_case, row.decision, entity, row.happened, row.known_at)
    return Report(*said, reported_by=by.id, reported_at=now, quarantined=False)


def _again(each: Report, before: Report) -> Reported:
    if _is_same(each, before):
        return Reported(200, "repeated")
    return Reported(409, "refused", problem="This version of the event was told otherwise before: send a higher one.")


def _is_same(each: Report, before: Report) -> bool:
    said, said_before = (each.happened, each.known_at), (before.happened, before.known_at)
    return _case(each) == _case(before) and said == said_before


def _case(each: Report) -> tuple[str, ...]:
    """What a report is about."""
    return (each.decision,) if each.decision else (each.use_case, each.entity)


def misfit(each: Report, kinds: Mapping[str, OutcomeKind]) -> str:
    """How what happened does not fit the use case's outcome; empty where it does, or where the use case is unknown."""
    kind, said = kinds.get(each.use_case), each.happened
    if isinstance(said, float) and not math.isfinite(said):
        return "happened must be a finite number."
    if kind is None:
        return ""
    is_flag, is_text = isinstance(said, bool), isinstance(said, str)
    fits = {"flag": is_flag, "category": is_text, "number": not is_flag and not is_text}[kind]
    return "" if fits else f"happened must be {_WANTED[kind]}: the outcome of {each.use_case} is a {kind}."


def _settle(connection: sa.Connection, work: Workspace, told: Sequence[Report]) -> list[JoinedOutcome]:
    """Give the decisions of these reports the outcome that counts."""
    decided = reports_store.decisions_of(connection, told)
    about = reports_store.about(connection, decided)
    counting = store.newest_of(connection, sorted(decided))
    pulled = reports_store.pulled(connection, decided)
    joined = rules.settled(decided, about, pulled, counting, work.clock.now())
    store.add(connection, joined)
    webhooks.emit(connection, work, [told_of(each, each.use_case) for each in joined])
    return joined


def _with_effect(result: Reported, corrected: set[str]) -> Reported:
    if result.effect == "joined" and corrected.intersection(result.decisions):
        return replace(result, effect="corrected")
    return result


def kinds(work: Workspace) -> dict[str, OutcomeKind]:
    """The kind of outcome of each use case."""
    found: dict[str, OutcomeKind] = {}
    for name in defining.names(work):
        try:
            found[name] = defining.find_adopted(work, name).use_case.kind
        except NotFound:
            continue
    return found
