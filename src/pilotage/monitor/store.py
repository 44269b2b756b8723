"""The SQL of monitoring: readings of the ledger and of what hangs on it."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from pilotage.decisions.store import decisions
from pilotage.monitor.records import Matured
from pilotage.outcomes.store import outcomes
from pilotage.review.store import cases, feedback

DONE = ("approved", "corrected", "rejected")
_ASKED = sa.or_(decisions.c.probability.is_not(None), decisions.c.model_failure != "")


def volume(
    connection: sa.Connection, use_case: str, version: str | None = None
) -> list[tuple[datetime, str, str, int]]:
    """(moment, reason, model failure, decisions) by distinct moment, reason and failure."""
    kinds = (decisions.c.moment, decisions.c.reason, decisions.c.model_failure)
    query = sa.select(*kinds, sa.func.count()).where(*_of(use_case, version)).group_by(*kinds)
    return [(moment, reason, failure, count) for moment, reason, failure, count in connection.execute(query)]


def produced(connection: sa.Connection, use_case: str, version: str | None = None) -> dict[str, int]:
    """Decisions by what produced the answer."""
    query = (
        sa.select(decisions.c.produced_by, sa.func.count())
        .where(*_of(use_case, version))
        .group_by(decisions.c.produced_by)
    )
    return dict(connection.execute(query).all())


def model_asked(connection: sa.Connection, use_case: str, version: str | None = None) -> int:
    """Decisions about which the model was asked, whoever gave the answer and whether the model had one."""
    query = sa.select(sa.func.count()).select_from(decisions).where(*_of(use_case, version), _ASKED)
    return connection.execute(query).scalar_one()


def latencies_us(connection: sa.Connection, use_case: str, limit: int, version: str | None = None) -> list[int]:
    """Latencies of the newest decisions, in microseconds; of one version, of those about which it was asked."""
    query = (
        sa.select(decisions.c.latency_us).where(*_of(use_case, version)).order_by(decisions.c.id.desc()).limit(limit)
    )
    if version is not None:
        query = query.where(_ASKED)
    return list(connection.execute(query).scalars())


def matured(connection: sa.Connection, use_case: str, version: str | None = None) -> list[Matured]:
    """Decisions whose outcome is known, counted by day and by everything that quality is made of."""
    day = sa.func.date(decisions.c.moment)
    columns = (decisions.c.produced_by, decisions.c.positive, decisions.c.model_positive, decisions.c.rule_positive)
    query = (
        sa.select(day, *columns, outcomes.c.positive.label("happened"), sa.func.count())
        .join(outcomes, outcomes.c.decision == decisions.c.id)
        .where(*_of(use_case, version), outcomes.c.newest)
        .group_by(day, *columns, outcomes.c.positive)
        .order_by(day)
    )
    return [Matured(str(row[0]), *row[1:]) for row in connection.execute(query)]


def feedback_counts(connection: sa.Connection, use_case: str) -> dict[str, int]:
    """Feedback by kind."""
    query = sa.select(feedback.c.kind, sa.func.count()).where(feedback.c.use_case == use_case).group_by(feedback.c.kind)
    return dict(connection.execute(query).all())


def override_reasons(connection: sa.Connection, use_case: str) -> dict[str, int]:
    """Overrides by the reason given."""
    query = (
        sa.select(feedback.c.reason, sa.func.count())
        .where(feedback.c.use_case == use_case, feedback.c.kind == "override")
        .group_by(feedback.c.reason)
    )
    return dict(connection.execute(query).all())


def case_counts(connection: sa.Connection, use_case: str) -> tuple[int, int]:
    """Review cases: (open, done)."""
    query = sa.select(cases.c.state, sa.func.count()).where(cases.c.use_case == use_case).group_by(cases.c.state)
    by_state: dict[str, int] = dict(connection.execute(query).all())
    done = sum(count for state, count in by_state.items() if state in DONE)
    return sum(by_state.values()) - done, done


def _of(use_case: str, version: str | None) -> tuple[sa.ColumnElement[bool], ...]:
    """The decisions of a use case, or only those taken while one version was live."""
    of_use_case = decisions.c.use_case == use_case
    return (of_use_case,) if version is None else (of_use_case, decisions.c.version == version)
