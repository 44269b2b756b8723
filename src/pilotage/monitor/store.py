"""The SQL of monitoring: readings of the ledger and of what hangs on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from pilotage.decisions.records import UNUSED_REASONS, Said
from pilotage.decisions.store import decisions
from pilotage.govern.records import SYSTEM
from pilotage.monitor.records import Answerer, Matured
from pilotage.outcomes.store import outcomes
from pilotage.review.store import UNDECIDED, cases, feedback
from pilotage.usecase.records import OutcomeKind

_ASKED = sa.or_(decisions.c.model_answer.is_not(None), decisions.c.model_failure != "")
_STANDS = feedback.c.undone_at.is_(None)
_BLIND = (cases.c.blind, cases.c.state.in_(UNDECIDED))
_FOR_IT = sa.or_(_ASKED, decisions.c.reason.in_(UNUSED_REASONS))


def volume(
    connection: sa.Connection, use_case: str, version: str | None = None
) -> list[tuple[datetime, str, str, int]]:
    """(hour of the moment, reason, model failure, decisions) by distinct hour, reason and failure."""
    # As SQLite keeps instants, their first thirteen letters are the hour; PostgreSQL is told how to write them so.
    is_text = connection.dialect.name == "sqlite"
    written = sa.type_coerce(decisions.c.moment, sa.String)
    hour = sa.func.substr(written, 1, 13) if is_text else sa.func.to_char(decisions.c.moment, "YYYY-MM-DD HH24")
    kinds = (hour, decisions.c.reason, decisions.c.model_failure)
    query = sa.select(*kinds, sa.func.count()).where(*_of(use_case, version)).group_by(*kinds)
    return [
        (datetime.strptime(f"{text}+0000", "%Y-%m-%d %H%z"), reason, failure, count)
        for text, reason, failure, count in connection.execute(query)
    ]


def has_more_than(connection: sa.Connection, count: int) -> bool:
    """Whether the ledger holds more than so many decisions."""
    query = sa.select(decisions.c.id).order_by(decisions.c.id).offset(count).limit(1)
    return connection.execute(query).scalar() is not None


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


def asked_by_apps(
    connection: sa.Connection, use_case: str, version: str | None = None, since: datetime | None = None
) -> dict[tuple[str, str], int]:
    """Questions of apps that were the model's to answer, by reason and model failure."""
    kinds = (decisions.c.reason, decisions.c.model_failure)
    query = sa.select(*kinds, sa.func.count()).where(*_for_the_model(use_case, version, since)).group_by(*kinds)
    return {(reason, failure): count for reason, failure, count in connection.execute(query)}


def latencies_us(
    connection: sa.Connection, use_case: str, limit: int, version: str | None = None, since: datetime | None = None
) -> list[int]:
    """Latencies of the newest of these questions, in microseconds."""
    query = sa.select(decisions.c.latency_us).where(*_for_the_model(use_case, version, since))
    return list(connection.execute(query.order_by(decisions.c.id.desc()).limit(limit)).scalars())


def newest_by_apps(connection: sa.Connection, use_case: str, count: int) -> list[datetime]:
    """When the newest of these questions were answered, so many at most, the newest first."""
    query = sa.select(decisions.c.decided_at).where(*_for_the_model(use_case, None, None))
    return list(connection.execute(query.order_by(decisions.c.id.desc()).limit(count)).scalars())


def known_before(connection: sa.Connection, use_case: str, version: str | None = None) -> int:
    """Decisions whose outcome had been read before they were answered."""
    query = sa.select(sa.func.count()).join_from(decisions, outcomes, outcomes.c.decision == decisions.c.id)
    query = query.where(*_of(use_case, version), outcomes.c.newest, outcomes.c.known_before)
    return connection.execute(query).scalar_one()


def _for_the_model(use_case: str, version: str | None, since: datetime | None) -> tuple[sa.ColumnElement[bool], ...]:
    """Asked over HTTP with a key, and of the model, or of what stands in for one that cannot be used."""
    by_an_app = (decisions.c.asked_by != SYSTEM.name, decisions.c.job == "")
    young = () if since is None else (decisions.c.decided_at >= since,)
    return (*_of(use_case, version), *by_an_app, _FOR_IT, *young)


def asked_in_jobs(
    connection: sa.Connection, use_case: str, version: str | None = None
) -> dict[tuple[str, str, str], int]:
    """Rows of batch jobs that were the model's to answer, by job, reason and model failure."""
    kinds = (decisions.c.job, decisions.c.reason, decisions.c.model_failure)
    of_jobs = (*_of(use_case, version), decisions.c.job != "", _FOR_IT)
    query = sa.select(*kinds, sa.func.count()).where(*of_jobs).group_by(*kinds)
    return {(job, reason, failure): count for job, reason, failure, count in connection.execute(query)}


