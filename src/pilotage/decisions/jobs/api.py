"""HTTP of batch jobs: send a file of questions, see how far it is, cancel it, fetch what was answered."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, delete, get, post
from litestar.concurrency import sync_to_thread
from litestar.response import Stream

from pilotage.decisions.jobs import files, flow
from pilotage.decisions.jobs.records import BatchJob, Format, State
from pilotage.govern.guards import needs, principal_of
from pilotage.govern.records import Permission
from pilotage.platform.errors import TooLarge, TooSlow, WrongMediaType
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow as defining

AnyRequest = Request[Any, Any, Any]

FORMATS: dict[str, Format] = {
    "application/x-ndjson": "jsonl",
    "application/jsonl": "jsonl",
    "text/csv": "csv",
    "application/vnd.apache.parquet": "parquet",
}
_MEDIA_TYPES: dict[Format, str] = {
    "jsonl": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}
_PIECE_SECONDS = 10
_GUARDS = [needs(Permission.DECIDE)]


class JobStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """A job and how far it is: rows that are done, and those of them that were refused."""

    id: str
    use_case: str
    state: State
    format: Format
    rows_done: int
    rows_refused: int
    made_at: datetime
    made_by: str
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: str = ""


class JobList(msgspec.Struct, frozen=True):
    """Jobs, newest first."""

    jobs: list[JobStatus]


@post("/v1/use-cases/{use_case:str}/jobs", guards=_GUARDS, status_code=202, request_max_body_size=None)
async def submit_job(use_case: str, request: AnyRequest, work: Workspace) -> JobStatus:
    """Send questions as JSON lines, CSV or Parquet; they are answered in the background, by row."""
    kind = _format_of(request)
    await sync_to_thread(defining.find_adopted, work, use_case)
    name = flow.named(work)
    folder = files.folder_of(work, name)
    folder.mkdir(parents=True)
    try:
        await _receive(request, folder / f"questions.{kind}", work.settings.upload_bytes_max)
        job = await sync_to_thread(flow.submit, work, use_case, principal_of(request), kind, name)
    except BaseException:
        files.remove(work, name)
        raise
    return _status(job)


@get("/v1/use-cases/{use_case:str}/jobs", guards=_GUARDS, sync_to_thread=True)
def list_jobs(use_case: str, work: Workspace) -> JobList:
    """The newest jobs of a use case."""
    return JobList([_status(job) for job in flow.listed(work, use_case)])


@get("/v1/use-cases/{use_case:str}/jobs/{job_id:str}", guards=_GUARDS, sync_to_thread=True)
def one_job(use_case: str, job_id: str, work: Workspace) -> JobStatus:
    """How far a job is."""
    return _status(flow.find(work, use_case, job_id))


@delete("/v1/use-cases/{use_case:str}/jobs/{job_id:str}", guards=_GUARDS, status_code=200, sync_to_thread=True)
def cancel_job(use_case: str, job_id: str, request: AnyRequest, work: Workspace) -> JobStatus:
    """End a job; what it decided until then stays decided."""
    return _status(flow.cancel(work, use_case, job_id, principal_of(request)))


@get("/v1/use-cases/{use_case:str}/jobs/{job_id:str}/result", guards=_GUARDS, sync_to_thread=True)
def job_result(use_case: str, job_id: str, work: Workspace, format: Format = "jsonl") -> Stream:
    """What a job answered: JSON lines with whole answers, or a table as CSV or Parquet."""
    pieces = flow.result(work, use_case, job_id, format)
    named = {"Content-Disposition": f'attachment; filename="{job_id}.{format}"'}
    return Stream(pieces, media_type=_MEDIA_TYPES[format], headers=named)


def _format_of(request: AnyRequest) -> Format:
    said = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if request.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
        raise WrongMediaType("Compressed bodies are not read here.", "Send Parquet, which is compressed inside.")
    if said not in FORMATS:
        raise WrongMediaType("The body must be JSON lines, CSV or Parquet.", f"Send one of: {', '.join(FORMATS)}.")
    return FORMATS[said]


async def _receive(request: AnyRequest, path: Any, bytes_max: int) -> None:
    """Write the body to a file as it comes; memory stays flat, and a caller that dribbles is refused."""
    size = 0
    pieces = request.stream().__aiter__()
    with path.open("wb") as file:
        while True:
            try:
                async with asyncio.timeout(_PIECE_SECONDS):
                    piece = await anext(pieces, None)
            except TimeoutError:
                raise TooSlow(f"Nothing came for {_PIECE_SECONDS} seconds.", "Send the file at once.") from None
            if piece is None:
                return
            size += len(piece)
            if size > bytes_max:
                raise TooLarge(f"The file has more than {bytes_max:,} bytes.", "Send it in parts.")
            await asyncio.to_thread(file.write, piece)


def _status(job: BatchJob) -> JobStatus:
    named = {name: getattr(job, name) for name in JobStatus.__struct_fields__ if name != "made_by"}
    return JobStatus(**named, made_by=job.caller_name)


ROUTES = [submit_job, list_jobs, one_job, cancel_job, job_result]
