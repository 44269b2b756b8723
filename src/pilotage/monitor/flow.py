"""Reading the ledger: is it still safe, is it still worth it?"""

from __future__ import annotations

from datetime import datetime
from typing import get_args

import sqlalchemy as sa

from pilotage.decisions.kinds import default_of
from pilotage.decisions.records import Decision
from pilotage.monitor import life, rules, store
from pilotage.monitor.records import Answerer, Day, Matured, Operation, Service, Step
from pilotage.monitor.verdicts import ANSWERS_MIN, RECENT
from pilotage.outcomes import flow as outcomes
from pilotage.platform.workspace import Workspace
from pilotage.review import flow as reviewing
from pilotage.review import store as cases
from pilotage.review.records import Case
from pilotage.usecase.records import Definition

_LATENCIES = 5_000
_SEED = 20131201


def operation(work: Workspace, definition: Definition, version: str | None = None) -> Operation:
    """Everything that the operate page says of a use case, as of now.

    With ``version`` (an identifier) only decisions taken while it was live count: what the gates read. What people
    said and reviewed is of the whole use case either way.
    """
    use_case, brief = definition.use_case, definition.use_case.brief
    with work.database.reading() as connection:
        hours = rules.hours(store.volume(connection, definition.name, version))
        produced = store.produced(connection, definition.name, version)
        asked = store.model_asked(connection, definition.name, version)
        service = _service(connection, definition.name, version, None)
        recent = _service(connection, definition.name, version, _recent_since(connection, definition.name))
        known_before = store.known_before(connection, definition.name, version)
        matured = _matured(connection, definition, version)
        feedback = store.feedback_counts(connection, definition.name)
        overrides = store.override_reasons(connection, definition.name)
        reviews_open, reviews_done = store.case_counts(connection, definition.name)
    both = rules.comparable(matured)
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
        reviews_open=reviews_open,
        reviews_done=reviews_done,
        review_minutes=review_minutes,
        money_so_far=given.money + review_minutes * brief.value.review_minute,
        money_of_rule=rules.quality("rule", matured, kind, brief.value).money,
        known_before=known_before,
    )


def _service(connection: sa.Connection, use_case: str, version: str | None, since: datetime | None) -> Service:
    asked = store.asked_by_apps(connection, use_case, version, since)
    return rules.service(asked, store.latencies_us(connection, use_case, _LATENCIES, version, since))


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


def life_of(work: Workspace, definition: Definition, decision: Decision) -> tuple[list[Step], Case | None]:
    """Everything that happened to one decision, and the review case about it, if there is one."""
    with work.database.reading() as connection:
        case = cases.case_of_decision(connection, decision.id)
    said = reviewing.feedback_on(work, decision.id)
    happened = outcomes.of_decision(work, decision.id)
    return life.steps(decision, said, case, happened, definition.use_case), case
