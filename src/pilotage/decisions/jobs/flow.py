"""Jobs: taken in, found, taken up by a worker, cancelled, resumed, fetched, forgotten."""

from __future__ import annotations

import secrets
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from pilotage.decisions.jobs import files, running, targets
from pilotage.decisions.jobs import store as jobs
from pilotage.decisions.jobs.records import Asked, BatchJob, Format
from pilotage.decisions.jobs.running import Pace
from pilotage.govern import flow as governing
from pilotage.govern.records import Permission, Principal
from pilotage.govern.rules.permissions import allowed
from pilotage.platform import processes, replies, tracing
from pilotage.platform.beating import LEASE
from pilotage.platform.errors import Conflict, NotFound, TooMany, in_short
from pilotage.platform.identifiers import new_id
from pilotage.platform.outages import Outage
from pilotage.platform.replies import Claim
from pilotage.platform.synced import sync
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import Definition

FILES_KEPT = timedelta(days=7)
"""How long the files of a job stay after it ended. Its decisions stay in the ledger."""
_STRAY_AFTER = timedelta(days=1)
"""No upload takes so long: what no job knows after it is of one that was cut off."""
KEPT = timedelta(days=400)
"""How long it stays known that there was a job: the service gate reads how runs went."""
OPEN_MAX = 20
"""Jobs of a use case that wait or run."""
_LISTED_MAX = 200
_CLAIMED_FOR = timedelta(seconds=30)


def named(work: Workspace) -> str:
    """An identifier for a job whose upload is about to come."""
    return new_id("job", work.clock.now())


def submit(work: Workspace, definition: Definition, by: Principal, asked: Asked, job_id: str) -> BatchJob:
    """Take a job in whose upload lies in its folder, or which reads a source.

    Raises:
        NotFound: the use case's file has no such source or target.
        TooMany: so many jobs of this use case wait already.
    """
    _demand_declared(definition, asked)
    job = _made(work, definition, by, asked, job_id)
    with work.database.writing() as connection:
        _add(connection, work, job, by)
    return job


def demand_place(work: Workspace, use_case: str) -> None:
    """Refuse what would be refused, before its file has come.

    Raises:
        TooMany: so many jobs of this use case wait already.
    """
    with work.database.reading() as connection:
        _demand_place(connection, use_case)


def submit_once(
    work: Workspace, definition: Definition, by: Principal, asked: Asked, key: str, fingerprint: bytes, upload: str
) -> BatchJob:
    """The same of a request with an idempotency key: sent again, it is the same job. ``upload`` is its folder's name.

    Raises:
        KeyReused: the key came with another request before.
        RequestOutstanding: the same request is being taken in at this moment.
        NotFound, TooMany: as of :func:`submit`.
    """
    _demand_declared(definition, asked)

    def make(claimed: Claim) -> bytes:
        return _claimed(work, definition, by, asked, claimed, upload).id.encode()

    told, is_known = replies.once(work, by.id, key, fingerprint, _CLAIMED_FOR, make)
    if is_known:
        files.remove(work, upload)
    return find(work, definition.name, told.decode())


def _claimed(
    work: Workspace, definition: Definition, by: Principal, asked: Asked, claimed: Claim, upload: str
) -> BatchJob:
    """The job that follows from a claim: where its first worker died, it may be there already."""
    job = _made(work, definition, by, asked, claimed.id_of("job"))
    folder = files.folder_of(work, job.id)
    if asked.source or folder.exists():
        files.remove(work, upload)
    else:
        files.folder_of(work, upload).rename(folder)
        sync(folder.parent)
    with work.database.writing() as connection:
        there = jobs.find(connection, job.id)
        if there is None:
            _add(connection, work, job, by)
    return there or job


def begin(work: Workspace, definition: Definition, by: Principal, asked: Asked, file: Path | None) -> BatchJob:
    """Take a job in that this process works on itself: it is this process's from the start.

    Raises:
        NotFound, TooMany: as of :func:`submit`.
    """
    _demand_declared(definition, asked)
    job_id = named(work)
    try:
        if file is not None:
            folder = files.folder_of(work, job_id)
            folder.mkdir(parents=True)
            questions = folder / f"questions.{asked.format}"
            shutil.copyfile(file, questions)
            files.keep_upload(questions)
        with work.database.writing() as connection:
            job = _made(work, definition, by, asked, job_id)
            _add(connection, work, job, by)
            taken = jobs.take(connection, job, work.clock.now(), LEASE)
    except BaseException:
        files.remove(work, job_id)
        raise
    return taken or job


