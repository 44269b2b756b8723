"""Reading the ledger: is it still safe, is it still worth it?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import get_args

import sqlalchemy as sa

from pilotage.decisions import flow as deciding
from pilotage.decisions import store as ledger
from pilotage.decisions.jobs import store as jobs
from pilotage.decisions.kinds import default_of
from pilotage.decisions.records import Decision, Found, Search
from pilotage.govern.records import Permission, Principal
from pilotage.govern.rules.permissions import allowed
from pilotage.monitor import life, rules, store
from pilotage.monitor.records import Answerer, Day, Matured, Operation, Runs, Service, Step
from pilotage.monitor.verdicts import ANSWERS_MIN, RECENT
from pilotage.outcomes import flow as outcomes
from pilotage.platform.workspace import Workspace
from pilotage.review import flow as reviewing
from pilotage.review import store as cases
from pilotage.review.records import Case
from pilotage.review.rules.cases import CLOSED, DECIDED
from pilotage.usecase.records import Definition, seconds

_LATENCIES = 5_000
_FLAGS = 1_000
_JOBS_MAX = 1_000
_SEED = 20131201


def operation(work: Workspace, definition: Definition, version: str | None = None) -> Operation:
    """Everything that the operate page says of a use case, as of now.

    With ``version`` (an identifier) only decisions taken while it was live count: what the gates read. What people
    said and reviewed is of the whole use case either way, and what could not be read is then left out.
    """
    use_case, brief = definition.use_case, definition.use_case.brief
    with work.database.reading() as connection:
        hours = rules.hours(store.volume(connection, definition.name, version))
        produced = store.produced(connection, definition.name, version)
        asked = store.model_asked(connection, definition.name, version)
        service = _service(connection, definition.name, version, None)
        recent = _service(connection, definition.name, version, _recent_since(connection, definition.name))
        runs = _runs(connection, definition, version, work.clock.now())
        known_before = store.known_before(connection, definition.name, version)
        matured = _matured(connection, definition, version)
        judged_blind = store.judged_blind_yet(connection, definition.name, version)
        flags = store.flags_of_newest(connection, definition.name, _FLAGS) if version is None else []
        feedback = store.feedback_counts(connection, definition.name)
        overrides = store.override_reasons(connection, definition.name)
        reviews = cases.count_states(connection, definition.name)
    both = rules.comparable(matured)
    reviews_done = sum(reviews.get(state, 0) for state in DECIDED)
    review_minutes = reviews_done * use_case.review.minutes_per_case
    kind = use_case.kind
    given = rules.quality("given", matured, kind, brief.value)
    return Operation(
        use_case=definition.name,
        kind=kind,
        unit=use_case.outcome.unit,
        currency=brief.value.currency,
        decisions=sum(produced.values()),
        matured=given.decisions,
        hours=hours,
        produced_by=produced,
        reasons=rules.fallback_reasons(hours),
        model_asked=asked,
        failures=rules.model_failures(hours),
        quality=tuple(rules.quality(name, both, kind, brief.value) for name in get_args(Answerer)),
        service=service,
        recent=recent,
        shown=feedback.get("shown", 0),
        useful=feedback.get("useful", 0),
        wrong=feedback.get("wrong", 0),
        overrides=feedback.get("override", 0),
        override_reasons=overrides,
        escalations=feedback.get("escalate", 0),
        reviews_open=sum(count for state, count in reviews.items() if state not in CLOSED),
        reviews_done=reviews_done,
        review_minutes=review_minutes,
        money_so_far=given.money + review_minutes * brief.value.review_minute,
        money_of_rule=rules.quality("rule", matured, kind, brief.value).money,
        known_before=known_before,
        runs=runs,
        judged_blind=judged_blind,
        unread=rules.unread(flags),
        unread_of=len(flags),
    )


def _service(connection: sa.Connection, use_case: str, version: str | None, since: datetime | None) -> Service:
    asked = store.asked_by_apps(connection, use_case, version, since)
    return rules.service(asked, store.latencies_us(connection, use_case, _LATENCIES, version, since))


def _runs(connection: sa.Connection, definition: Definition, version: str | None, now: datetime) -> Runs:
    made = jobs.of_use_case(connection, definition.name, _JOBS_MAX)
    if not made:
        return Runs()
    within = timedelta(seconds=seconds(definition.use_case.batch.within))
    return rules.runs(store.asked_in_jobs(connection, definition.name, version), made, within, now)


def _recent_since(connection: sa.Connection, use_case: str) -> datetime | None:
    """A day before apps asked last; further back where a day has too few questions to tell by."""
    newest = store.newest_by_apps(connection, use_case, ANSWERS_MIN)
    return min(newest[0] - RECENT, newest[-1]) if newest else None


def worth(
    work: Workspace, definition: Definition, version: str | None = None
) -> tuple[tuple[Day, ...], tuple[float, float, float] | None]:
    """Model and rule day by day on the same decisions; the advantage with its interval, None if too early.

    With ``version`` only of decisions taken while it was live.
    """
    with work.database.reading() as connection:
        both = rules.comparable(_matured(connection, definition, version))
    kind, value = definition.use_case.kind, definition.use_case.brief.value
    return rules.days(both, kind, value), rules.advantage(both, kind, value, _SEED)


def _matured(connection: sa.Connection, definition: Definition, version: str | None) -> list[Matured]:
    """Whoever could not say would have been given the declared default: that counts."""
    use_case = definition.use_case
    return store.matured(connection, definition.name, use_case.kind, default_of(use_case), version)


def life_of(
    work: Workspace, definition: Definition, decision: Decision, reader: Principal
) -> tuple[list[Step], Case | None]:
    """Everything that happened to one decision as far as the reader may see, and its review case, if there is one.

    What reviewers said of an open case is for nobody: they would be led by each other.
    """
    with work.database.reading() as connection:
        case = cases.case_of_decision(connection, decision.id)
    said = reviewing.feedback_on(work, decision.id)
    happened = outcomes.of_decision(work, decision.id)
    is_reviewer = allowed(reader, Permission.REVIEW, definition.name)
    opinions, comments = reviewing.talk_on(work, case, reader.name) if case and is_reviewer else ([], ())
    return life.steps(decision, said, case, happened, definition.use_case, opinions, comments), case


def judges(reader: Principal, use_case: str) -> bool:
    """Whether this reader may be given a case of the use case next: from them is kept what blind cases hide."""
    return allowed(reader, Permission.REVIEW, use_case)


def kept_back(work: Workspace, reader: Principal, use_case: str, ids: Sequence[str]) -> set[str]:
    """Of which of these decisions, some hundreds, this reader must not learn the answer: of those judged blind."""
    if not ids or not judges(reader, use_case):
        return set()
    drawn = reviewing.drawn_blind(work, use_case, ids)
    with work.database.reading() as connection:
        on_their_way = drawn - ledger.known_ids(connection, list(drawn)) if drawn else set()
    reviewing.take_in(work)  # what came into the ledger this second may be a blind case, which nobody has opened yet
    with work.database.reading() as connection:
        return store.judged_blind(connection, ids) | on_their_way


def search(work: Workspace, reader: Principal, use_case: str, wanted: Search, limit: int) -> tuple[Found, set[str]]:
    """Decisions that fit, and of which of them the answer is kept from this reader.

    Those are never found by what is kept back: to be found by an answer, or to be missing on a page that would
    otherwise be full, tells it, too.
    """
    by_answer = any((wanted.version, wanted.reason, wanted.stage, wanted.produced_by))
    if by_answer and judges(reader, use_case):
        return deciding.search(work, use_case, wanted, limit, partial(kept_back, work, reader, use_case)), set()
    found = deciding.search(work, use_case, wanted, limit)
    return found, kept_back(work, reader, use_case, [each.id for each in found.decisions])
