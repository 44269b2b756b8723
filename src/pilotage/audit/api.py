"""HTTP of the audit: the newest report, for machines; its shape is that of ``pilotage schema audit``."""

from __future__ import annotations

from litestar import get

from pilotage.audit import flow
from pilotage.audit.records import AuditReport
from pilotage.govern.guards import needs
from pilotage.govern.records import Permission
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow as defining


@get("/v1/use-cases/{use_case:str}/audit", guards=[needs(Permission.READ)], sync_to_thread=True)
def audit_report(use_case: str, work: Workspace) -> AuditReport:
    """The newest audit of a use case."""
    return flow.newest(work, defining.find_adopted(work, use_case).name)


ROUTES = [audit_report]
