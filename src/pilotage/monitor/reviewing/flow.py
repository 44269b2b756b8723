"""Reads opinions and what they were about: of everybody together, and of one person for themselves."""

from __future__ import annotations

from datetime import timedelta

from pilotage.monitor.reviewing import rules
from pilotage.monitor.reviewing.records import Judged, Quality
from pilotage.outcomes import flow as outcomes
from pilotage.platform.workspace import Workspace
from pilotage.review import flow as reviewing
from pilotage.review.rules.viewing import hides_model

DAYS = 90
PEOPLE_MIN = 3
"""Of fewer people, a figure of all together would tell of each."""


def quality(work: Workspace, use_case: str, person: str | None = None) -> Quality:
    """How well cases were judged in the last 90 days; by one person, or by all."""
    judged = _judged(work, use_case)
    return rules.quality_of([each for each in judged if person is None or each.opinion.person == person])


def _judged(work: Workspace, use_case: str) -> list[Judged]:
    opinions = reviewing.judged_since(work, use_case, work.clock.now() - timedelta(days=DAYS))
    # Of a blind case that waits for another opinion, how often one agrees would tell what was answered.
    found = [each for each in opinions if not hides_model(each[1])]
    known = outcomes.newest_of(work, [case.decision for _, case, _ in found if case.why == "known"])
    return [
        Judged(
            opinion,
            case.why,
            given,
            known[case.decision].happened if case.why == "known" and case.decision in known else None,
        )
        for opinion, case, given in found
    ]
