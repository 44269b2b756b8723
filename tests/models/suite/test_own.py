"""The user's file runs in a process of its own, through the command, and whatever becomes of it is said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest

from pilotage.cli.main import run
from pilotage.models import flow
from pilotage.models.suite.kept import suite_of
from pilotage.models.suite.own import own_file, run_own
from pilotage.models.suite.preparing import candidate_of
from pilotage.platform.errors import NotFound
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.usecase import flow as usecase
from tests.models.suite.shop import shop

Captured = pytest.CaptureFixture[str]
HEAD = """
import pytest

from pilotage.models.suite import Limits, assert_answer, assert_direction, assert_invariant
from pilotage.models.suite import assert_no_worse, assert_right
"""
HOLDS = (
    HEAD
    + """
limits = Limits(drift=0.01, drift_by=0.25, strict=("drift",))


def test_a_very_large_order_is_looked_at(model):
    assert_answer(model, {"size": 59, "channel": "app"}, "positive")


def test_who_orders_does_not_matter(model, held_out):
    assert_invariant(model, held_out, lambda row: {"customer": "known"}, at_most=0.1)


def test_larger_orders_come_back_more_often(model, held_out):
    assert_direction(model, held_out, "size", "rises", by=5)


def test_on_the_phone_it_is_no_worse_than_the_rule(model, rule, held_out):
    assert_no_worse(model, rule, held_out, where=lambda row: row["channel"] == "phone", margin=0.05)


def test_it_is_right_more_often_than_not(model, held_out, use_case):
    assert use_case.name == "returns"
    assert_right(model, held_out, at_least=0.5)
"""
)
FAILS = (
    HEAD
    + """
def test_large_orders_stay(model, held_out):
    assert_direction(model, held_out, "size", "falls")


@pytest.mark.skip(reason="not yet")
def test_later(): ...


@pytest.fixture
def broken():
    raise RuntimeError("write to max.mustermann@example.org")


def test_with_a_broken_fixture(broken): ...
"""
)


@dataclass(frozen=True)
class Project:
    """A shop with a trained model, and its installation."""

    folder: Path
    work: Workspace

    def own(self, text: str) -> Path:
        """The user's tests say this."""
        path = self.folder / "tests" / "model_tests.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path


@pytest.fixture(scope="module")
def trained_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    folder = tmp_path_factory.mktemp("shop") / "project"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PILOTAGE_HOME", str(folder / ".pilotage"))
        file = shop(folder)
        assert [run([*words, str(file)]) for words in (["sync"], ["build"], ["train"])] == [0, 0, 0]
        work = open_workspace(Settings(home=folder / ".pilotage"))
        yield Project(folder, work)
        work.close()


@pytest.fixture
def project(trained_shop: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    # The plugins that are installed here beside pytest take longer to import than the user's tests to run.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    yield trained_shop
    (trained_shop.folder / "tests" / "model_tests.py").unlink(missing_ok=True)


def test_without_a_file_of_ones_own_the_defaults_are_run(project: Project, capsys: Captured) -> None:
    assert run(["test", "returns"]) == 0
    said = capsys.readouterr().out
    assert "linear of returns: " in said and " 0 failed" in said
    assert "Next: pilotage release returns" in said


def test_where_the_rule_stays_no_release_is_advised_that_would_be_refused(
    project: Project, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    comparison = flow.latest_comparison(project.work, "returns")
    assert comparison is not None
    kept = msgspec.structs.replace(comparison, recommended="rule", verdict="keep_rule", sliced="linear")
    monkeypatch.setattr(flow, "latest_comparison", lambda work, name: kept)
    assert run(["test", "returns"]) == 0
    assert "Next: pilotage compare returns" in capsys.readouterr().out


def test_ones_own_tests_are_found_beside_the_file_and_set_the_limits(
    project: Project, capsys: Captured, tmp_path: Path
) -> None:
    own = project.own(HOLDS)
    junit = tmp_path / "reports" / "returns.xml"
    code = run(["test", "returns", "--json", "--junit", str(junit)])
    said = json.loads(capsys.readouterr().out)
    found = {(one["check"], one["column"]): one["outcome"] for one in said["results"]}
    mine = {column: outcome for (check, column), outcome in found.items() if check == "own"}
    assert mine == {
        "test_a_very_large_order_is_looked_at": "PASS",
        "test_who_orders_does_not_matter": "PASS",
        "test_larger_orders_come_back_more_often": "PASS",
        "test_on_the_phone_it_is_no_worse_than_the_rule": "PASS",
        "test_it_is_right_more_often_than_not": "PASS",
    }
    assert (said["own"], said["limits"]["drift_by"]) == (str(own), 0.25)
    assert (found["drift", "size"], code) == ("FAIL", 1)  # a shift of a quarter changes more than 1 % of decisions
    names = [case.get("name") for case in ElementTree.fromstring(junit.read_bytes()).iter("testcase")]
    assert len(names) == len(said["results"])
    assert "own:test_who_orders_does_not_matter" in names
    kept = suite_of(project.work, "returns", said["artefact"])
    assert kept is not None and len(kept.results) == len(names)


def test_ones_own_failing_test_fails_the_command_and_shows_why(project: Project, capsys: Captured) -> None:
    project.own(FAILS)
    assert run(["test", "returns"]) == 1
    said = capsys.readouterr().out
    assert "FAIL own:test_large_orders_stay: AssertionError: The prediction should only have fallen with size" in said
    assert "customer = •••" in said
    assert "FAIL own:test_with_a_broken_fixture: RuntimeError: write to" in said
    assert "mustermann" not in said


def test_a_file_that_cannot_be_read_is_a_failure(project: Project, capsys: Captured) -> None:
    project.own("def broken(:\n")
    assert run(["test", "returns"]) == 1
    assert "model_tests.py cannot be run" in capsys.readouterr().out


def test_a_file_of_limits_alone_is_enough(project: Project, capsys: Captured) -> None:
    project.own("from pilotage.models.suite import Limits\n\nlimits = Limits(noise=0.9)\n")
    assert run(["test", "returns", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["limits"]["noise"] == 0.9


def test_tests_that_never_end_are_stopped(project: Project) -> None:
    file = project.own("import time\n\n\ndef test_for_ever():\n    time.sleep(600)\n")
    definition = usecase.find(project.work, "returns")
    artefact = candidate_of(project.work, definition)
    _, (result,) = run_own(project.work, definition, artefact, file, seconds=1)
    assert (result.outcome, result.sentence) == ("FAIL", "model_tests.py did not end within 1 s.")


def test_a_file_given_that_is_not_there_is_said(project: Project) -> None:
    with pytest.raises(NotFound, match=r"There is no file elsewhere\.py"):
        own_file(project.work, usecase.find(project.work, "returns"), Path("elsewhere.py"))


def test_the_file_runs_with_pytest_alone(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    file = project.own('pytest_plugins = ["pilotage.models.suite.fixtures"]\n' + HOLDS)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(file)],
        cwd=project.folder,
        env={**os.environ, "PILOTAGE_HOME": str(project.work.home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "5 passed" in done.stdout, done.stdout + done.stderr


def test_a_version_and_a_candidate_at_once_are_refused(project: Project, capsys: Captured) -> None:
    assert run(["test", "returns", "--version", "1", "--candidate", "linear"]) == 2
    assert "A version and a candidate were given" in capsys.readouterr().err
    assert run(["test", "returns", "--version", "7"]) == 2
    assert "returns has no version 7" in capsys.readouterr().err
    assert run(["test", "returns", "--candidate", "forest"]) == 2
    assert "There is no model forest" in capsys.readouterr().err
