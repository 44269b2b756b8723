"""What a worker sees to be wrong with itself, and what shows that it is over. From memory: needs no database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pilotage.decisions.answering.service import Service
from pilotage.decisions.durable.segments import name_of
from pilotage.decisions.records import Trouble, TroubleKind
from pilotage.platform.counting import plural

STUCK_SECONDS = 60.0
"""The ledger is filled several times a second: after so long, something keeps it from it."""


class Troubles:
    """The troubles of one worker."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._place = name_of(service.spool_folder)

    def present(self) -> Sequence[Trouble]:
        """Everything that is wrong at this moment. A worker that starts or stops has none: it is not meant to work."""
        if self._service.phase != "running":
            return ()
        return (*self._circuits(), *self._refused(), *self._spool())

    def gone(self, kind: str, use_case: str, version: str, place: str) -> str:
        """What this worker knows to show that a trouble is over; empty where it knows nothing. Silence shows nothing:
        a model that nobody asked may still fail.
        """
        if self._service.phase != "running" or (place and place != self._place):
            return ""
        if kind in (TroubleKind.CIRCUIT_OPEN, TroubleKind.ARTEFACT_REFUSED):
            return self._gone_of_version(kind, use_case, version)
        return self._gone_here(kind)

    def _circuits(self) -> Iterator[Trouble]:
        for use_case, version, breaker in self._service.scoring.circuits():
            if breaker.is_open and self._is_live(use_case, version):
                why = "It failed or was too slow several times in a row; the rule answers meanwhile."
                yield Trouble(TroubleKind.CIRCUIT_OPEN, why, use_case, version)

    def _refused(self) -> Iterator[Trouble]:
        for use_case, version in self._service.following.refused_versions:
            serving = self._service.following.servings[use_case]
            instead = "the version before it" if serving.is_held_back else "the rule"
            why = f"Its files or its golden vectors are not what was released; {instead} answers. The log says more."
            yield Trouble(TroubleKind.ARTEFACT_REFUSED, why, use_case, version)

    def _spool(self) -> Iterator[Trouble]:
        service, here = self._service, self._place
        if service.refusal:
            why = f"No decision can be recorded now, and answers say so: {service.refusal}."
            yield Trouble(TroubleKind.SPOOL_REFUSES, why, place=here)
        if service.account and service.account.missing:
            why = f"{plural(service.account.missing, 'decision')} durable once and nowhere now."
            yield Trouble(TroubleKind.DECISIONS_MISSING, why, place=here)
        if service.undrained_seconds > STUCK_SECONDS:
            why = "What was answered is durable here and has not come into the ledger for a minute."
            yield Trouble(TroubleKind.DRAIN_STUCK, why, place=here)
        elif service.account and service.account.left_alone:
            why = f"Not readable by this release: {plural(len(service.account.left_alone), 'file')} of the spool."
            yield Trouble(TroubleKind.DRAIN_STUCK, why, place=here)

    def _gone_of_version(self, kind: str, use_case: str, version: str) -> str:
        serving = self._service.following.servings.get(use_case)
        if serving is None:
            return ""
        if version not in (serving.live.version, serving.awaited):
            return "another version is live, or none."
        if kind == TroubleKind.ARTEFACT_REFUSED:
            answers = serving.scorer is not None and not serving.awaited
            return "the version was loaded and answers." if answers else ""
        proved = any(
            (name, of, breaker.is_proved) == (use_case, version, True)
            for name, of, breaker in self._service.scoring.circuits()
        )
        return "the model answered again." if proved else ""

    def _gone_here(self, kind: str) -> str:
        service, account = self._service, self._service.account
        if kind == TroubleKind.SPOOL_REFUSES and not service.refusal:
            return "the spool takes decisions again."
        if kind == TroubleKind.DECISIONS_MISSING and account and not account.missing:
            return "every decision is accounted for again."
        flows = service.undrained_seconds <= STUCK_SECONDS and account and not account.left_alone
        return "all of the spool reaches the ledger again." if kind == TroubleKind.DRAIN_STUCK and flows else ""

    def _is_live(self, use_case: str, version: str) -> bool:
        serving = self._service.following.servings.get(use_case)
        return serving is not None and serving.scorer is not None and serving.live.version == version
