"""The command that tests a model: of a version, of a candidate, or what is live."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from pilotage.models import flow as modelling
from pilotage.models.suite import SuiteReport
from pilotage.platform.counting import plural
from pilotage.platform.errors import Conflict
from pilotage.platform.terminal import Terminal
from pilotage.platform.workspace import Workspace, opened
from pilotage.releases import flow
from pilotage.releases.records import Version
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Definition

if TYPE_CHECKING:
    from pilotage.models.suite.preparing import Artefact

_FAILED = 1
_SHOWN_MAX = 40


def test(
    use_case: str | None = None,
    *,
    version: Annotated[int | None, Parameter(help="The number of a version; the live one when absent.")] = None,
    candidate: Annotated[str, Parameter(help="A candidate of the newest comparison, before it is a version.")] = "",
    tests: Annotated[Path | None, Parameter(help="Your own tests; tests/model_tests.py when absent.")] = None,
    junit: Annotated[Path | None, Parameter(help="Write the results there as JUnit XML.")] = None,
    json: Annotated[bool, Parameter(help="Print JSON for machines.")] = False,
) -> None:
    """Test a model like software: how it takes missing, strange and shifted values, and your own tests in Python."""
    from pilotage.models.suite.junit import junit_xml
    from pilotage.models.suite.running import run_suite

    terminal = Terminal(json)
    if version is not None and candidate:
        raise Conflict("A version and a candidate were given.", "Give one of the two.")
    with opened() as work:
        definition = defining.find(work, use_case)
        tested = _tested(work, definition, version, candidate)
        report = run_suite(work, definition, tested, terminal.say, tests)
        following = _following(work, definition, tested, version)
    if junit is not None:
        junit.parent.mkdir(parents=True, exist_ok=True)
        junit.write_bytes(junit_xml(report))
    _show(terminal, report)
    terminal.document(report)
    if not report.passed:
        raise SystemExit(_FAILED)
    terminal.next(f"pilotage {following}")


def _tested(work: Workspace, definition: Definition, number: int | None, candidate: str) -> Artefact:
    """The artefact that is meant."""
    from pilotage.models.suite.preparing import Artefact, candidate_of

    def of(version: Version) -> Artefact:
        return Artefact(version.candidate, version.artefact, version.signature, version.comparison)

    if number is not None:
        return of(flow.version_number(work, definition.name, number))
    live = flow.live(work, definition.name)
    if candidate or live.version is None:
        return candidate_of(work, definition, candidate)
    return of(flow.version(work, live.version))


def _following(work: Workspace, definition: Definition, tested: Artefact, number: int | None) -> str:
    """What can be done with a model that holds: ask the gates where it is live, release it where that is allowed."""
    name, live = definition.name, flow.live(work, definition.name)
    if live.version is not None and flow.version(work, live.version).artefact == tested.digest:
        return f"gate {name}"
    if number is not None:
        return f"release {name} --number {number}"
    comparison = modelling.latest_comparison(work, name)
    is_recommended = comparison is not None and comparison.artefacts.get(comparison.recommended) == tested.digest
    return f"release {name}" if is_recommended else f"compare {name}"


def _show(terminal: Terminal, report: SuiteReport) -> None:
    from pilotage.models.suite.junit import told

    odd = [result for result in report.results if result.outcome in ("FAIL", "WARN")]
    for result in odd[:_SHOWN_MAX]:
        terminal.say(f"{result.outcome} {result.name}: {told(result)}")
    if len(odd) > _SHOWN_MAX:
        terminal.say(f"And {len(odd) - _SHOWN_MAX:,} more: --junit FILE or --json names them all.")
    own = f", with your tests in {report.own}" if report.own else ""
    terminal.say(
        f"{report.candidate} of {report.use_case}: {plural(report.counted('PASS'), 'check')} passed, "
        f"{report.counted('WARN')} with a warning, {report.counted('FAIL')} failed, "
        f"{report.counted('SKIPPED')} did not apply{own}."
    )
