"""The audit in words and charts: its sentence, what colours and severities mean, the pictures of a page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pilotage.audit.records import Answer, AuditReport, Colour, Finding, MonthBalance, Point, Severity
from pilotage.audit.rules.colours import GRAVE_SHARE, WARNINGS_MAX
from pilotage.audit.rules.maturity import TAKES

__all__ = ["GRAVE_SHARE", "TAKES", "WARNINGS_MAX"]

COLOURS: dict[Colour, str] = {"green": "in order", "yellow": "look at it", "red": "repair it"}
KINDS: dict[Colour, str] = {"green": "pass", "yellow": "warns", "red": "fail"}
SEVERITIES: dict[Severity, str] = {
    "blocks": "Blocks a pilot",
    "warns": "Should be repaired",
    "informs": "Good to know",
}
_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
_SECONDS = (("days", 86_400), ("hours", 3600), ("minutes", 60))


def sentence(report: AuditReport) -> str:
    """What the audit says, in plain words."""
    counts = {severity: sum(f.severity == severity for f in report.findings) for severity in ("blocks", "warns")}
    opened = sum(answer.how == "open" for answer in report.answers)
    known = f"{report.decisions:,} past decisions, {report.labelled:,} with a known outcome"
    if report.blocked:
        verdict = f"The data cannot carry a pilot yet: {_count(counts['blocks'], 'finding')} must be repaired first"
    elif counts["warns"]:
        verdict = f"The data can carry a pilot; {_count(counts['warns'], 'finding')} would make it better"
    else:
        verdict = "The data can carry a pilot"
    questions = f" {opened} of seven questions still open." if opened else " All seven questions are answered."
    return f"{verdict}. {known}.{questions}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def colour_words(answer: Answer) -> str:
    """The colour with its word, so that nobody has to see colours: ``Yellow: look at it``."""
    return f"{answer.colour.capitalize()}: {COLOURS[answer.colour]}"


def title_of(finding: Finding) -> str:
    """A finding's kind as words: ``known-after-decision`` is 'Known after decision'."""
    words = finding.code.replace("-", " ")
    return words[:1].upper() + words[1:]


def place_of_finding(finding: Finding) -> str:
    """Source and column: ``weather.temp``; of several columns the first three."""
    columns = finding.column.split(", ") if finding.column else []
    if not columns:
        return finding.source
    more = f" and {len(columns) - 3} more" if len(columns) > 4 else ""
    return f"{finding.source}.{', '.join(columns[:3] if more else columns)}{more}"


def anchors(findings: Sequence[Finding]) -> dict[str, str]:
    """Identifier → a name for the place on the page, without blanks; of two that would be the same one is numbered."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for number, finding in enumerate(findings):
        name = re.sub(r"[^\w.-]+", "-", f"finding-{finding.id}").strip("-")
        name = f"{name}-{number}" if name in taken else name
        taken.add(name)
        found[finding.id] = name
    return found


def span(seconds: float | None) -> str:
    """A length of time in its largest fitting unit: '6 hours'."""
    if seconds is None:
        return ""
    for unit, size in _SECONDS:
        if abs(seconds) >= size:
            number = f"{seconds / size:.1f}".removesuffix(".0")
            return f"{number} {unit if number != '1' else unit[:-1]}"
    return "at once" if abs(seconds) < 1 else f"{seconds:.0f} s"


def balance_chart(balance: Sequence[MonthBalance]) -> dict[str, Any]:
    """Share of positives among known outcomes, by month."""
    values = [{"month": m.month, "share": m.positives / m.labelled} for m in balance if m.labelled]
    return {
        "$schema": _SCHEMA,
        "description": "Share of positive outcomes by month",
        "width": 640,
        "height": 180,
        "data": {"values": values},
        "mark": {"type": "bar", "width": {"band": 0.8 if len(values) > 4 else 0.3}},
        "encoding": {
            "x": {"field": "month", "type": "ordinal", "title": None, "axis": {"labelAngle": 0}},
            "y": {"field": "share", "type": "quantitative", "title": "Positive", "axis": {"format": "%"}},
        },
    }


def maturity_chart(points: Sequence[Point]) -> dict[str, Any]:
    """The maturity from audit to audit."""
    values = [{"at": f"{p.made_at:%Y-%m-%dT%H:%M:%SZ}", "overall": p.overall} for p in points]
    return {
        "$schema": _SCHEMA,
        "description": "Maturity of the data from audit to audit, 0 to 100",
        "width": 640,
        "height": 180,
        "data": {"values": values},
        "mark": {"type": "line", "point": True, "interpolate": "step-after"},
        "encoding": {
            "x": {"field": "at", "type": "temporal", "title": None, "scale": {"type": "utc"},
                  "axis": {"format": "%-d %b %y", "tickCount": 6}},
            "y": {"field": "overall", "type": "quantitative", "title": "of 100", "scale": {"domain": [0, 100]},
                  "axis": {"tickCount": 5}},
        },
    }  # fmt: skip
