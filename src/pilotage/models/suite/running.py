"""Running the suite: every check in turn, the user's own tests beside them, and the evidence of both."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from pilotage.models.suite.checks import CHECKS, Check
from pilotage.models.suite.judging import skipped
from pilotage.models.suite.kept import keep
from pilotage.models.suite.own import own_file, run_own
from pilotage.models.suite.preparing import Artefact, prepare
from pilotage.models.suite.records import Limits, Result, SuiteReport
from pilotage.models.suite.subject import COLUMNS_MAX, Refused, Subject
from pilotage.platform.workspace import Workspace
from pilotage.usecase.records import Definition


def run_suite(
    work: Workspace,
    definition: Definition,
    artefact: Artefact,
    say: Callable[[str], None],
    file: Path | None = None,
) -> SuiteReport:
    """Run the user's tests, then all defaults with the limits that these set, and keep what came of it as evidence.

    ``file`` holds the user's tests; without it, ``tests/model_tests.py`` beside the use-case file, if there is one.

    Raises:
        CorruptArtefact: the artefact is not what was signed.
        EvidenceMissing: there are no rows to ask, or the file's columns are others by now.
        NotFound: there is no such file of tests.
    """
    subject = prepare(work, definition, artefact)
    own = own_file(work, definition, file)
    if own is not None:
        say(f"Running {own} …")
    limits, results = run_own(work, definition, artefact, own) if own is not None else (Limits(), ())
    say(f"Asking {artefact.candidate} about {subject.held_out.num_rows:,} decisions that it has not learnt from …")
    report = SuiteReport(
        use_case=definition.name,
        candidate=artefact.candidate,
        artefact=artefact.digest,
        comparison=artefact.comparison,
        rows=subject.held_out.num_rows,
        results=(*checked(subject, limits), *results),
        limits=limits,
        made_at=work.clock.now(),
        own="" if own is None else str(own),
    )
    keep(work, definition, report)
    return report


def checked(subject: Subject, limits: Limits, checks: Sequence[Check] = CHECKS) -> tuple[Result, ...]:
    """What the defaults find of a model."""
    try:
        subject.decisions  # noqa: B018  asked here, so that a model that cannot answer at all is said once
    except Refused as refusal:
        return (Result("answers", "", "FAIL", f"The model raises on rows as they are: {refusal}."),)
    results: list[Result] = []
    for check in checks:
        began = time.perf_counter()
        for result in check(subject, limits):
            ended = time.perf_counter()
            strictly = result.outcome == "WARN" and result.check in limits.strict
            outcome = "FAIL" if strictly else result.outcome
            results.append(msgspec.structs.replace(result, outcome=outcome, seconds=round(ended - began, 4)))
            began = ended
    further = len(subject.definition.plan.columns) - len(subject.columns)
    if further > 0:
        said = f"{further:,} columns beyond the first {COLUMNS_MAX} were not changed one by one."
        results.append(skipped("further columns", said))
    return tuple(results)
