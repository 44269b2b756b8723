"""Jobs: taken in, answered chunk by chunk, resumed by another worker where one died, cancelled, forgotten.

The identifier of each decision follows from the job's seed and the row's number, and the ledger takes each identifier
once. So a chunk that is repeated after a crash, or by two workers at once, decides nothing twice: the result is always
what the ledger holds.
"""

from __future__ import annotations

import hashlib
import itertools
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

import duckdb
import msgspec
import structlog

from pilotage.data import flow as data
from pilotage.decisions import draining, flow, rules, store
from pilotage.decisions.jobs import files
from pilotage.decisions.jobs import store as jobs
from pilotage.decisions.jobs.files import JobRow
from pilotage.decisions.jobs.records import BatchJob, Format, State
from pilotage.decisions.records import Answer
from pilotage.decisions.serving import Serving, open_serving
from pilotage.govern import flow as governing
from pilotage.govern.records import Principal
from pilotage.platform.errors import Conflict, InvalidRequest, NotFound, PilotageError, TooMany
from pilotage.platform.identifiers import new_id
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Definition

CHUNK_ROWS = 500
LEASE = timedelta(seconds=60)
KEPT = timedelta(days=7)
OPEN_MAX = 20
"""Jobs of a use case that wait or run."""
_LISTED_MAX = 200
_PAUSE_SECONDS = 0.0002
"""After each row: whoever else needs this process's interpreter gets it then, and not 5 ms later."""
_UNREADABLE = (duckdb.Error, UnicodeDecodeError, PilotageError)

log = structlog.get_logger()


def named(work: Workspace) -> str:
    """An identifier for a job whose upload is about to come."""
    return new_id("job", work.clock.now())


def submit(work: Workspace, use_case: str, by: Principal, kind: Format, job_id: str) -> BatchJob:
    """Take a job in whose upload lies in its folder.

    Raises:
        TooMany: so many jobs of this use case wait already.
    """
    now = work.clock.now()
    job = BatchJob(
        id=job_id,
        use_case=use_case,
        caller=by.id,
        caller_name=by.name,
        format=kind,
        state="waiting",
        rows_done=0,
        rows_refused=0,
        made_at=now,
        started_at=None,
        finished_at=None,
        error="",
        seed=secrets.token_bytes(16),
        lease=0,
    )
    with work.database.writing() as connection:
        if jobs.count_open(connection, use_case) >= OPEN_MAX:
            raise TooMany(f"{OPEN_MAX} jobs of {use_case} wait already.", "Wait for one, or cancel one.")
        jobs.add(connection, job)
        governing.record(connection, work, by, "submit-job", use_case, {"job": job.id, "format": kind})
    return job


def find(work: Workspace, use_case: str, job_id: str) -> BatchJob:
    """One job of a use case.

    Raises:
        NotFound: it has none with this identifier.
    """
    with work.database.reading() as connection:
        found = jobs.find(connection, job_id)
    if found is None or found.use_case != use_case:
        raise NotFound(f"There is no job {job_id} of {use_case}.", "Look at the list of jobs.")
    return found


def listed(work: Workspace, use_case: str) -> list[BatchJob]:
    """The newest jobs of a use case, newest first."""
    with work.database.reading() as connection:
        return jobs.of_use_case(connection, use_case, _LISTED_MAX)


def cancel(work: Workspace, use_case: str, job_id: str, by: Principal) -> BatchJob:
    """End a job; what it decided until then stays decided, and its worker stops after the present chunk.

    Raises:
        NotFound: there is no such job.
        Conflict: it has ended already.
    """
    find(work, use_case, job_id)
    with work.database.writing() as connection:
        if not jobs.cancel(connection, job_id, work.clock.now()):
            raise Conflict(f"The job {job_id} has ended already.", "Look at its state.")
        governing.record(connection, work, by, "cancel-job", use_case, {"job": job_id})
    return find(work, use_case, job_id)


def result(work: Workspace, use_case: str, job_id: str, wanted: Format) -> Iterator[bytes]:
    """What a job answered, in pieces.

    Raises:
        Conflict: it is not done.
        NotFound: there is no such job, or its files are not on this machine.
    """
    job = find(work, use_case, job_id)
    if job.state not in ("done", "cancelled"):
        raise Conflict(f"The job {job_id} is {job.state}: {job.rows_done:,} rows are done.", "Wait until it is done.")
    if not files.folder_of(work, job_id).is_dir():
        raise NotFound(f"The files of job {job_id} are not on this machine.", "Share the home directory of replicas.")
    return files.result(work, job, wanted)


