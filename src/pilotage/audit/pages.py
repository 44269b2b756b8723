"""The audit page: the sentence first, then seven answers, findings and figures."""

from __future__ import annotations

from litestar import get
from litestar.response import Template

from pilotage.audit import flow
from pilotage.audit.rules.wording import balance_chart, sentence
from pilotage.govern.guards import needs
from pilotage.govern.records import Permission
from pilotage.platform import charts
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow as defining


@get("/use-cases/{use_case:str}/audit", guards=[needs(Permission.READ)], sync_to_thread=True)
def audit_page(use_case: str, work: Workspace) -> Template:
    """What the data is like, what forbids or hinders its use, and who repairs it."""
    definition = defining.find_adopted(work, use_case)
    report = flow.latest(work, definition.name)
    context = {
        "page": {"use_case": definition.name, "active": "audit", "title": definition.use_case.title},
        "report": report,
        "sentence": sentence(report) if report else "",
        "chart": charts.svg(balance_chart(report.balance)) if report and report.labelled else "",
        "kinds": {"blocks": "fail", "warns": "warn", "informs": "inform"},
        "hows": {"measured": "pass", "declared": "inform", "open": "warn"},
    }
    return Template("audit/audit.html", context=context)


PAGES = [audit_page]
