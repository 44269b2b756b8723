"""How many outcomes training asks for at the least: known before anybody builds or trains for nothing."""

from __future__ import annotations

from pilotage.usecase.records import OutcomeKind

POSITIVES_MIN = 50
ROWS_MIN = 200


def too_few(kind: OutcomeKind, labelled: int, positives: int) -> str:
    """What training lacks, to end a sentence with; empty where there is enough to begin with."""
    if kind == "flag" and positives < POSITIVES_MIN:
        return f"training needs at least {POSITIVES_MIN} positive outcomes, and {positives:,} came"
    if kind != "flag" and labelled < ROWS_MIN:
        return f"training needs at least {ROWS_MIN} known outcomes, and {labelled:,} came"
    return ""
