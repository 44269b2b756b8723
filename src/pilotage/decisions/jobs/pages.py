"""Console page of batch jobs: how far each is, what failed, its result for those who may have it."""

from __future__ import annotations

from typing import Any

from litestar import Request, get, post
from litestar.response import Redirect, Stream, Template

from pilotage.decisions.jobs import flow
from pilotage.decisions.jobs.api import streamed
from pilotage.decisions.jobs.records import BatchJob, Format
from pilotage.govern.guards import needs, principal_of
from pilotage.govern.records import Permission, Principal
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow as defining

AnyRequest = Request[Any, Any, Any]
_READ = [needs(Permission.READ)]
_RELEASE = [needs(Permission.RELEASE)]


@get("/use-cases/{use_case:str}/jobs", guards=_READ, sync_to_thread=True)
def jobs_page(use_case: str, request: AnyRequest, work: Workspace) -> Template:
    """The newest jobs: state, rows, who, failures."""
    definition = defining.find_adopted(work, use_case)
    by = principal_of(request)
    return Template(
        "decisions/jobs.html",
        context={
            "page": {"use_case": use_case, "title": definition.use_case.title, "active": "jobs"},
            "jobs": [_shown(work, job, by) for job in flow.listed(work, use_case)],
            "within": definition.use_case.batch.within,
            "days": flow.FILES_KEPT.days,
            "address": work.settings.address,
        },
    )


@get("/use-cases/{use_case:str}/jobs/{job_id:str}/result", guards=_RELEASE, sync_to_thread=True)
def job_file(use_case: str, job_id: str, request: AnyRequest, work: Workspace, format: Format = "parquet") -> Stream:
    """A result, for who submitted it, owners and administrators."""
    return streamed(work, flow.find(work, use_case, job_id, principal_of(request)), format)


@post("/use-cases/{use_case:str}/jobs/{job_id:str}/cancel", guards=_RELEASE, sync_to_thread=True)
def cancel_on_page(use_case: str, job_id: str, request: AnyRequest, work: Workspace) -> Redirect:
    """End a job, for those who may have it."""
    flow.cancel(work, use_case, job_id, principal_of(request))
    return Redirect(f"/use-cases/{use_case}/jobs", status_code=303)


@post("/use-cases/{use_case:str}/jobs/{job_id:str}/resume", guards=_RELEASE, sync_to_thread=True)
def resume_on_page(use_case: str, job_id: str, request: AnyRequest, work: Workspace) -> Redirect:
    """Let a job that failed go on, for those who may have it."""
    flow.resume(work, use_case, job_id, principal_of(request))
    return Redirect(f"/use-cases/{use_case}/jobs", status_code=303)


def _shown(work: Workspace, job: BatchJob, by: Principal) -> dict[str, Any]:
    may = flow.may_have(job, by)
    return {
        "job": job,
        "total": flow.rows_total(work, job),
        "may_cancel": may and not job.has_ended,
        "may_resume": may and job.state == "failed",
        "may_fetch": may and flow.has_result(work, job),
        "of": job.source or f"{job.format} upload",
    }


PAGES = [jobs_page, job_file, cancel_on_page, resume_on_page]
