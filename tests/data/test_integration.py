"""What ``init`` writes for continuous integration runs as it is, with and without data and a model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from pilotage.cli.main import run
from pilotage.data.guessing.integration import SCRIPT, WORKFLOW, files_of
from tests.models.suite.shop import shop

CODE = Path(sys.executable).parent


def project(folder: Path) -> Path:
    """A folder of orders, and what ``init`` writes for it."""
    orders = "".join(
        f"A{n:05},{n % 40 + 1},{'yes' if n % 4 == 0 else 'no'},2024-03-{n % 28 + 1:02} 08:00:00\n" for n in range(400)
    )
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "orders.csv").write_text("order_no,size,returned,placed_at\n" + orders)
    assert run(["init", "--from", str(folder / "data"), "--to", str(folder), "--name", "orders"]) == 0
    return folder


def checked(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The script, as a server would run it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PILOTAGE_")}
    return subprocess.run(
        ["bash", str(folder / SCRIPT)],
        cwd=folder.parent,
        env={**kept, "PATH": f"{CODE}:{os.environ['PATH']}", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_a_project_with_guesses_left_is_checked_and_nothing_is_trained(tmp_path: Path) -> None:
    folder = project(tmp_path / "orders")
    done = checked(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "== orders: check" in done.stdout
    assert "guesses are left in orders.yaml, so nothing is trained" in done.stdout
    assert not (folder / ".pilotage").exists()


def test_a_file_with_a_mistake_fails(tmp_path: Path) -> None:
    folder = project(tmp_path / "orders")
    (folder / "orders.yaml").write_text(
        (folder / "orders.yaml").read_text().replace("entity: order_no", "entity: order_nr")
    )
    done = checked(folder)
    assert done.returncode == 2
    assert "orders.yaml:" in done.stdout


def test_with_its_sources_at_hand_a_model_is_trained_and_tested_and_without_them_the_file_is_checked(
    tmp_path: Path,
) -> None:
    file = shop(tmp_path / "shop", files="env:SHOP_FOLDER")
    for name, text in files_of(file.read_text()).items():
        (file.parent / name).parent.mkdir(parents=True)
        (file.parent / name).write_text(text)
    without = checked(file.parent)
    assert without.returncode == 0, without.stdout + without.stderr
    assert "its sources cannot be reached from here, so no model is tested" in without.stdout
    done = checked(file.parent, SHOP_FOLDER=str(file.parent / "data"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "linear of returns: " in done.stdout
    (suite,) = ElementTree.parse(file.parent / "reports" / "returns.xml").getroot()
    assert (suite.get("failures"), int(suite.get("tests", "0")) > 10) == ("0", True)
    assert "answers" in json.loads((file.parent / "reports" / "returns.audit.json").read_text())


def test_where_an_installation_is_kept_its_live_model_is_tested(tmp_path: Path) -> None:
    folder = project(tmp_path / "orders")
    home = tmp_path / "home"
    home.mkdir()
    (home / "pilotage.db").touch()
    done = checked(folder, PILOTAGE_HOME=str(home))
    assert "== orders: test what is live" in done.stdout
    assert (done.returncode, "There is no use case orders" in done.stderr) == (2, True)


def test_where_no_use_case_is_the_script_says_so(tmp_path: Path) -> None:
    folder = project(tmp_path / "orders")
    (folder / "orders.yaml").unlink()
    done = checked(folder)
    assert (done.returncode, "There is no use-case file here" in done.stderr) == (2, True)


def test_the_workflow_installs_runs_the_script_and_keeps_the_reports() -> None:
    workflow = yaml.safe_load(files_of("database: env:SHOP_URL\n  url: env:SHOP_URL/x and env:OTHER")[WORKFLOW])
    assert set(workflow[True]) == {"pull_request", "push"}  # YAML 1.1 reads the key `on` as true
    assert workflow["permissions"] == {"contents": "read"}
    steps = workflow["jobs"]["pilotage"]["steps"]
    said = [str(step.get("uses", step.get("run"))) for step in steps]
    assert [words.split("@")[0] for words in said] == [
        "actions/checkout",
        "actions/setup-python",
        'python -m pip install "pilotage[all]" pytest',
        f"bash {SCRIPT}",
        "actions/upload-artifact",
    ]
    assert steps[3]["env"] == {"SHOP_URL": "${{ secrets.SHOP_URL }}", "OTHER": "${{ secrets.OTHER }}"}
    assert "env" not in yaml.safe_load(files_of("files: data/*.csv")[WORKFLOW])["jobs"]["pilotage"]["steps"][3]


def test_what_is_there_already_is_left_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "orders"
    (folder / "ci").mkdir(parents=True)
    (folder / SCRIPT).write_text("mine")
    project(folder)
    assert (folder / SCRIPT).read_text() == "mine"
    assert (folder / WORKFLOW).exists()
    said = capsys.readouterr().out
    assert f"There already, left as they are: {folder / SCRIPT}." in said
    assert f"For continuous integration: {folder / WORKFLOW}." in said