def run_next(work: Workspace, stopped: Callable[[], bool]) -> bool:
    """Take the oldest job that nobody works on, and work until it ends or ``stopped``; whether there was one."""
    now = work.clock.now()
    with work.database.reading() as connection:
        free = jobs.free(connection, now)
    ours = next((job for job in free if files.upload_of(work, job).is_file()), None)
    if ours is None:
        return False
    with work.database.writing() as connection:
        job = jobs.take(connection, ours, now, LEASE)
    if job is None:
        return True
    try:
        _Running(work, job, stopped).run()
    except _UNREADABLE as error:
        message = error.message if isinstance(error, PilotageError) else "The uploaded file cannot be read."
        log.error("batch_job_failed", job=job.id, error=f"{type(error).__name__}: {error}")
        _end(work, job, "failed", message)
    return True


def forget_old(work: Workspace) -> int:
    """Remove jobs that ended a week ago, with their files; their decisions stay in the ledger."""
    with work.database.reading() as connection:
        old = jobs.finished_before(connection, work.clock.now() - KEPT)
    for job_id in old:
        files.remove(work, job_id)
        with work.database.writing() as connection:
            jobs.remove(connection, job_id)
    return len(old)


class _Running:
    """One job at work."""

    def __init__(self, work: Workspace, job: BatchJob, stopped: Callable[[], bool]) -> None:
        self._work, self._job, self._stopped = work, job, stopped
        self._by = Principal(job.caller, job.caller_name, "key")

    def run(self) -> None:
        work, job = self._work, self._job
        definition = defining.find_adopted(work, job.use_case)
        columns = data.open_live(work, definition)
        serving = open_serving(work, definition, columns)
        done, refused = job.rows_done, job.rows_refused
        rows = itertools.islice(flow.read_requests(files.upload_of(work, job), serving.contract), done, None)
        while chunk := list(itertools.islice(rows, CHUNK_ROWS)):
            if self._stopped():
                self._put_back()
                return
            serving = self._present(serving, definition)
            answered = self._answer(serving, chunk, done)
            files.write_part(work, job, answered)
            done += len(chunk)
            refused += sum(row.status != 200 for row in answered)
            with work.database.writing() as connection:
                if not jobs.advance(connection, job, done, refused, work.clock.now() + LEASE):
                    return
        _end(work, job, "done")

    def _present(self, serving: Serving, definition: Definition) -> Serving:
        """What answers now: the switch and a release act in the middle of a job, too."""
        revision = releasing.revisions(self._work).get(definition.name, 0)
        if revision == serving.live.revision:
            return serving
        return open_serving(self._work, definition, serving.columns, serving)

    def _answer(self, serving: Serving, chunk: Sequence[bytes], done: int) -> list[JobRow]:
        ids = [self._id_of(done + place) for place in range(len(chunk))]
        known = self._known(ids)
        problems: dict[str, str] = {}
        contents = []
        for name, row in zip(ids, chunk, strict=True):
            if name in known:
                continue
            now = self._work.clock.now()
            try:
                question = serving.ask(row, now)
            except InvalidRequest as error:
                problems[name] = "; ".join(str(each) for each in error.problems) or error.message
                continue
            decision = serving.decide(question, serving.score(question), self._by, now)
            contents.append(store.encode(msgspec.structs.replace(decision, id=name)))
            time.sleep(_PAUSE_SECONDS)
        draining.keep(self._work, contents)
        known = self._known(ids)
        return [
            JobRow(done + place + 1, 200, known[name])
            if name in known
            else JobRow(done + place + 1, 422, problem=problems[name])
            for place, name in enumerate(ids)
        ]

    def _known(self, ids: Sequence[str]) -> dict[str, Answer]:
        with self._work.database.reading() as connection:
            return {each.id: rules.answer_of(each) for each in store.find_all(connection, ids)}

    def _id_of(self, row: int) -> str:
        drawn = hashlib.sha256(self._job.seed + row.to_bytes(8, "big")).digest()
        return new_id("dec", self._job.made_at, drawn)

    def _put_back(self) -> None:
        """This process stops: another one, or this after its restart, goes on at once."""
        with self._work.database.writing() as connection:
            jobs.put_back(connection, self._job)


class JobWorker:
    """One process's thread for jobs: it looks for one, works on it, and stops between two chunks."""

    def __init__(self, work: Workspace, every_seconds: float = 0.5) -> None:
        self._work = work
        self._every = every_seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work_on, name="batch jobs", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=30)

    def _work_on(self) -> None:
        while not self._stopping.wait(self._every):
            try:
                while not self._stopping.is_set() and run_next(self._work, self._stopping.is_set):
                    pass
            except Exception as error:  # noqa: BLE001  the thread outlives any one job; what went wrong is recorded
                log.error("batch_job_interrupted", error=f"{type(error).__name__}: {error}")


def _end(work: Workspace, job: BatchJob, state: State, error: str = "") -> None:
    with work.database.writing() as connection:
        jobs.finish(connection, job, state, work.clock.now(), error)
