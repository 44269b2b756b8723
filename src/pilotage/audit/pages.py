"""The audit page, and its report as files to keep and to send."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Response, get
from litestar.response import Template

from pilotage.audit import flow
from pilotage.audit.records import AuditReport
from pilotage.audit.rules import parts, wording
from pilotage.govern.guards import needs
from pilotage.govern.records import Permission
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow as defining

_HEADINGS = {
    "findings": "Findings",
    "plan": "Build plan",
    "available": "There at the moment of decision",
    "columns": "Columns of {source}",
}


@get("/use-cases/{use_case:str}/audit", guards=[needs(Permission.READ)], sync_to_thread=True)
def audit_page(use_case: str, work: Workspace) -> Template:
    """What the data is like, what forbids or hinders its use, and who repairs it."""
    definition = defining.find_adopted(work, use_case)
    page = {"use_case": definition.name, "active": "audit", "title": definition.use_case.title}
    report = flow.latest(work, definition.name)
    if report is None:
        return Template("audit/audit.html", context={"page": page, "report": None})
    shown = flow.content(report, flow.compared_with(work, report), flow.history(work, definition.name))
    here = _here(report)
    context = {**shown, "page": page, "next": _next(report), "here": here, "places": parts.on_pages(report, here, True)}
    return Template("audit/audit.html", context=context)


@get("/use-cases/{use_case:str}/audit/findings", guards=[needs(Permission.READ)], sync_to_thread=True)
def findings_page(use_case: str, work: Workspace, first: int = 0) -> Template:
    """All findings of the newest audit, some on each page."""
    report = _newest(work, use_case)
    found = parts.by_severity(report)
    return _part(work, report, "findings", found, parts.part(first, len(found), parts.FINDINGS_EACH))


@get("/use-cases/{use_case:str}/audit/plan", guards=[needs(Permission.READ)], sync_to_thread=True)
def plan_page(use_case: str, work: Workspace, first: int = 0) -> Template:
    """All steps of the build plan."""
    report = _newest(work, use_case)
    steps = [*report.plan.blockers, *report.plan.backlog]
    return _part(work, report, "plan", steps, parts.part(first, len(steps)))


@get("/use-cases/{use_case:str}/audit/available", guards=[needs(Permission.READ)], sync_to_thread=True)
def available_page(use_case: str, work: Workspace, first: int = 0) -> Template:
    """Which inputs were there at the moment of decision."""
    report = _newest(work, use_case)
    return _part(work, report, "available", report.availability, parts.part(first, len(report.availability)))


@get("/use-cases/{use_case:str}/audit/columns", guards=[needs(Permission.READ)], sync_to_thread=True)
def columns_page(use_case: str, work: Workspace, source: str = "", first: int = 0) -> Template:
    """All columns of a source, with what was measured of each."""
    report = _newest(work, use_case)
    profile = parts.profile_of(report, source)
    columns = profile.columns if profile else ()
    return _part(work, report, "columns", columns, parts.part(first, len(columns)), profile.source if profile else "")


@get("/use-cases/{use_case:str}/audit/report.html", guards=[needs(Permission.READ)], sync_to_thread=True)
def report_html(use_case: str, work: Workspace) -> Response[bytes]:
    """The newest audit as one HTML file."""
    report = _newest(work, use_case)
    text = flow.html(report, flow.compared_with(work, report), flow.history(work, report.use_case))
    return _file(report, "html", "text/html; charset=utf-8", text.encode())


@get("/use-cases/{use_case:str}/audit/report.json", guards=[needs(Permission.READ)], sync_to_thread=True)
def report_json(use_case: str, work: Workspace) -> Response[bytes]:
    """The newest audit as JSON; its shape is that of ``pilotage schema audit``."""
    report = _newest(work, use_case)
    content = msgspec.json.format(msgspec.json.encode(report), indent=2)
    return _file(report, "json", "application/json", content)


def _file(report: AuditReport, kind: str, media_type: str, content: bytes) -> Response[bytes]:
    """To be saved, not shown: the file has its own style, which pages from here may not have."""
    name = f"audit-{report.use_case}-{report.made_at:%Y-%m-%d}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers=headers)


def _newest(work: Workspace, use_case: str) -> AuditReport:
    return flow.newest(work, defining.find_adopted(work, use_case).name)


def _here(report: AuditReport) -> parts.Here:
    return parts.here(report, f"/use-cases/{report.use_case}/audit")


def _part(
    work: Workspace, report: AuditReport, name: str, rows: Sequence[Any], part: parts.Part, source: str = ""
) -> Template:
    """The rows of one part of the audit that stand on this page; ``source`` where they are of one."""
    here, title = _here(report), defining.find_adopted(work, report.use_case).use_case.title
    heading = _HEADINGS[name].format(source=source or "no source")
    page = {"use_case": report.use_case, "active": "audit", "title": title}
    context = {
        "page": {**page, "crumbs": [("Audit of the data", here.address), (heading, "")]},
        "heading": heading,
        "report": report,
        "rows": rows[part.first : part.last],
        "part": part,
        "query": f"&{urlencode({'source': source})}" if source else "",
        "findings": {finding.id: finding for finding in report.findings},
        "places": parts.on_pages(report, here),
        "words": wording,
    }
    return Template(f"audit/{name}.html", context=context)


def _next(report: AuditReport) -> str:
    if report.plan.removals:
        return f"pilotage audit {report.use_case} --apply removals"
    return f"pilotage audit {report.use_case}" if report.blocked else f"pilotage build {report.use_case}"


PAGES = [audit_page, findings_page, plan_page, available_page, columns_page, report_html, report_json]
