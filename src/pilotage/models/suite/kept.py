"""Reports of tests as evidence, for gates and pages."""

from __future__ import annotations

import msgspec

from pilotage.models.suite.records import SuiteReport
from pilotage.platform.workspace import Workspace
from pilotage.usecase import flow as usecase
from pilotage.usecase.records import Definition

MODEL_TESTS = "model_tests"


def keep(work: Workspace, definition: Definition, report: SuiteReport) -> None:
    """Keep a report as evidence."""
    usecase.keep_evidence(work, definition, MODEL_TESTS, msgspec.to_builtins(report))


def suite_of(work: Workspace, use_case: str, artefact: str) -> SuiteReport | None:
    """The newest tests of an artefact; None where it was never tested."""
    for evidence in usecase.evidence_history(work, use_case, MODEL_TESTS):
        if evidence.body["artefact"] == artefact:
            return msgspec.convert(evidence.body, SuiteReport)
    return None
