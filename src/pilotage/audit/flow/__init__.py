"""What the audit room does: measure and judge, keep the evidence, report, compare, apply what was proposed."""

from pilotage.audit.flow.applying import Edit, apply, edits
from pilotage.audit.flow.history import compared_with, history, latest, newest
from pilotage.audit.flow.reporting import content, html, write_report
from pilotage.audit.flow.running import run

__all__ = [
    "Edit",
    "apply",
    "compared_with",
    "content",
    "edits",
    "history",
    "html",
    "latest",
    "newest",
    "run",
    "write_report",
]