def matured(
    connection: sa.Connection, use_case: str, kind: OutcomeKind, instead: Said, version: str | None = None
) -> list[Matured]:
    """What came of everybody's answers to the decisions whose outcome became known after them, by day, oldest first.

    ``instead`` counts where an answerer could not say. What people judge blind counts once its case is closed.
    """
    day, compared = sa.func.date(decisions.c.moment), decisions.c.model_answer.is_not(None)
    sums = {
        (answerer, name): sa.func.coalesce(sa.func.sum(one), 0.0)
        for answerer, column in _ANSWERS.items()
        for name, one in _CAME[kind](_text(column), instead).items()
    }
    query = (
        sa.select(day, compared, sa.func.count(), *sums.values())
        .join(outcomes, outcomes.c.decision == decisions.c.id)
        .where(*_of(use_case, version), *_COUNTS, decisions.c.id.not_in(_hidden(use_case)))
        .group_by(day, compared)
        .order_by(day)
    )
    found = []
    for moment_day, known, count, *amounts in connection.execute(query):
        came: dict[Answerer, dict[str, float]] = {answerer: {} for answerer in _ANSWERS}
        for (answerer, name), amount in zip(sums, amounts, strict=True):
            came[answerer][name] = float(amount)
        found += [Matured(str(moment_day), answerer, bool(known), count, came[answerer]) for answerer in _ANSWERS]
    return found


def judged_blind_yet(connection: sa.Connection, use_case: str, version: str | None = None) -> int:
    """Decisions whose outcome is known and whose answer is hidden from reviewers: people judge them blind."""
    query = sa.select(sa.func.count()).join_from(decisions, outcomes, outcomes.c.decision == decisions.c.id)
    query = query.where(*_of(use_case, version), *_COUNTS, decisions.c.id.in_(_hidden(use_case)))
    return connection.execute(query).scalar_one()


def flags_of_newest(connection: sa.Connection, use_case: str, limit: int) -> list[tuple[str, ...]]:
    """What is to be known of the newest decisions, so many at most."""
    query = sa.select(decisions.c.content).where(decisions.c.use_case == use_case)
    contents = connection.execute(query.order_by(decisions.c.id.desc()).limit(limit)).scalars()
    return [_flags.decode(content).flags for content in contents]


class _Flagged(Struct):
    """Of a decision's bytes only what is to be known of it."""

    flags: tuple[str, ...] = ()


_flags = msgspec.json.Decoder(_Flagged)
_COUNTS = (outcomes.c.newest, sa.not_(outcomes.c.known_before))
_Text = sa.ColumnElement[str]
_Came = dict[str, sa.ColumnElement[Any]]
_ANSWERS: dict[Answerer, sa.Column[Any]] = {
    "model": decisions.c.model_answer,
    "rule": decisions.c.rule_answer,
    "given": decisions.c.answer,
}


def _text(column: sa.Column[Any]) -> _Text:
    """The column as it is stored: JSON."""
    return sa.type_coerce(column, sa.Text)


def _json(said: Said) -> str:
    return msgspec.json.encode(said).decode()


def _often(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[Any]:
    return sa.case((condition, 1.0), else_=0.0)


def _flag(answer: _Text, instead: Said) -> _Came:
    acted = sa.func.coalesce(answer, _json(instead)) == "true"
    happened = _text(outcomes.c.happened) == "true"
    return {
        "caught": _often(sa.and_(acted, happened)),
        "false_alarm": _often(sa.and_(acted, sa.not_(happened))),
        "missed": _often(sa.and_(sa.not_(acted), happened)),
    }


def _category(answer: _Text, instead: Said) -> _Came:
    right = sa.func.coalesce(answer, _json(instead)) == _text(outcomes.c.happened)
    return {"right": _often(right), "wrong": _often(sa.not_(right))}


def _number(answer: _Text, instead: Said) -> _Came:
    happened = sa.cast(_text(outcomes.c.happened), sa.Float)
    over = sa.cast(sa.func.coalesce(answer, _json(instead)), sa.Float) - happened
    return {
        "too_low": sa.case((over < 0, -over), else_=0.0),
        "too_high": sa.case((over > 0, over), else_=0.0),
        "within": _often(happened.between(decisions.c.low, decisions.c.high)),
    }


_CAME: dict[OutcomeKind, Callable[[_Text, Said], _Came]] = {"flag": _flag, "category": _category, "number": _number}
"""What came of an answer, in the names of ``brief.value``: as :func:`pilotage.usecase.rules.value.came_of` has it."""


def feedback_counts(connection: sa.Connection, use_case: str) -> dict[str, int]:
    """Feedback by kind, without what was taken back."""
    query = sa.select(feedback.c.kind, sa.func.count()).where(feedback.c.use_case == use_case, _STANDS)
    query = query.group_by(feedback.c.kind)
    return dict(connection.execute(query).all())


def override_reasons(connection: sa.Connection, use_case: str) -> dict[str, int]:
    """Overrides by the reason given."""
    query = (
        sa.select(feedback.c.reason, sa.func.count())
        .where(feedback.c.use_case == use_case, feedback.c.kind == "override", _STANDS)
        .group_by(feedback.c.reason)
    )
    return dict(connection.execute(query).all())


def judged_blind(connection: sa.Connection, ids: Sequence[str]) -> set[str]:
    """Which of these decisions, some hundreds at most, have a case that is judged blind and is not closed yet."""
    query = sa.select(cases.c.decision).where(cases.c.decision.in_(ids), *_BLIND)
    return set(connection.execute(query).scalars())


def _hidden(use_case: str) -> sa.Select[tuple[str]]:
    """Decisions that people judge blind."""
    return sa.select(cases.c.decision).where(cases.c.use_case == use_case, *_BLIND)


def _of(use_case: str, version: str | None) -> tuple[sa.ColumnElement[bool], ...]:
    """The decisions of a use case, or only those taken while one version was live."""
    of_use_case = decisions.c.use_case == use_case
    return (of_use_case,) if version is None else (of_use_case, decisions.c.version == version)
