"""HTTP of data: read what became known at the sources."""

from __future__ import annotations

from litestar import post

from pilotage.data import flow
from pilotage.data.records import SyncResult
from pilotage.govern.guards import needs
from pilotage.govern.records import Permission
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow as defining


@post("/v1/use-cases/{use_case:str}/sync", guards=[needs(Permission.BUILD)], sync_to_thread=True, status_code=200)
def sync_sources(use_case: str, work: Workspace) -> list[SyncResult]:
    """Read what became known at each source since the last time."""
    return flow.sync(work, defining.find_adopted(work, use_case))


ROUTES = [sync_sources]
