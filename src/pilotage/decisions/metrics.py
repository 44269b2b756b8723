"""What the service counts, in Prometheus' terms. An entity is never a label."""

from __future__ import annotations

import functools
from collections.abc import Iterable

from prometheus_client import Counter, Gauge, Histogram

from pilotage.decisions.records import ORDINARY_REASONS, Answer

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)

_decisions = Counter("pilotage_decisions", "Decisions answered.", ("use_case", "produced_by", "stage"))
_fallbacks = Counter("pilotage_fallbacks", "Answers by the rule or the default, by reason.", ("use_case", "reason"))
_seconds = Histogram("pilotage_decision_duration_seconds", "From request to answer.", ("use_case",), buckets=_BUCKETS)
_attempted = Counter("pilotage_decisions_attempted", "Decisions handed to the spool.", ("use_case",))
_lost = Counter(
    "pilotage_decisions_lost", "Decisions answered without being recorded, declared as lost.", ("use_case",)
)
_kept = Counter("pilotage_decisions_kept", "Decisions brought from the spool into the ledger.")
_contract_breaches = Counter(
    "pilotage_contract_breaches", "Columns of requests that broke their data contract.", ("use_case", "column")
)
_unknown_categories = Counter(
    "pilotage_unknown_categories", "Categories that the model never saw in training.", ("use_case", "column")
)
_not_read = Counter(
    "pilotage_columns_not_read",
    "Live columns that were missing: too_slow, unreachable or too_old.",
    ("use_case", "column", "reason"),
)
_refused = Counter("pilotage_reload_refused", "Reloads that were refused; the last good version stays.", ("use_case",))
_turned_away = Counter("pilotage_requests_turned_away", "Requests refused because too many came at once.")
_spool_bytes = Gauge(
    "pilotage_spool_bytes", "Bytes of decisions on their way into the ledger.", multiprocess_mode="livemostrecent"
)
_spool_failed = Gauge(
    "pilotage_spool_failed",
    "1 where a worker records nothing until it is restarted: a sync of its disk failed.",
    multiprocess_mode="livemax",
)
_missing = Gauge(
    "pilotage_decisions_missing",
    "Decisions that were durable once and are nowhere now; must be 0.",
    multiprocess_mode="livemostrecent",
)
_elsewhere = Gauge(
    "pilotage_decisions_elsewhere",
    "Decisions in the spools of other machines, not brought into the ledger yet.",
    multiprocess_mode="livemostrecent",
)
_left_alone = Gauge(
    "pilotage_spool_segments_left_alone",
    "Files in the spool that this release cannot read.",
    multiprocess_mode="livemostrecent",
)


# Looking a counter up by its labels costs more than counting. Use cases are those of the installation: not many.
_decisions_of = functools.lru_cache(_decisions.labels)
_seconds_of = functools.lru_cache(_seconds.labels)
_attempted_of = functools.lru_cache(_attempted.labels)


def decided(answer: Answer, seconds: float) -> None:
    """One decision was answered, after so many seconds."""
    _decisions_of(answer.use_case, answer.produced_by, answer.stage).inc()
    _seconds_of(answer.use_case).observe(seconds)
    if answer.reason not in ORDINARY_REASONS:
        _fallbacks.labels(answer.use_case, answer.reason).inc()


def contract_breach(use_case: str, column: str) -> None:
    """A request's column broke a rule of its contract, whether or not that kept the model from answering."""
    _contract_breaches.labels(use_case, column).inc()


def flagged(use_case: str, flags: Iterable[str]) -> None:
    """What a decision's flags say of its columns: categories that training never saw, live columns that were missing.

    Columns and reasons are those of the use-case file and of the program; a request cannot make new ones.
    """
    for flag in flags:
        kind, _, rest = flag.partition(":")
        if kind == "unknown_category":
            _unknown_categories.labels(use_case, rest).inc()
        elif kind == "not_read":
            column, _, reason = rest.rpartition(":")
            _not_read.labels(use_case, column, reason).inc()


def attempted(use_case: str) -> None:
    """A decision goes to the spool."""
    _attempted_of(use_case).inc()


def lost(use_case: str) -> None:
    """A decision was answered and could not be recorded."""
    _lost.labels(use_case).inc()


def kept(count: int) -> None:
    """So many decisions reached the ledger."""
    _kept.inc(count)


def refused(use_case: str) -> None:
    """A reload failed and the last good one stays."""
    _refused.labels(use_case).inc()


def turned_away(count: int = 1) -> None:
    """Requests were refused before anything was done for them."""
    _turned_away.inc(count)


def spool_state(bytes_used: int, has_failed: bool) -> None:
    """How much of the spool is used, and whether this worker can record."""
    _spool_bytes.set(bytes_used)
    _spool_failed.set(int(has_failed))


def accounted(missing: int, elsewhere: int, left_alone: int) -> None:
    """Whether every answer is accounted for."""
    _missing.set(missing)
    _elsewhere.set(elsewhere)
    _left_alone.set(left_alone)
