"""Which topics speak to which of the seven questions, and what colour their findings give the answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pilotage.audit.records import Colour, Finding, Topic

QUESTIONS: dict[str, str] = {
    "systems": "Which systems hold the inputs?",
    "ground_truth": "Which outcome is the ground truth?",
    "quality": "How complete, current, duplicated, biased and noisy is it?",
    "recreated": "Can the training data be recreated?",
    "sensitive": "Which fields are sensitive?",
    "real_time": "Which must be there in real time?",
    "repair": "Who fixes a broken source?",
}
"""The key of the file's ``answers`` → its question, in the order of every report."""

TOPICS: dict[str, tuple[Topic, ...]] = {
    "systems": ("keys", "file"),
    "ground_truth": ("label",),
    "quality": ("completeness", "currency", "duplicates", "consistency", "bias", "contract"),
    "recreated": ("recreate",),
    "sensitive": ("sensitive",),
    "real_time": ("real time", "leakage"),
    "repair": (),
}

OUTCOME_PLACES = ("outcome.positive", "outcome.category", "outcome.number", "outcome.source", "outcome.says")
"""Places in the file that say what is to be predicted: while one is guessed, nobody has said it."""

GRAVE_SHARE = 0.2
"""A warning that concerns this share of the rows, or costs this share of the decisions, is as bad as a blocker."""
WARNINGS_MAX = 8
"""So many warnings on one question are red, each of them small as it may be."""


def speaking(question: str, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings that somebody should act on and that speak to a question, in their order."""
    topics = TOPICS[question]
    return tuple(finding for finding in findings if finding.topic in topics and finding.severity != "informs")


def colour_of(findings: Sequence[Finding], open_question: bool = False) -> Colour:
    """Red when something blocks or is grave, yellow when something warns or the question is open, else green."""
    if any(finding.severity == "blocks" or is_grave(finding) for finding in findings):
        return "red"
    if sum(finding.severity == "warns" for finding in findings) >= WARNINGS_MAX:
        return "red"
    return "yellow" if findings or open_question else "green"


def is_grave(finding: Finding) -> bool:
    """A warning on so many rows that the answer is no."""
    rows = finding.cost.value if finding.cost and finding.cost.kind == "rows" else finding.share
    return finding.severity == "warns" and rows >= GRAVE_SHARE
