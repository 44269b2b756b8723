"""The audit in one sentence, and its chart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pilotage.audit.records import AuditReport, MonthBalance


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


def balance_chart(balance: Sequence[MonthBalance]) -> dict[str, Any]:
    """Share of positives among known outcomes, by month."""
    values = [{"month": m.month, "share": m.positives / m.labelled} for m in balance if m.labelled]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "description": "Share of positive outcomes by month",
        "width": 640,
        "height": 180,
        "data": {"values": values},
        "mark": "bar",
        "encoding": {
            "x": {"field": "month", "type": "ordinal", "title": None, "axis": {"labelAngle": 0}},
            "y": {"field": "share", "type": "quantitative", "title": "Positive", "axis": {"format": "%"}},
        },
    }
