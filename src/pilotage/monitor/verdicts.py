"""Still safe? Still worth it? Each answered in one sentence, from what the ledger says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from pilotage.monitor.records import Operation, Service, Verdict
from pilotage.monitor.rules import DAYS_MIN, reason_words
from pilotage.platform.counting import plural
from pilotage.releases.records import Live
from pilotage.usecase.records import UseCase

RECENT = timedelta(hours=24)

FILES_PER_LATE = 20
"""Of so many files one may be late."""
ANSWERS_MIN = 100
"""Answers to apps below which nothing is said of one in a hundred."""


def still_safe(found: Operation, live: Live, use_case: UseCase) -> Verdict:
    """Whether the model answers apps, and in time, over the last day on which they asked: as the service gate counts.

    Where a day has fewer than :data:`ANSWERS_MIN` questions, the newest so many count.
    """
    if not live.enabled:
        return Verdict("warn", f"Safe, because it is switched off: today's rule answers everything ({live.reason}).")
    recent = found.recent
    if not recent.asked:
        return _by_files(found, use_case) if found.runs.rows else Verdict("inform", _nothing_asked(found))
    if recent.asked < ANSWERS_MIN:
        return _too_few(recent)
    limit, budget_ms = use_case.rollout.fallback_share_max, use_case.brief.latency_ms
    p99_ms, of = recent.latency_p99_us / 1000, f"the last {recent.asked:,} questions that apps asked over HTTP"
    wrong = []
    if recent.failed_share > limit:
        told = failed_in_words(recent.failures)
        wrong.append(f"of {of} {told}, {_percent(recent.failed_share)}; at most {_percent(limit)} are agreed")
    if p99_ms > budget_ms:
        wrong.append(f"the slowest 1 in 100 answers to apps take {p99_ms:,.0f} ms; {budget_ms} ms are agreed")
    if wrong:
        return Verdict("fail", f"No: {' and '.join(wrong)}.")
    return Verdict(
        "pass",
        f"Yes: the model failed in {_percent(recent.failed_share)} of {of} (at most {_percent(limit)} agreed), "
        f"and 99 of 100 answers came within {p99_ms:,.1f} ms (of {budget_ms})."
        + (f" But {failed_in_words(recent.failures)}." if recent.failed else ""),
    )


def _by_files(found: Operation, use_case: UseCase) -> Verdict:
    """The same of a use case that only files and tables ask."""
    runs, limit = found.runs, use_case.rollout.fallback_share_max
    of = f"{plural(runs.rows, 'row')} that files asked, and no app over HTTP"
    late = runs.counted - runs.in_time
    done = f"{runs.in_time:,} of {plural(runs.counted, 'file')} were done within {use_case.batch.within}"
    if runs.rows < ANSWERS_MIN:
        return Verdict("inform", f"Too few to tell: {of}; {ANSWERS_MIN} are needed.")
    if runs.failed_share > limit:
        told = failed_in_words(runs.failures)
        return Verdict("fail", f"No: of {of}, {told}; at most {_percent(limit)} are agreed.")
    if late * FILES_PER_LATE > runs.counted:
        return Verdict("fail", f"No: {done}.")
    return Verdict("pass", f"Yes: the model failed in {_percent(runs.failed_share)} of {of}, and {done}.")


def _nothing_asked(found: Operation) -> str:
    if not found.decisions:
        return "Nothing can go wrong yet: no app has asked."
    return (
        f"Not known yet: no app has asked the model over HTTP. The {plural(found.decisions, 'decision')} so far came "
        "from commands and batches, or while no model was to answer: nobody waited for one."
    )


def _too_few(recent: Service) -> Verdict:
    failed = f"; {failed_in_words(recent.failures)}" if recent.failed else ""
    asked = f"apps asked the model {plural(recent.asked, 'question')} over HTTP so far, {ANSWERS_MIN} are needed"
    return Verdict("warn" if failed else "inform", f"Too few to tell: {asked}{failed}.")


def failed_in_words(failures: Mapping[str, int]) -> str:
    """How often the model could not answer, and why: ``the model could not answer 4 times (too slow 3, …)``."""
    total = sum(failures.values())
    why = ", ".join(f"{reason_words(code)} {count:,}" for code, count in failures.items())
    return f"the model could not answer {'once' if total == 1 else f'{total:,} times'} ({why})"


def still_worth_it(found: Operation, advantage: tuple[float, float, float] | None) -> Verdict:
    """Whether the model earns more than the rule on the same decisions, by an interval from whole days."""
    judged = next((each.decisions for each in found.quality if each.answerer == "model"), 0)
    if not judged:
        known = f" Of {found.known_before:,} it had been read before they were answered." if found.known_before else ""
        return Verdict(
            "inform", f"Not known yet: no decision that the model looked at has an outcome that came after it.{known}"
        )
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
