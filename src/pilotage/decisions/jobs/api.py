"""HTTP of batch jobs: send questions or name a source, see how far it is, cancel, resume, fetch what was answered."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import msgspec
from litestar import Request, delete, get, post
from litestar.concurrency import sync_to_thread
from litestar.response import Stream

from pilotage.decisions.http.exchange import demand_json
from pilotage.decisions.http.incoming import read_body
from pilotage.decisions.jobs import files, flow
from pilotage.decisions.jobs.records import Asked, BatchJob, Format, State
from pilotage.govern.guards import needs, principal_of
from pilotage.govern.records import Permission
from pilotage.platform import replies
from pilotage.platform.errors import InvalidRequest, Problem, TooLarge, TooSlow, Unavailable, WrongMediaType
from pilotage.platform.instants import as_utc
from pilotage.platform.strictness import demand_unique_names
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Definition

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
_BY_SOURCE = "application/json"
_PIECE_SECONDS = 10
FREE_BYTES_MIN = 256 * 1024 * 1024
"""What uploads leave free of the disk: the spool may lie on the same."""
_GUARDS = [needs(Permission.DECIDE)]


class SourceRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Questions that stand in a source of the use case's file, with bounds of its ``known_at``, both included."""

    source: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    target: Annotated[str, msgspec.Meta(max_length=64)] = ""
    known_since: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    known_until: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class JobStatus(msgspec.Struct, frozen=True, omit_defaults=True):
    """A job and how far it is, in rows.

    ``rows_refused`` do not fit and have no decision; of ``rows_failed`` the model was asked in vain; ``rows_written``
    are in the target. ``rows_total``, and the ``share`` of them that is done, are there as soon as somebody counted.
    """

    id: str
    use_case: str
    state: State
    format: Format
    rows_done: int
    rows_refused: int
    rows_failed: int
    made_at: datetime
    made_by: str
    source: str = ""
    known_since: datetime | None = None
    known_until: datetime | None = None
    target: str = ""
    rows_written: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: str = ""
    rows_total: int | None = None
    share: float | None = None


class JobList(msgspec.Struct, frozen=True):
    """Jobs, newest first."""

    jobs: list[JobStatus]


@post("/v1/use-cases/{use_case:str}/jobs", guards=_GUARDS, status_code=202, request_max_body_size=None)
async def submit_job(use_case: str, request: AnyRequest, work: Workspace, target: str = "") -> JobStatus:
    """Send questions as JSON lines, CSV or Parquet, or name a source as JSON; they are answered in the background."""
    key = replies.key_in(list(request.scope["headers"]))
    kind = _format_of(request)
    definition = await sync_to_thread(defining.find_adopted, work, use_case)
    name = flow.named(work)
    if kind is None:
        demand_json(list(request.scope["headers"]))
        body = await read_body(request)
        asked, digest = _by_source(body), hashlib.sha256(body).digest()
        return await _submitted(work, definition, request, asked, key, digest, name)
    if key is None:  # with a key it may be a job that is there already
        await sync_to_thread(flow.demand_place, work, use_case)
    folder = files.folder_of(work, name)
    folder.mkdir(parents=True)
    try:
        digest = await _receive(request, folder / f"questions.{kind}", work.settings.upload_bytes_max)
        return await _submitted(work, definition, request, Asked(kind, target=target), key, digest, name)
    except BaseException:
        files.remove(work, name)
        raise


@get("/v1/use-cases/{use_case:str}/jobs", guards=_GUARDS, sync_to_thread=True)
def list_jobs(use_case: str, request: AnyRequest, work: Workspace) -> JobList:
    """The newest jobs of a use case that this key submitted; owners see all."""
    return JobList([_status(work, job) for job in flow.listed(work, use_case, principal_of(request))])


@get("/v1/use-cases/{use_case:str}/jobs/{job_id:str}", guards=_GUARDS, sync_to_thread=True)
def one_job(use_case: str, job_id: str, request: AnyRequest, work: Workspace) -> JobStatus:
    """How far a job is."""
    return _status(work, flow.find(work, use_case, job_id, principal_of(request)))


@delete("/v1/use-cases/{use_case:str}/jobs/{job_id:str}", guards=_GUARDS, status_code=200, sync_to_thread=True)
def cancel_job(use_case: str, job_id: str, request: AnyRequest, work: Workspace) -> JobStatus:
    """End a job; what it decided until then stays decided."""
    return _status(work, flow.cancel(work, use_case, job_id, principal_of(request)))