def take_up(work: Workspace, use_case: str, job_id: str) -> BatchJob:
    """Take a job that waits, failed or lost its worker, to go on with it here; one that is done is given as it is.

    Raises:
        NotFound: there is no such job, or its questions are not on this machine.
        Conflict: somebody works on it, or it was cancelled.
    """
    job = find(work, use_case, job_id)
    if job.state == "done":
        return job
    if not _can_be_done_here(work, job):
        raise NotFound(f"The questions of job {job_id} are not on this machine.", "Resume it where they are.")
    now = work.clock.now()
    with work.database.writing() as connection:
        if job.state == "failed" and jobs.resume(connection, job_id):
            job = jobs.find(connection, job_id) or job
        free = next((each for each in jobs.free(connection, now) if each.id == job_id), None)
        taken = None if free is None else jobs.take(connection, free, now, LEASE)
    if taken is None:
        raise Conflict(f"The job {job_id} is {job.state}: it cannot be taken up.", "Wait until it ends.")
    return taken


def rows_total(work: Workspace, job: BatchJob) -> int | None:
    """How many rows a job has; None as long as nobody has counted them, or where its files are on another machine."""
    return job.rows_done if job.state == "done" else files.noted_rows(work, job)


def let_go(work: Workspace, job: BatchJob) -> None:
    """Put a job back that this process holds: whoever looks next goes on with it."""
    with work.database.writing() as connection:
        jobs.put_back(connection, job)


def _demand_declared(definition: Definition, asked: Asked) -> None:
    """Only what the use case's file names is read or written, never an address or path of a caller."""
    sources = definition.use_case.sources
    if asked.source and asked.source not in sources:
        raise NotFound(f"{definition.name} has no source {asked.source}.", f"Known: {', '.join(sources)}.")
    if asked.target:
        targets.target_of(definition, asked.target)


def _made(work: Workspace, definition: Definition, by: Principal, asked: Asked, job_id: str) -> BatchJob:
    return BatchJob(
        id=job_id,
        use_case=definition.name,
        caller=by.id,
        caller_name=by.name,
        format=asked.format,
        state="waiting",
        made_at=work.clock.now(),
        seed=secrets.token_bytes(16),
        source=asked.source,
        known_since=asked.known_since,
        known_until=asked.known_until,
        target=asked.target,
    )


def _add(connection: sa.Connection, work: Workspace, job: BatchJob, by: Principal) -> None:
    _demand_place(connection, job.use_case)
    jobs.add(connection, job)
    detail = {"job": job.id, "format": job.format, "source": job.source, "target": job.target}
    governing.record(connection, work, by, "submit-job", job.use_case, detail)


def _demand_place(connection: sa.Connection, use_case: str) -> None:
    if jobs.count_open(connection, use_case) >= OPEN_MAX:
        raise TooMany(f"{OPEN_MAX} jobs of {use_case} wait already.", "Wait for one, or cancel one.")


def find(work: Workspace, use_case: str, job_id: str, by: Principal | None = None) -> BatchJob:
    """One job of a use case; with ``by``, one that this principal may read and cancel.

    Raises:
        NotFound: there is none with this identifier, or it is another caller's.
    """
    with work.database.reading() as connection:
        found = jobs.find(connection, job_id)
    if found is None or found.use_case != use_case or not (by is None or may_have(found, by)):
        raise NotFound(f"There is no job {job_id} of {use_case}.", "Look at the list of jobs.")
    return found


def may_have(job: BatchJob, by: Principal) -> bool:
    """Whose jobs one may read, cancel and resume: one's own; owners and administrators, who are people, all."""
    if by.id == job.caller or by.kind == "system":
        return True
    return by.kind == "person" and allowed(by, Permission.RELEASE, job.use_case)


def listed(work: Workspace, use_case: str, by: Principal | None = None) -> list[BatchJob]:
    """The newest jobs of a use case, newest first; with ``by``, those that this principal may have."""
    with work.database.reading() as connection:
        found = jobs.of_use_case(connection, use_case, _LISTED_MAX)
    return [job for job in found if by is None or may_have(job, by)]


def cancel(work: Workspace, use_case: str, job_id: str, by: Principal) -> BatchJob:
    """End a job; what it decided until then stays decided, and its worker stops after the present chunk.

    Raises:
        NotFound: there is no such job, or it is another caller's.
        Conflict: it has ended already.
    """
    find(work, use_case, job_id, by)
    with work.database.writing() as connection:
        if not jobs.cancel(connection, job_id, work.clock.now()):
            raise Conflict(f"The job {job_id} has ended already.", "Look at its state.")
        governing.record(connection, work, by, "cancel-job", use_case, {"job": job_id})
    return find(work, use_case, job_id)


