"""Gathering what the scorecard and the ranking read."""

from __future__ import annotations

from collections.abc import Iterable

from pilotage.platform.workspace import Workspace
from pilotage.rollout import flow as rolling
from pilotage.rollout.readiness.records import Rank, Scorecard
from pilotage.rollout.readiness.rules import ranking
from pilotage.rollout.readiness.rules.scorecard import scorecard
from pilotage.usecase.records import Definition
from pilotage.usecase.rules.lints import lints


def readiness(work: Workspace, definition: Definition) -> Scorecard:
    """The scorecard of a use case as of now; log and ledger were verified within the last minutes."""
    return _both(work, definition)[0]


def ranking_of(work: Workspace, definitions: Iterable[Definition]) -> list[Rank]:
    """These use cases, the one to build first at the top."""
    return ranking.ranked(_both(work, each)[1] for each in definitions)


def _both(work: Workspace, definition: Definition) -> tuple[Scorecard, Rank]:
    dossier, results = rolling.dossier_to_show(work, definition)
    card = scorecard(dossier, results, lints(definition), work.clock.now())
    return card, ranking.rank(dossier, card)
