"""The audit page, and its report as files to keep and to send."""

from __future__ import annotations

import msgspec
from litestar import Response, get
from litestar.response import Template

from pilotage.audit import flow
from pilotage.audit.records import AuditReport
from pilotage.govern.guards import needs
from pilotage.govern.records import Permission
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow as defining


@get("/use-cases/{use_case:str}/audit", guards=[needs(Permission.READ)], sync_to_thread=True)
def audit_page(use_case: str, work: Workspace) -> Template:
    """What the data is like, what forbids or hinders its use, and who repairs it."""
    definition = defining.find_adopted(work, use_case)
    page = {"use_case": definition.name, "active": "audit", "title": definition.use_case.title}
    report = flow.latest(work, definition.name)
    if report is None:
        return Template("audit/audit.html", context={"page": page, "report": None})
    shown = flow.content(report, flow.compared_with(work, report), flow.history(work, definition.name))
    return Template("audit/audit.html", context={"page": page, "next": _next(report), **shown})


@get("/use-cases/{use_case:str}/audit/report.html", guards=[needs(Permission.READ)], sync_to_thread=True)
def report_html(use_case: str, work: Workspace) -> Response[bytes]:
    """The newest audit as one HTML file."""
    report = flow.newest(work, defining.find_adopted(work, use_case).name)
    text = flow.html(report, flow.compared_with(work, report), flow.history(work, report.use_case))
    return _file(report, "html", "text/html; charset=utf-8", text.encode())


@get("/use-cases/{use_case:str}/audit/report.json", guards=[needs(Permission.READ)], sync_to_thread=True)
def report_json(use_case: str, work: Workspace) -> Response[bytes]:
    """The newest audit as JSON; its shape is that of ``pilotage schema audit``."""
    report = flow.newest(work, defining.find_adopted(work, use_case).name)
    content = msgspec.json.format(msgspec.json.encode(report), indent=2)
    return _file(report, "json", "application/json", content)


def _file(report: AuditReport, kind: str, media_type: str, content: bytes) -> Response[bytes]:
    """To be saved, not shown: the file has its own style, which pages from here may not have."""
    name = f"audit-{report.use_case}-{report.made_at:%Y-%m-%d}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers=headers)


def _next(report: AuditReport) -> str:
    if report.plan.removals:
        return f"pilotage audit {report.use_case} --apply removals"
    return f"pilotage audit {report.use_case}" if report.blocked else f"pilotage build {report.use_case}"


PAGES = [audit_page, report_html, report_json]
