"""A job at work: its questions answered chunk by chunk, then written where they should go.

The identifier of each decision follows from the job's seed and the row's number, and the ledger takes each identifier
once. So a chunk that is repeated after a crash, or by two workers at once, decides nothing twice: the result is always
what the ledger holds.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import duckdb
import msgspec
import structlog
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from pilotage.data import flow as data
from pilotage.data.records import Span
from pilotage.decisions import flow, rules, store
from pilotage.decisions.answering.serving import Question, Serving, open_serving
from pilotage.decisions.durable import draining
from pilotage.decisions.jobs import files, targets
from pilotage.decisions.jobs import store as jobs
from pilotage.decisions.jobs.files import JobRow
from pilotage.decisions.jobs.records import BatchJob, State
from pilotage.decisions.jobs.store import Progress
from pilotage.decisions.records import UNUSED_REASONS, Decision
from pilotage.govern.records import Principal
from pilotage.platform.beating import LEASE, beating
from pilotage.platform.errors import Conflict, InvalidRequest, PilotageError, in_short
from pilotage.platform.identifiers import new_id
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Definition

CHUNK_ROWS = 1_000
_SCORED_AT_ONCE = 200
_PAUSE_ROWS = 4
PAUSE_SECONDS = 0.0002
"""After some rows, where others live in the same process: who needs its interpreter gets it then, not 5 ms later."""
_PASSING = (OperationalError, InterfaceError, InternalError, NoConnectionFree)
"""What the control database says when it is away, busy or read-only: the job is taken up again, by whoever looks next.
What its target or its source says comes in words of ours.
"""
_FAILED = {
    "open": "What answers cannot be opened",
    "fetch": "The source cannot be read",
    "read": "The questions cannot be read",
    "answer": "The questions cannot be answered",
    "keep": "The result cannot be kept",
    "write": "The target cannot be written",
}
"""What the owner of a job reads, by the step at which it failed."""

log = structlog.get_logger()


Told = Callable[[Progress], None]


class Pace(msgspec.Struct, frozen=True):
    """How a job is worked on: who may stop it, who hears how far it is, and how long it pauses for others."""

    stopped: Callable[[], bool]
    progress: Told = lambda progress: None
    pause_seconds: float = PAUSE_SECONDS


def work_on(work: Workspace, job: BatchJob, pace: Pace) -> None:
    """Work on a job that this process holds, until it ends or is stopped; its lease is renewed meanwhile."""
    with beating(lambda: _renew(work, job), job.id) as lost:
        running = _Running(work, job, pace, lost)
        try:
            running.run()
        except _PASSING:
            raise
        except Exception as error:  # noqa: BLE001  what cannot succeed must not be tried for ever: its owner is told
            message = _said(error, running.step).replace(str(files.questions_of(work, job)), "The file")
            log.error("batch_job_failed", job=job.id, step=running.step, error=in_short(error))
            _end(work, job, "failed", message)


def _said(error: Exception, step: str) -> str:
    """What the owner may read of a failure: never what an error quotes, nor where our files lie."""
    if isinstance(error, PilotageError):
        return error.message
    if isinstance(error, OSError) and error.errno is not None:
        return f"{_FAILED[step]}: {os.strerror(error.errno)}."
    if isinstance(error, (duckdb.Error, UnicodeDecodeError, OSError)):
        return f"{_FAILED[step]}."
    return f"{_FAILED[step]}: {type(error).__name__}. The log of that moment says where."


class _Running:
    """One job at work."""

    def __init__(self, work: Workspace, job: BatchJob, pace: Pace, lost: threading.Event) -> None:
        self._work, self._job, self._pace, self._lost = work, job, pace, lost
        self._by = Principal(job.caller, job.caller_name, "key")
        self.step = "open"

    def run(self) -> None:
        work, job = self._work, self._job
        definition = releasing.answering(work, defining.find_adopted(work, job.use_case))
        self.step = "fetch"
        if not self._fetch(definition):
            return
        done = self._answer_all(definition)
        if done is None or not self._is_ours():
            return
        self.step = "write"
        self._demand_whole(done)
        written = targets.write(work, definition, job, self._is_ours) if job.target else 0
        _end(work, job, "done", written=written)

    def _fetch(self, definition: Definition) -> bool:
        """Read the source into the job's folder, once: whoever takes the job over asks the same questions.

        False where the job is not this worker's any more.
        """
        path = files.questions_of(self._work, self._job)
        if self._job.source and not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            span = Span(self._job.known_since, self._job.known_until)
            data.keep_questions(definition, self._job.source, span, path)
            files.keep_upload(path)
        if not self._job.source or self._job.fetched:
            return True
        with self._work.database.writing() as connection:
            return jobs.fetched(connection, self._job)

    def _is_ours(self) -> bool:
        """Whether nobody cancelled the job or took it over."""
        return not self._lost.is_set() and _renew(self._work, self._job)

    def _demand_whole(self, rows_done: int) -> None:
        """That every row's answer lies here: a part that is missing would be missing in the target, and nobody told."""
        kept = files.kept_rows(self._work, self._job)
        if kept != rows_done:
            raise Conflict(
                f"Of {rows_done:,} answered rows {kept:,} are in the result's files on this machine.",
                "Their decisions are in the ledger. Submit the job again.",
            )

    def _answer_all(self, definition: Definition) -> int | None:
        """Answer the rows that are left; how many there are in all, None where this worker had to stop."""
        work, job = self._work, self._job
        self.step = "open"
        serving = open_serving(work, definition, data.open_live(work, definition))
        self.step = "read"
        so_far = Progress(job.rows_done, job.rows_refused, job.rows_failed)
        questions = files.questions_of(work, job)
        rows = flow.read_requests(questions, serving.contract)
        if files.noted_rows(work, job) is None:
            files.note_rows(work, job, flow.count_requests(questions))
        left = itertools.islice(rows, so_far.rows_done, None)
        while chunk := self._chunk(left):
            if self._pace.stopped():
                self._put_back()
                return None
            serving = self._present(serving)
            answered, failed = self._answer(serving, chunk, so_far.rows_done)
            self.step = "keep"
            files.write_part(work, job, answered)
            refused = sum(row.status != 200 for row in answered)
            so_far = Progress(so_far.rows_done + len(chunk), so_far.rows_refused + refused, so_far.rows_failed + failed)
            with work.database.writing() as connection:
                if not jobs.advance(connection, job, so_far, work.clock.now() + LEASE):
                    return None
            self._pace.progress(so_far)
        return so_far.rows_done

    def _chunk(self, left: Iterator[bytes | InvalidRequest]) -> list[bytes | InvalidRequest]:
        self.step = "read"
        chunk = list(itertools.islice(left, CHUNK_ROWS))
        self.step = "answer"
        return chunk

    def _present(self, serving: Serving) -> Serving:
        """What answers now: the switch and a release act in the middle of a job, too."""
        work, definition = self._work, serving.definition
        if releasing.revisions(work).get(definition.name, 0) == serving.live.revision:
            return serving
        present = releasing.answering(work, defining.find_adopted(work, definition.name))
        if present.shape == definition.shape:
            return open_serving(work, definition, serving.columns, serving)
        return open_serving(work, present, data.open_live(work, present))

    def _answer(self, serving: Serving, chunk: Sequence[bytes | InvalidRequest], done: int) -> tuple[list[JobRow], int]:
        """The rows of a chunk with their answers, and of how many the model was asked in vain."""
        ids = [self._id_of(done + place) for place in range(len(chunk))]
        before = self._known(ids) if self._job.lease > 1 else {}
        asked, problems = self._questions(serving, ids, chunk, before)
        decided = self._decided(serving, asked)
        new = draining.keep_decided(self._work, [(each, store.encode(each)) for each in decided])
        # What another worker decided meanwhile is what counts.
        known = before | ({each.id: each for each in decided} if new == len(decided) else self._known(ids))
        rows = [
            JobRow(done + place + 1, 200, rules.answer_of(known[name]))
            if name in known
            else JobRow(done + place + 1, 422, problem=problems[name])
            for place, name in enumerate(ids)
        ]
        return rows, sum(_has_failed(each) for each in known.values())

    def _questions(
        self, serving: Serving, ids: Sequence[str], chunk: Sequence[bytes | InvalidRequest], before: dict[str, Decision]
    ) -> tuple[list[tuple[str, Question]], dict[str, str]]:
        """What is asked and not decided yet, by identifier; and what is wrong with the other rows."""
        asked: list[tuple[str, Question]] = []
        problems: dict[str, str] = {}
        for name, row in zip(ids, chunk, strict=True):
            if name in before:
                continue
            if isinstance(row, InvalidRequest):
                problems[name] = flow.told(row)
                continue
            try:
                asked.append((name, serving.ask(row, self._work.clock.now())))
            except InvalidRequest as error:
                problems[name] = flow.told(error)
            self._give_way(len(asked))
        return asked, problems

    def _decided(self, serving: Serving, asked: Sequence[tuple[str, Question]]) -> list[Decision]:
        found = []
        for start in range(0, len(asked), _SCORED_AT_ONCE):
            some = asked[start : start + _SCORED_AT_ONCE]
            opinions = serving.opinions([question for _, question in some])
            for (name, question), opinion in zip(some, opinions, strict=True):
                decision = serving.decide(question, opinion, self._by, self._work.clock.now())
                found.append(msgspec.structs.replace(decision, id=name, job=self._job.id))
                self._give_way(len(found))
        return found

    def _give_way(self, count: int) -> None:
        if self._pace.pause_seconds and count % _PAUSE_ROWS == 0:
            time.sleep(self._pace.pause_seconds)

    def _known(self, ids: Sequence[str]) -> dict[str, Decision]:
        with self._work.database.reading() as connection:
            return {each.id: each for each in store.find_all(connection, ids)}

    def _id_of(self, row: int) -> str:
        drawn = hashlib.sha256(self._job.seed + row.to_bytes(8, "big")).digest()
        return new_id("dec", self._job.made_at, drawn)

    def _put_back(self) -> None:
        """This process stops: another one, or this after its restart, goes on at once."""
        with self._work.database.writing() as connection:
            jobs.put_back(connection, self._job)


def _has_failed(decision: Decision) -> bool:
    """Whether the model was asked and had no answer, or none that could be used."""
    return bool(decision.model_failure) or decision.reason in UNUSED_REASONS


def _renew(work: Workspace, job: BatchJob) -> bool:
    with work.database.writing() as connection:
        return jobs.renew(connection, job, work.clock.now() + LEASE)


def _end(work: Workspace, job: BatchJob, state: State, error: str = "", written: int = 0) -> None:
    with work.database.writing() as connection:
        jobs.finish(connection, job, state, work.clock.now(), error, written)