def resume(work: Workspace, use_case: str, job_id: str, by: Principal) -> BatchJob:
    """Let a job that failed go on after its last whole part, once what stopped it is repaired.

    Raises:
        NotFound: there is no such job, or it is another caller's.
        Conflict: it did not fail, or so long ago that its files are gone.
    """
    job = find(work, use_case, job_id, by)
    if job.finished_at is not None and job.finished_at < work.clock.now() - FILES_KEPT:
        raise Conflict(
            f"The files of job {job_id} were kept for {FILES_KEPT.days} days after it ended.", "Submit a new one."
        )
    with work.database.writing() as connection:
        if not jobs.resume(connection, job_id):
            raise Conflict(f"The job {job_id} is {job.state}: only one that failed is resumed.", "Look at its state.")
        governing.record(connection, work, by, "resume-job", use_case, {"job": job_id})
    return find(work, use_case, job_id)


def has_result(work: Workspace, job: BatchJob) -> bool:
    """Whether there is something to fetch on this machine."""
    return job.state in ("done", "cancelled") and files.folder_of(work, job.id).is_dir()


def result(work: Workspace, job: BatchJob, wanted: Format) -> Iterator[bytes]:
    """What a job answered, in pieces.

    Raises:
        Conflict: it is not done.
        NotFound: its files are not on this machine, or not any more.
    """
    if job.state not in ("done", "cancelled"):
        raise Conflict(f"The job {job.id} is {job.state}: {job.rows_done:,} rows are done.", "Wait until it is done.")
    if not files.folder_of(work, job.id).is_dir():
        raise NotFound(
            f"The files of job {job.id} are not on this machine.",
            f"They are kept for {FILES_KEPT.days} days. Share the home directory of replicas.",
        )
    return files.result(work, job, wanted)


def run_next(work: Workspace, stopped: Callable[[], bool], pause_seconds: float = running.PAUSE_SECONDS) -> bool:
    """Take the oldest job that nobody works on, and work until it ends or ``stopped``; whether there was one."""
    now = work.clock.now()
    with work.database.reading() as connection:
        free = jobs.free(connection, now)
    ours = next((job for job in free if _can_be_done_here(work, job)), None)
    if ours is None:
        return False
    with work.database.writing() as connection:
        job = jobs.take(connection, ours, now, LEASE)
    if job is not None:
        with tracing.span("batch job") as span, tracing.unspanned():
            span.say(pilotage__use_case=job.use_case, pilotage__job=job.id)
            running.work_on(work, job, Pace(stopped, pause_seconds=pause_seconds))
    return True


def _can_be_done_here(work: Workspace, job: BatchJob) -> bool:
    """Where its questions lie, or where they are still to be read.

    A source that is read again may have other rows in another order: they would not go on where the first ones ended.
    """
    return files.questions_of(work, job).is_file() or bool(job.source and not job.fetched)


def forget_old(work: Workspace) -> int:
    """Remove the files of jobs that ended a week ago, files that no job knows after a day, as of an upload that a crash
    cut off, and jobs that ended long ago; how many folders of files went.
    """
    now = work.clock.now()
    with work.database.reading() as connection:
        old = jobs.finished_before(connection, now - FILES_KEPT)
        forgotten = jobs.finished_before(connection, now - KEPT)
        stray = files.untouched_since(work, now - _STRAY_AFTER)
        stray -= jobs.known(connection, stray)
    kept = [job_id for job_id in {*old, *stray} if files.folder_of(work, job_id).exists()]
    for job_id in kept:
        files.remove(work, job_id)
    if forgotten:
        with work.database.writing() as connection:
            jobs.remove(connection, forgotten)
    return len(kept)


class JobWorker:
    """One process's thread for jobs: it looks for one, works on it, and stops between two chunks."""

    def __init__(self, work: Workspace, every_seconds: float = 0.5) -> None:
        self._work = work
        self._every = every_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work_on, name="batch jobs", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self, seconds: float) -> None:
        """Begin nothing more, and wait so long for the present chunk."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=max(0.0, seconds))

    def _work_on(self) -> None:
        processes.stand_back(processes.FAR_BEHIND)
        outage = Outage("batch_job_interrupted")
        while not self._stopping.wait(self._every):
            try:
                while not self._stopping.is_set() and run_next(self._work, self._stopping.is_set):
                    pass
            except Exception as error:  # noqa: BLE001  the thread outlives any one job; what went wrong is recorded
                outage.failed(in_short(error))
            else:
                outage.ended()
