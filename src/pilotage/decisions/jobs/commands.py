"""The command of batch jobs: a file or a source answered in the foreground, resumed where it was interrupted."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, get_args

from cyclopts import Parameter

from pilotage.decisions import flow as deciding
from pilotage.decisions.jobs import flow, running
from pilotage.decisions.jobs.records import Asked, BatchJob, Format
from pilotage.decisions.jobs.running import Pace
from pilotage.decisions.jobs.store import Progress
from pilotage.govern.records import SYSTEM
from pilotage.platform.errors import PilotageError
from pilotage.platform.instants import as_utc
from pilotage.platform.terminal import Terminal
from pilotage.platform.workspace import Workspace, opened
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Definition

_SAID_ROWS = 10_000
_SUFFIXES: dict[str, Format] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".parquet": "parquet"}


def batch(
    use_case: str | None = None,
    *,
    file: Path | None = None,
    source: str = "",
    known_since: datetime | None = None,
    known_until: datetime | None = None,
    to: str = "",
    resume: str = "",
    json: Annotated[bool, Parameter(name="--json", help="Print JSON for machines.")] = False,
) -> None:
    """Answer every row of a file, or of a source of the use case's file, as a job that runs here and now.

    Exits with 1 when a row was refused: the result says why. A table whose columns are not those of a request is
    refused before anything is answered. Interrupted, it goes on with --resume, and nothing is decided twice.

    Args:
        use_case: Its name or file; the only one where there is one.
        file: JSON lines, CSV or Parquet.
        source: A source that the use case's file names, in place of a file.
        known_since: Of a source, the first known_at whose rows are asked about; in UTC unless it says otherwise.
        known_until: Of a source, the last one.
        to: A .parquet, .csv or .jsonl file, or the name of a target in the use case's file; else standard output.
        resume: The job to go on with.
        json: Print JSON for machines.
    """
    terminal = Terminal(json or not to)
    with opened() as work:
        definition = defining.find(work, use_case)
        target = to if to in definition.use_case.batch.targets else ""
        if to and not target:
            _format_of(Path(to), "--to", definition)
        job = _taken(work, definition, file, Asked(source=source, target=target), resume, (known_since, known_until))
        terminal.say(f"Job {job.id}.")
        job = _done(work, definition, job, terminal)
        if not target:
            _put(work, job, Path(to) if to else None)
    terminal.say(_told(job))
    if json and to:
        terminal.document(job)
    if job.rows_refused:
        raise SystemExit(1)


def _taken(
    work: Workspace,
    definition: Definition,
    file: Path | None,
    asked: Asked,
    resume: str,
    known: tuple[datetime | None, datetime | None],
) -> BatchJob:
    if sum((file is not None, bool(asked.source), bool(resume))) != 1:
        raise PilotageError("A batch is of a file, of a source or of a job.", "Give one of --file, --source, --resume.")
    if resume:
        return flow.take_up(work, definition.name, resume)
    if file is None:
        since, until = (None if at is None else as_utc(at) for at in known)
        return flow.begin(work, definition, SYSTEM, Asked("parquet", asked.source, since, until, asked.target), None)
    kind = _format_of(file, "--file")
    deciding.read_requests(file, deciding.contract_of(work, definition))  # refuses what no row of can fit
    return flow.begin(work, definition, SYSTEM, Asked(kind, target=asked.target), file)


def _done(work: Workspace, definition: Definition, job: BatchJob, terminal: Terminal) -> BatchJob:
    """The job as it ended; interrupted, it says how to go on."""
    if job.state == "done":
        return job
    try:
        with _shown(terminal, lambda: flow.rows_total(work, job)) as progress:
            running.work_on(work, job, Pace(lambda: False, progress, pause_seconds=0.0))
    except KeyboardInterrupt:
        flow.let_go(work, job)
        terminal.say(f"Go on with: pilotage batch {definition.name} --resume {job.id}")
        raise
    ended = flow.find(work, definition.name, job.id)
    if ended.state != "done":
        raise PilotageError(
            f"The job {job.id} is {ended.state} after {ended.rows_done:,} rows. {ended.error}".strip(),
            f"Once that is repaired: pilotage batch {definition.name} --resume {job.id}",
        )
    return ended


@contextmanager
def _shown(terminal: Terminal, total: Callable[[], int | None]) -> Iterator[running.Told]:
    """A line that moves where somebody looks, else a sentence now and then."""
    if not sys.stderr.isatty():

        def say(so_far: Progress) -> None:
            if so_far.rows_done % _SAID_ROWS == 0:
                terminal.say(f"{_of(so_far.rows_done, total())} …")

        yield say
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    counted = "{task.completed:,} rows, {task.fields[refused]:,} refused"
    shown = (BarColumn(), TaskProgressColumn(), TextColumn(counted), TimeElapsedColumn())
    with Bar(*shown, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, refused=0)

        def tell(so_far: Progress) -> None:
            bar.update(task, completed=so_far.rows_done, total=total(), refused=so_far.rows_refused)

        yield tell


def _of(done: int, total: int | None) -> str:
    return f"{done:,} of {total:,} rows ({done / total:.0%})" if total else f"{done:,} rows"


def _put(work: Workspace, job: BatchJob, to: Path | None) -> None:
    pieces = flow.result(work, job, "jsonl" if to is None else _SUFFIXES[to.suffix.lower()])
    if to is None:
        sys.stdout.buffer.writelines(pieces)
        sys.stdout.buffer.flush()
        return
    unseen = to.with_name(f".{to.name}.new")
    with unseen.open("wb") as stream:
        stream.writelines(pieces)
    unseen.replace(to)


def _format_of(file: Path, option: str, definition: Definition | None = None) -> Format:
    kind = _SUFFIXES.get(file.suffix.lower())
    if kind is None:
        known = ", ".join(f".{name}" for name in get_args(Format))
        targets = ", ".join(definition.use_case.batch.targets) if definition else ""
        or_target = f", or one of its targets: {targets}" if targets else ""
        raise PilotageError(f"{option} {file}: {known} were wanted.", f"Give a file that ends in {known}{or_target}.")
    return kind


def _told(job: BatchJob) -> str:
    failed = f"; of {job.rows_failed:,} the model could not answer" if job.rows_failed else ""
    written = f"; {job.rows_written:,} written to {job.target}" if job.target else ""
    answered = job.rows_done - job.rows_refused
    return f'{answered:,} answered and recorded, {job.rows_refused:,} refused (see their "problem"){failed}{written}.'
