"""What the service counts, in Prometheus' terms. An entity is never a label."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

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
_refused = Counter("pilotage_reload_refused", "Reloads that were refused; the last good version stays.", ("use_case",))


def decided(answer: Answer, seconds: float) -> None:
    """One decision was answered, after so many seconds."""
    _decisions.labels(answer.use_case, answer.produced_by, answer.stage).inc()
    _seconds.labels(answer.use_case).observe(seconds)
    if answer.reason not in ORDINARY_REASONS:
        _fallbacks.labels(answer.use_case, answer.reason).inc()


def contract_breach(use_case: str, column: str) -> None:
    """A request's column broke a rule of its contract, whether or not that kept the model from answering."""
    _contract_breaches.labels(use_case, column).inc()


def attempted(use_case: str) -> None:
    """A decision goes to the spool."""
    _attempted.labels(use_case).inc()


def lost(use_case: str) -> None:
    """A decision was answered and could not be recorded."""
    _lost.labels(use_case).inc()


def kept(count: int) -> None:
    """So many decisions reached the ledger."""
    _kept.inc(count)


def refused(use_case: str) -> None:
    """A reload failed and the last good one stays."""
    _refused.labels(use_case).inc()
