"""The audit as a page: what the console and the report file both show, and the file itself, whole in one piece."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from pilotage.audit.records import AuditReport, Comparison, Point
from pilotage.audit.rules import parts, wording
from pilotage.audit.rules.comparing import in_words
from pilotage.platform import charts
from pilotage.platform.errors import InvalidRequest

COLUMNS_MAX = 200
_TEMPLATES = Path(__file__).parents[1] / "templates"


def content(report: AuditReport, comparison: Comparison | None, points: Sequence[Point]) -> dict[str, Any]:
    """Everything that the templates show, by name."""
    return {
        "report": report,
        "sentence": wording.sentence(report),
        "since": in_words(comparison) if comparison else "",
        "comparison": comparison,
        "points": points,
        "findings": {finding.id: finding for finding in report.findings},
        "places": parts.on_one_page(report),
        "groups": [
            (severity, words, [f for f in report.findings if f.severity == severity])
            for severity, words in wording.SEVERITIES.items()
        ],
        "sampled": [finding for finding in report.findings if finding.sampled],
        "balance": charts.svg(wording.balance_chart(report.balance, report.are)) if report.labelled else "",
        "course": charts.svg(wording.maturity_chart(points)) if len(points) > 1 else "",
        "columns_max": COLUMNS_MAX,
        "words": wording,
    }


def html(report: AuditReport, comparison: Comparison | None, points: Sequence[Point]) -> str:
    """The report as one HTML file: no script, no link to anything outside, fit for paper."""
    template = _environment().get_template("audit/report.html")
    return str(template.render(style=_style(), **content(report, comparison, points)))


def write_report(report: AuditReport, comparison: Comparison | None, points: Sequence[Point], place: Path) -> None:
    """Write the report file.

    Raises:
        InvalidRequest: it cannot be written there.
    """
    text = html(report, comparison, points)
    try:
        place.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidRequest(f"{place} cannot be written: {error.strerror}.", "Give another file.") from None


@functools.cache
def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["term"] = lambda word, shown="": shown or word  # paper opens nothing
    return made


@functools.cache
def _style() -> str:
    """The console's stylesheet, read as a file of this package, so that page and report never look different."""
    return files("pilotage").joinpath("web", "static", "pilotage.css").read_text(encoding="utf-8")