@post("/v1/use-cases/{use_case:str}/jobs/{job_id:str}/resume", guards=_GUARDS, status_code=200, sync_to_thread=True)
def resume_job(use_case: str, job_id: str, request: AnyRequest, work: Workspace) -> JobStatus:
    """Let a job that failed go on where it stopped; nothing is decided twice."""
    return _status(work, flow.resume(work, use_case, job_id, principal_of(request)))


@get("/v1/use-cases/{use_case:str}/jobs/{job_id:str}/result", guards=_GUARDS, sync_to_thread=True)
def job_result(use_case: str, job_id: str, request: AnyRequest, work: Workspace, format: Format = "jsonl") -> Stream:
    """What a job answered: JSON lines with whole answers, or a table as CSV or Parquet."""
    job = flow.find(work, use_case, job_id, principal_of(request))
    return streamed(work, job, format)


def streamed(work: Workspace, job: BatchJob, format: Format) -> Stream:
    """A result as a download, in pieces."""
    named = {"Content-Disposition": f'attachment; filename="{job.id}.{format}"'}
    return Stream(flow.result(work, job, format), media_type=_MEDIA_TYPES[format], headers=named)


async def _submitted(
    work: Workspace,
    definition: Definition,
    request: AnyRequest,
    asked: Asked,
    key: str | None,
    digest: bytes,
    name: str,
) -> JobStatus:
    by = principal_of(request)
    if key is None:
        return _status(work, await sync_to_thread(flow.submit, work, definition, by, asked, name))
    address = f"{request.url.path}?target={asked.target} {asked.format}"
    fingerprint = replies.fingerprint_of("POST", address, digest)
    once = (work, definition, by, asked, key, fingerprint, name)
    return _status(work, await sync_to_thread(flow.submit_once, *once))


def _by_source(body: bytes) -> Asked:
    try:
        asked = msgspec.json.decode(body, type=SourceRequest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        problem = Problem("body", f"must be a JSON object that names a source. {error}.")
        raise InvalidRequest("The job cannot be read.", problems=[problem]) from None
    demand_unique_names(body)
    since, until = _bound("known_since", asked.known_since), _bound("known_until", asked.known_until)
    return Asked("parquet", asked.source, since, until, asked.target)


def _bound(name: str, instant: datetime | None) -> datetime | None:
    try:
        return None if instant is None else as_utc(instant)
    except InvalidRequest as error:
        raise InvalidRequest("The job cannot be read.", problems=[Problem(name, error.message)]) from None


def _format_of(request: AnyRequest) -> Format | None:
    """The format of an upload; None where a source is named."""
    said = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if request.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
        raise WrongMediaType("Compressed bodies are not read here.", "Send Parquet, which is compressed inside.")
    if said == _BY_SOURCE:
        return None
    if said not in FORMATS:
        raise WrongMediaType(
            "The body must be JSON lines, CSV or Parquet, or JSON that names a source.",
            f"Send one of: {', '.join([*FORMATS, _BY_SOURCE])}.",
        )
    return FORMATS[said]


async def _receive(request: AnyRequest, path: Path, bytes_max: int) -> bytes:
    """Write the body to a file as it comes; memory stays flat, and a caller that dribbles is refused. Its SHA-256."""
    size, digest = 0, hashlib.sha256()
    pieces = request.stream().__aiter__()
    with path.open("wb") as file:
        while True:
            try:
                async with asyncio.timeout(_PIECE_SECONDS):
                    piece = await anext(pieces, None)
            except TimeoutError:
                raise TooSlow(f"Nothing came for {_PIECE_SECONDS} seconds.", "Send the file at once.") from None
            if piece is None:
                break
            size += len(piece)
            if size > bytes_max:
                raise TooLarge(f"The file has more than {bytes_max:,} bytes.", "Send it in parts.")
            digest.update(piece)
            await asyncio.to_thread(_write, file, piece)
    await asyncio.to_thread(files.keep_upload, path)
    return digest.digest()


def _write(file: BinaryIO, piece: bytes) -> None:
    if shutil.disk_usage(file.name).free < FREE_BYTES_MIN:
        raise Unavailable("The disk is nearly full: no files are taken in.", "Send it when somebody made room.")
    file.write(piece)


def _status(work: Workspace, job: BatchJob) -> JobStatus:
    total = flow.rows_total(work, job)
    named = {name: getattr(job, name) for name in JobStatus.__struct_fields__ if name in BatchJob.__struct_fields__}
    share = job.rows_done / total if total else None
    return JobStatus(**named, made_by=job.caller_name, rows_total=total, share=share)


ROUTES = [submit_job, list_jobs, one_job, cancel_job, resume_job, job_result]
