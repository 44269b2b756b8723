"""Findings that are a suspicion, and what a person who looked into them wrote into the file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from pilotage.audit.records import Finding
from pilotage.usecase.records import Definition

# Figures that look like a fault and may be the truth. What the clocks or the rows themselves prove is not among them.
SUSPICIONS = frozenset(
    {
        "too-good-to-be-true",
        "missing-not-at-random",
        "identifier-carries-label",
        "leaks-through-join",
        "later-than-decision",
        "twins",
        "label-noise",
        "shifting-outcome",
        "meaning-changed",
        "off-pattern",
        "placeholder-values",
        "rare-sign",
        "volume-break",
        "impossible-dates",
        "stale",
        "numbers-as-text",
        "dates-as-text",
    }
)


def by_people(definition: Definition, found: Sequence[Finding]) -> Iterator[Finding]:
    """The findings, those that a person explained only to be known; and answers that no finding waits for."""
    said = {key: text.strip() for key, text in definition.use_case.answers.findings.items() if text.strip()}
    for finding in found:
        if finding.id in said and finding.code in SUSPICIONS:
            yield _explained(finding, said[finding.id])
        else:
            yield finding
    lost = [key for key in said if not any(f.id == key and f.code in SUSPICIONS for f in found)]
    if lost:
        yield _lost(definition, lost)


def _explained(finding: Finding, text: str) -> Finding:
    return msgspec.structs.replace(
        finding,
        severity="informs",
        message=f"{finding.message} Looked at: “{text}”",
        repair="Nothing to do while that holds: it stands under `answers.findings`.",
        figures={**finding.figures, "answered": text, "severity": finding.severity},
    )


def _lost(definition: Definition, lost: Sequence[str]) -> Finding:
    return Finding(
        "answer-without-finding",
        "file",
        "informs",
        "",
        "",
        f"`answers.findings` explains what was not found, or what no explanation can undo: {', '.join(lost)}.",
        "Remove these lines, or correct the identifiers.",
        definition.use_case.owner,
        concerns=len(lost),
        id="answer-without-finding:",
    )
