"""Still safe? Still worth it? Each answered in one sentence, from what the ledger says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from pilotage.monitor.records import Hour, Operation, Verdict
from pilotage.monitor.rules import DAYS_MIN, model_failures, reason_words
from pilotage.releases.records import Live
from pilotage.usecase.records import UseCase

CHOSEN = frozenset({"disabled", "no_version"})
"""Fallbacks that a person chose; the others happened to us."""

RECENT = timedelta(hours=24)


def recent(hours: Iterable[Hour]) -> tuple[Hour, ...]:
    """The last day of decided moments that the ledger holds."""
    known = tuple(hours)
    newest = max((each.hour for each in known), default=None)
    return () if newest is None else tuple(each for each in known if each.hour > newest - RECENT)


def trouble(hours: Iterable[Hour]) -> tuple[int, int]:
    """(decisions, those among them that fell back without anybody wanting it)."""
    known = tuple(hours)
    unwanted = sum(count for each in known for reason, count in each.fallbacks.items() if reason not in CHOSEN)
    return sum(each.decisions for each in known), unwanted


def still_safe(found: Operation, live: Live, use_case: UseCase) -> Verdict:
    """Whether answers come in time and from where they should, over the last day of decisions."""
    if not live.enabled:
        return Verdict("warn", f"Safe, because it is switched off: today's rule answers everything ({live.reason}).")
    decisions, unwanted = trouble(recent(found.hours))
    if not decisions:
        return Verdict("inform", "Nothing can go wrong yet: no app has asked.")
    share, limit = unwanted / decisions, use_case.rollout.fallback_share_max
    failures = model_failures(recent(found.hours))
    failed = sum(failures.values())
    p99_ms, budget_ms = found.latency_p99_us / 1000, use_case.brief.latency_ms
    wrong = []
    if share > limit:
        wrong.append(
            f"{_percent(share)} of the last {decisions:,} answers were fallbacks; at most {_percent(limit)} are agreed"
        )
    elif failed / decisions > limit:
        # In shadow, and for the share that keeps the rule, no fallback shows that the model fails.
        wrong.append(f"{failed_in_words(failures)} in {decisions:,} decisions; at most {_percent(limit)} are agreed")
    if p99_ms > budget_ms:
        wrong.append(f"the slowest 1 in 100 take {p99_ms:,.0f} ms; {budget_ms} ms are agreed")
    if wrong:
        return Verdict("fail", f"No: {' and '.join(wrong)}.")
    return Verdict(
        "pass",
        f"Yes: {_percent(share)} of the last {decisions:,} answers were fallbacks (at most {_percent(limit)} agreed), "
        f"and 99 of 100 came within {p99_ms:,.1f} ms (of {budget_ms})."
        + (f" But {failed_in_words(failures)}." if failed else ""),
    )


def failed_in_words(failures: Mapping[str, int]) -> str:
    """How often the model could not answer, and why: ``the model could not answer 4 times (too slow 3, …)``."""
    total = sum(failures.values())
    why = ", ".join(f"{reason_words(code)} {count:,}" for code, count in failures.items())
    return f"the model could not answer {'once' if total == 1 else f'{total:,} times'} ({why})"


def still_worth_it(found: Operation, advantage: tuple[float, float, float] | None) -> Verdict:
    """Whether the model earns more than the rule on the same decisions, by an interval from whole days."""
    judged = next((each.decisions for each in found.quality if each.answerer == "model"), 0)
    if not judged:
        return Verdict("inform", "Not known yet: no decision that the model looked at has an outcome.")
    if advantage is None:
        return Verdict("inform", f"Not known yet: {judged:,} outcomes, but from fewer than {DAYS_MIN} days.")
    total, low, high = advantage
    gain = (
        f"{_signed(total)} {found.currency} for the model's answers against the rule's on the same {judged:,} decisions"
    )
    span = f"between {_signed(low)} and {_signed(high)} {found.currency}, 90\u202f% interval by days"
    if low > 0:
        return Verdict("pass", f"Yes: {gain} ({span}).")
    if high < 0:
        return Verdict("fail", f"No: {gain} ({span}).")
    return Verdict("warn", f"Not clear: {gain} may be luck ({span}).")


def _percent(share: float) -> str:
    return f"{share * 100:.1f}\u202f%"


def _signed(money: float) -> str:
    return f"{money:+,.0f}".replace("-", "\u2212")
