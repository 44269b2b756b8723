"""The plug-in of pytest for the user's tests: what it hands out, and what it leaves behind for ``pilotage test``.

``pilotage test`` loads it. To run the file with pytest alone, it begins with
``pytest_plugins = ["pilotage.models.suite.fixtures"]``; then the newest comparison's model is tested.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pilotage.govern.rules.masking import masked_text
from pilotage.models.suite.asking import TestedModel, TestedRule
from pilotage.models.suite.own import CHECK, OwnTests
from pilotage.models.suite.preparing import Artefact, candidate_of, held_out_rows, prepare
from pilotage.models.suite.records import Limits, Result
from pilotage.platform.workspace import Workspace, opened
from pilotage.usecase import flow as usecase
from pilotage.usecase.records import Definition

_OPTIONS = {
    "--pilotage-use-case": "the use case whose model is tested",
    "--pilotage-artefact": "the artefact that is tested, as JSON",
    "--pilotage-report": "where the results go, as JSON",
}
_SENTENCE_MAX = 600
_found: list[Result] = []
_limits: list[Limits] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    """What ``pilotage test`` says to its child."""
    group = parser.getgroup("pilotage")
    for name, says in _OPTIONS.items():
        group.addoption(name, default="", help=says)


@pytest.fixture(scope="session")
def use_case(pytestconfig: pytest.Config, installation: Workspace) -> Definition:
    """The use case."""
    return usecase.find(installation, str(pytestconfig.getoption("--pilotage-use-case", "")) or None)


@pytest.fixture(scope="session")
def installation() -> Iterator[Workspace]:
    """The installation that the environment names (``PILOTAGE_HOME``)."""
    with opened() as work:
        yield work


@pytest.fixture(scope="session")
def artefact(pytestconfig: pytest.Config, installation: Workspace, use_case: Definition) -> Artefact:
    """Which model it is."""
    given = str(pytestconfig.getoption("--pilotage-artefact", ""))
    return msgspec.json.decode(given, type=Artefact) if given else candidate_of(installation, use_case)


@pytest.fixture(scope="session")
def model(installation: Workspace, use_case: Definition, artefact: Artefact) -> TestedModel:
    """The model."""
    return TestedModel(prepare(installation, use_case, artefact))


@pytest.fixture(scope="session")
def held_out(installation: Workspace, use_case: Definition, artefact: Artefact) -> list[dict[str, Any]]:
    """Rows that the model has not learnt from, as dicts: the inputs and ``label``."""
    return held_out_rows(installation, use_case, artefact).to_pylist()  # type: ignore[no-any-return]


@pytest.fixture(scope="session")
def rule(use_case: Definition) -> TestedRule:
    """Today's rule."""
    return TestedRule(use_case)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Takes note of the limits that a file sets, whether or not it has tests."""
    report = yield
    if isinstance(collector, pytest.Module) and report.passed:
        found = getattr(collector.obj, "limits", None)
        _limits.extend([found] if isinstance(found, Limits) else [])
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Takes note of each test once: of its call, or of what kept it from being called."""
    if report.when != "call" and report.outcome == "passed":
        return
    name = report.nodeid.partition("::")[2]
    if report.outcome == "passed":
        _found.append(Result(CHECK, name, "PASS", f"{name} passed.", seconds=report.duration))
    elif report.outcome == "skipped":
        _found.append(Result(CHECK, name, "SKIPPED", _sentence(report), seconds=report.duration))
    else:
        _found.append(Result(CHECK, name, "FAIL", _sentence(report), seconds=report.duration))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leaves the results where ``pilotage test`` looks for them."""
    place = str(session.config.getoption("--pilotage-report", ""))
    if place:
        limits = _limits[0] if _limits else Limits()
        Path(place).write_bytes(msgspec.json.encode(OwnTests(limits, tuple(_found))))


def _sentence(report: pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):
        said = str(report.longrepr[2])
    else:
        crash = getattr(report.longrepr, "reprcrash", None)
        said = str(crash.message if crash is not None else report.longrepr)
    return masked_text(said[:_SENTENCE_MAX])
