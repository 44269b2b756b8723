"""The app's own rule, where the service is gone: asked, counted, and told to who wants to know."""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable

from pilotage.client.records import Decision, Fallback, FellBack, Gone, LocalAnswer, Request

RECENT_MAX = 100
_LOG = logging.getLogger("pilotage.client")


class Fallbacks:
    """Answers in place of the service. Safe for threads."""

    def __init__(self, on_fallback: Callable[[FellBack], object] | None) -> None:
        self._on_fallback = on_fallback
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._recent: deque[FellBack] = deque(maxlen=RECENT_MAX)

    def answer(self, use_case: str, request: Request, rule: Fallback, gone: Gone) -> Decision:
        """What the app's rule says; where it cannot say, that nobody decided."""
        local, error = _asked(rule, request)
        decision = _decision(use_case, local, gone, error)
        told = FellBack(use_case, request, decision, gone, error)
        with self._lock:
            self._counts[gone.reason] += 1
            self._recent.append(told)
        self._tell(told)
        return decision

    def counts(self) -> dict[str, int]:
        """How often the service was gone, by reason."""
        with self._lock:
            return dict(self._counts)

    def recent(self) -> list[FellBack]:
        """The newest, oldest first."""
        with self._lock:
            return list(self._recent)

    def _tell(self, told: FellBack) -> None:
        if self._on_fallback is None:
            return
        try:
            self._on_fallback(told)
        except Exception:  # noqa: BLE001  a door to the app's code: what it does with the news must not cost the answer
            _LOG.exception("on_fallback failed")


def _asked(rule: Fallback, request: Request) -> tuple[LocalAnswer | None, Exception | None]:
    try:
        said = rule(request) if callable(rule) else rule
    except Exception as error:  # noqa: BLE001  a door to the app's code: there is an answer even where its rule fails
        _LOG.exception("the fallback rule failed")
        return None, error
    return (said if isinstance(said, LocalAnswer) or said is None else LocalAnswer(said)), None


def _decision(use_case: str, local: LocalAnswer | None, gone: Gone, error: Exception | None) -> Decision:
    if local is None:
        why = f" The app's own rule failed: {type(error).__name__}." if error else " There is no local answer."
        return Decision(
            id="", use_case=use_case, action="", produced_by="none", reason=gone.reason, because=gone.because + why
        )
    said = local.said
    return Decision(
        id="",
        use_case=use_case,
        action=local.action,
        produced_by="fallback",
        reason=gone.reason,
        because=gone.because,
        positive=said if isinstance(said, bool) else None,
        answer=None if isinstance(said, bool) else said,
    )
