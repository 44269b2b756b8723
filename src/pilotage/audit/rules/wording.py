"""The audit in words and charts: its sentence, what colours and severities mean, the pictures of a page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pilotage.audit.records import Answer, AuditReport, Colour, Finding, MonthBalance, Point, Severity
from pilotage.audit.rules.colours import GRAVE_SHARE, OUTCOME_PLACES, WARNINGS_MAX
from pilotage.audit.rules.costs import at_stake, in_percent
from pilotage.audit.rules.maturity import TAKES
from pilotage.platform.counting import plural

__all__ = ["GRAVE_SHARE", "TAKES", "WARNINGS_MAX"]

COLOURS: dict[Colour, str] = {"green": "in order", "yellow": "look at it", "red": "repair it"}
KINDS: dict[Colour, str] = {"green": "pass", "yellow": "warns", "red": "fail"}
SEVERITIES: dict[Severity, str] = {
    "blocks": "Blocks a pilot",
    "warns": "Should be repaired",
    "informs": "Good to know",
}
KNOWN_EARLY_SHARE = 0.95
"""Where so many outcomes were known at the decision, it is rather the clock than the outcome that is wrong."""
_JOINT = re.compile(r"(?<=\w)(_+)(?=\w{2})|(?<=[^\W\d])([.@/:])(?=[^\W\d]{2})")
_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
_SECONDS = (("days", 86_400), ("hours", 3600), ("minutes", 60))


def sentence(report: AuditReport) -> str:
    """What the audit says, in plain words."""
    blockers, backlog = len(report.plan.blockers), len(report.plan.backlog)
    opened = sum(answer.how == "open" for answer in report.answers)
    known = f"{report.decisions:,} past decisions, {report.labelled:,} with a known outcome"
    doubt = _doubt(report)
    if report.blocked:
        also = f", and {doubt}" if doubt else ""
        verdict = f"The data cannot carry a pilot yet: {plural(blockers, 'repair')} must come first{also}"
    elif doubt:
        verdict = f"Whether the data can carry a pilot cannot be judged yet: {doubt}"
    elif backlog:
        verdict = f"The data can carry a pilot; {plural(backlog, 'repair')} would make them better"
    else:
        verdict = "The data can carry a pilot"
    verb = "has" if opened == 1 else "have"
    left = f" {opened} of the seven questions {verb} no measured answer yet."
    questions = left if opened else " All seven questions are answered."
    face = f" {report.face}" if report.face else ""
    return f"{verdict}. {known}.{questions}{face}"


def _doubt(report: AuditReport) -> str:
    """Why no figure of this audit says anything about a pilot: it is not certain what is to be predicted, or when."""
    found = {finding.code: finding for finding in report.findings if finding.severity != "informs"}
    guessed = found.get("guessed")
    places = [place for place in OUTCOME_PLACES if guessed and place in guessed.figures.get("places", ())]
    if places:
        return f"what is to be predicted is only guessed ({', '.join(places)})"
    return known_early(report.findings) or lacking_outcomes(report)


def lacking_outcomes(report: AuditReport) -> str:
    """What training lacks of outcomes, to end a sentence with; empty where it can begin."""
    few = next((finding for finding in report.findings if finding.code == "few-outcomes"), None)
    return str(few.figures.get("too_few", "")) if few else ""


def known_early(findings: Sequence[Finding]) -> str:
    """That by its clock the outcome was nearly always known at the decision; empty where it was not."""
    early = next((each for each in findings if each.code == "outcome-known-early"), None)
    if early is None or early.severity == "informs" or early.share < KNOWN_EARLY_SHARE:
        return ""
    return f"by its clock the outcome was known when the decision was taken, in {early.share:.0%} of cases"


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


def stake(finding: Finding, auc: float | None) -> str:
    """What is at stake, short: ``2.4% of rows``; ``nothing`` where no input stands on it, empty where nobody knows."""
    share = at_stake(finding, auc)
    return in_percent(finding, share) or ("nothing" if finding.cost else "")


def in_one(group: Sequence[Finding], others_max: int = 6) -> str:
    """Findings of one cause as a cell of a table: the worst in full, the others by their names."""
    worst, others = group[0], [place_of_finding(finding) for finding in group[1:]]
    more = f" and {len(others) - others_max} more" if len(others) > others_max else ""
    said = f"{worst.id}\n{worst.message} {worst.repair}"
    return f"{said}\nThe same: {', '.join(others[:others_max])}{more}." if others else said


def breakable(text: str) -> str:
    """As HTML, where long names may be broken: behind an underscore, dot, slash or at sign, not in a word."""
    from markupsafe import Markup, escape

    return Markup(_JOINT.sub(r"\g<0><wbr>", str(escape(text))))  # noqa: S704  # escaped before


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


def balance_chart(balance: Sequence[MonthBalance], are: str) -> dict[str, Any]:
    """Share of positives among known outcomes, by month; they ``are`` positive, or what else stands for it."""
    values = [{"month": m.month, "share": m.positives / m.labelled} for m in balance if m.labelled]
    return {
        "$schema": _SCHEMA,
        "description": f"Share of outcomes that are {are}, by month",
        "width": 640,
        "height": 180,
        "data": {"values": values},
        "mark": {"type": "bar", "width": {"band": 0.8 if len(values) > 4 else 0.3}},
        "encoding": {
            "x": {"field": "month", "type": "ordinal", "title": None, "axis": {"labelAngle": 0}},
            "y": {
                "field": "share",
                "type": "quantitative",
                "title": are[:1].upper() + are[1:],
                "axis": {"format": "%"},
            },
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
