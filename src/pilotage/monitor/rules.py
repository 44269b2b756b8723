"""Quality and money from what came of answers. Pure functions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np

from pilotage.decisions.jobs.records import BatchJob
from pilotage.decisions.records import ORDINARY_REASONS, UNUSED_REASONS
from pilotage.monitor.measures import measured
from pilotage.monitor.records import Answerer, Day, Hour, Matured, Quality, Runs, Service, Unread
from pilotage.usecase.records import OutcomeKind, Value
from pilotage.usecase.rules.value import WORTH, earned

DAYS_MIN = 7
"""Days with outcomes below which an interval over days is not given."""

TECHNICAL = UNUSED_REASONS | {"too_slow", "model_failed", "not_finite", "contract_broken"}
"""Reasons of answers that the model should have given."""

_WORDS = {
    "too_slow": "too slow",
    "model_failed": "model failed",
    "not_finite": "not a number",
    "not_recorded": "not recorded",
    "model_refused": "files not as signed",
    "definition_changed": "file changed",
    "contract_broken": "contract broken",
    "missing_columns": "columns missing",
    "disabled": "switched off",
    "no_version": "no version",
}


def money(came: Mapping[str, float], kind: OutcomeKind, value: Value) -> float:
    """What this was worth, without reviewing, in the brief's currency."""
    return earned({name: came.get(name, 0.0) for name in WORTH[kind]}, value)


def quality(answerer: Answerer, rows: Iterable[Matured], kind: OutcomeKind, value: Value) -> Quality:
    """Measures and money of one answerer over these decisions. The interval is the model's and nobody else's."""
    own = [row for row in rows if row.answerer == answerer]
    decisions = sum(row.decisions for row in own)
    names = [*WORTH[kind], *(["within"] if kind == "number" and answerer == "model" else [])]
    came = {name: sum(row.came.get(name, 0.0) for row in own) for name in names}
    return Quality(answerer, decisions, measured(kind, came, decisions), money(came, kind, value))


def comparable(rows: Iterable[Matured]) -> list[Matured]:
    """Decisions in which the model gave its view, so that it and the rule are judged on the same cases."""
    return [row for row in rows if row.compared]


def money_by_day(rows: Iterable[Matured], answerer: Answerer, kind: OutcomeKind, value: Value) -> dict[str, float]:
    """Money of one answerer, by day of the decided moment."""
    days: dict[str, float] = defaultdict(float)
    for row in rows:
        if row.answerer == answerer:
            days[row.day] += money(row.came, kind, value)
    return dict(days)


def days(rows: Sequence[Matured], kind: OutcomeKind, value: Value) -> tuple[Day, ...]:
    """Matured decisions and the money of model and rule, day by day, in order."""
    model, rule = money_by_day(rows, "model", kind, value), money_by_day(rows, "rule", kind, value)
    counts: dict[str, int] = defaultdict(int)
    for row in rows:
        if row.answerer == "model":
            counts[row.day] += row.decisions
    return tuple(Day(date.fromisoformat(day), counts[day], model[day], rule[day]) for day in sorted(counts))


def advantage(
    rows: Sequence[Matured], kind: OutcomeKind, value: Value, seed: int, resamples: int = 2000
) -> tuple[float, float, float] | None:
    """Money of the model less that of the rule: the sum, and its 90 % interval from resampling whole days.

    None below seven days, where resampling says too little.
    """
    model, rule = money_by_day(rows, "model", kind, value), money_by_day(rows, "rule", kind, value)
    if len(model) < DAYS_MIN:
        return None
    difference = np.array([model[day] - rule[day] for day in sorted(model)])
    chosen = np.random.default_rng(seed).integers(0, len(difference), (resamples, len(difference)))
    low, high = np.quantile(difference[chosen].sum(axis=1), (0.05, 0.95))
    return float(difference.sum()), float(low), float(high)


def service(asked: Mapping[tuple[str, str], int], latencies_us: Sequence[int]) -> Service:
    """How these questions of apps fared, counted by reason and model failure.

    What becomes of the model counts, not who answers: in shadow the rule answers whatever the model does.
    """
    failures = [
        {failure or reason: count} for (reason, failure), count in asked.items() if failure or reason in TECHNICAL
    ]
    p50, p99 = percentile(latencies_us, 0.5), percentile(latencies_us, 0.99)
    return Service(sum(asked.values()), _summed(failures), len(latencies_us), p50, p99)


def runs(asked: Mapping[tuple[str, str, str], int], jobs: Iterable[BatchJob], within: timedelta, now: datetime) -> Runs:
    """How these rows of jobs fared, and the jobs since the first that asked; those that were cancelled do not count.

    A job that failed, or is not done although it should be by now, is not in time.
    """
    known = list(jobs)
    first = min((job.made_at for job in known if any(job.id == of for of, _, _ in asked)), default=None)
    if first is None:
        return Runs()
    of_kind: dict[tuple[str, str], int] = defaultdict(int)
    for (_, reason, failure), count in asked.items():
        of_kind[reason, failure] += count
    fared = service(of_kind, ())
    since = [job for job in known if job.made_at >= first and job.state != "cancelled"]
    counted = [job for job in since if job.has_ended or now - job.made_at > within]
    in_time = sum(job.state == "done" and (job.finished_at or now) - job.made_at <= within for job in counted)
    return Runs(fared.asked, fared.failures, sum(job.rows_refused for job in since), len(counted), in_time)


def hours(volume: Iterable[tuple[datetime, str, str, int]]) -> tuple[Hour, ...]:
    """Decisions, fallbacks and model failures per hour of the decided moment, in order."""
    total: dict[datetime, int] = defaultdict(int)
    fallbacks: dict[datetime, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    failures: dict[datetime, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for moment, reason, failure, count in volume:
        hour = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        total[hour] += count
        if reason not in ORDINARY_REASONS:
            fallbacks[hour][reason] += count
        if failure:
            failures[hour][failure] += count
    return tuple(Hour(hour, total[hour], dict(fallbacks[hour]), dict(failures[hour])) for hour in sorted(total))


def fallback_reasons(hours: Iterable[Hour]) -> dict[str, int]:
    """Fallbacks by reason over all hours, most frequent first."""
    return _summed(hour.fallbacks for hour in hours)


def model_failures(hours: Iterable[Hour]) -> dict[str, int]:
    """Model failures by code over all hours, most frequent first."""
    return _summed(hour.failures for hour in hours)


def _summed(counts: Iterable[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = defaultdict(int)
    for each in counts:
        for key, count in each.items():
            total[key] += count
    return dict(sorted(total.items(), key=lambda each: -each[1]))


def unread(flags: Iterable[Iterable[str]]) -> tuple[Unread, ...]:
    """In which columns decisions with these flags had no value that the model could use, most frequent first."""
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for flag in (each for one in flags for each in one):
        kind, _, rest = flag.partition(":")
        if kind == "unknown_category":
            counts[rest, "unknown"] += 1
        elif kind == "not_read":
            column, _, why = rest.rpartition(":")
            counts[column, why] += 1
    return tuple(
        Unread(column, why, counts[column, why]) for column, why in sorted(counts, key=lambda key: (-counts[key], key))
    )


def reason_words(reason: str) -> str:
    """A reason code in two words."""
    return _WORDS.get(reason, reason.replace("_", " "))


def percentile(values: Sequence[int], share: float) -> int:
    """A percentile of whole numbers; 0 of none."""
    return int(np.quantile(values, share)) if values else 0
