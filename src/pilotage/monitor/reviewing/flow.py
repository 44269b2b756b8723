"""Reads opinions and what they were about: of everybody together, and of one person for themselves."""

from __future__ import annotations

from datetime import timedelta

from pilotage.monitor.reviewing import rules
from pilotage.monitor.reviewing.records import Judged, Quality
from pilotage.outcomes import flow as outcomes
from pilotage.platform.workspace import Workspace
from pilotage.review import flow as reviewing
from pilotage.review.rules.picking import is_random
from pilotage.review.rules.viewing import hides_model
from pilotage.usecase import flow as defining

DAYS = 90
PEOPLE_MIN = 3
"""Besides who reads it: of fewer people, a figure of all together, less one's own, would tell of each."""
_PEOPLE_OF_REASON = 2
"""A reason in one person's own words would tell whose it is."""


def quality(work: Workspace, use_case: str, person: str | None = None) -> Quality:
    """How well cases were judged in the last 90 days; by one person, or by all."""
    judged = _judged(work, use_case)
    if person is None:
        return rules.quality_of(judged, _PEOPLE_OF_REASON)
    return rules.quality_of([each for each in judged if each.opinion.person == person])


def is_too_few(together: Quality, reader: str) -> bool:
    """Whether figures of all together would tell this reader, who knows their own, of single people."""
    return bool(together.people) and len(together.people - {reader}) < PEOPLE_MIN


def _judged(work: Workspace, use_case: str) -> list[Judged]:
    opinions = reviewing.judged_since(work, use_case, work.clock.now() - timedelta(days=DAYS))
    # Of a blind case that waits for another opinion, how often one agrees would tell what was answered.
    found = [each for each in opinions if not hides_model(each[1])]
    samples = defining.find_adopted(work, use_case).use_case.review.samples
    known = outcomes.newest_of(work, [case.decision for _, case, _ in found if case.why == "known"])
    return [
        Judged(
            opinion,
            case.why,
            given,
            known[case.decision].happened if case.why == "known" and case.decision in known else None,
            is_random(case.decision, samples),
        )
        for opinion, case, given in found
    ]
