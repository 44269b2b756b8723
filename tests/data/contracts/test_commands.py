"""The commands of contracts, as a person types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pilotage.cli.main import run
from tests.data.contracts.promises import ORDERS, write
from tests.data.contracts.test_standard import RICH
from tests.data.shop import TEXT


@pytest.fixture
def project(tmp_path: Path, shop_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder with the shop's file, in an installation of its own."""
    monkeypatch.setenv("PILOTAGE_HOME", str(tmp_path / "home"))
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "shop.yaml").write_text(TEXT)
    return folder / "shop.yaml"


def test_checking_the_file_names_the_mistakes_of_its_contracts(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(project.parent / "contracts", orders=ORDERS.replace("min: 0", "min: 500"))
    assert run(["check", str(project)]) == 2
    assert f"{project.parent}/contracts/orders.yaml:6:31 columns.amount.min: min is 500 and max is 100." in (
        capsys.readouterr().out
    )
    assert run(["contract", "check", str(project)]) == 2
    assert "1 contract of returns: 1 with mistakes." in capsys.readouterr().out
    personal = ORDERS.replace("store: {type: text,", "store: {type: text, sensitivity: personal,")
    write(project.parent / "contracts", orders=personal)
    assert run(["contract", "check", str(project)]) == 0
    assert "warning unmasked-personal-data: store is personal and shown as it is." in capsys.readouterr().out
    assert run(["check", str(project)]) == 0
    assert "unmasked-personal-data" in capsys.readouterr().out


def test_contracts_are_drafted_beside_the_file_and_held_against_the_rows(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["sync", str(project)]) == 0
    capsys.readouterr()
    assert run(["contract", "draft", "returns", "--source", "orders"]) == 0
    assert "min: 0 # from 60 rows: 0 to 59" in capsys.readouterr().out
    assert run(["contract", "draft", "returns", "--write"]) == 0
    assert sorted(path.name for path in (project.parent / "contracts").iterdir()) == [
        "orders.yaml",
        "returns.yaml",
        "visits.yaml",
    ]
    assert run(["contract", "draft", "returns", "--write"]) == 0
    assert "Every source has a contract" in capsys.readouterr().out
    assert run(["contract", "draft", "returns", "--source", "orders", "--write"]) == 2
    assert "is there already" in capsys.readouterr().err
    assert run(["contract", "check", str(project)]) == 0
    assert run(["contract", "check", "returns"]) == 0
    assert "no rule is broken" in capsys.readouterr().out


def test_an_open_data_contract_comes_in_and_goes_out_whole(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from pilotage.data.flow.exchanging import read_standard

    assert run(["contract", "import", str(RICH), str(project), "--dry-run"]) == 0
    assert not (project.parent / "contracts").exists()
    assert run(["contract", "import", str(RICH), str(project)]) == 0
    assert "orders: amount: exclusiveMaximum, format are kept, and not checked." in capsys.readouterr().out
    assert run(["contract", "import", str(RICH), str(project)]) == 2
    capsys.readouterr()
    assert run(["contract", "export", str(project), "--json"]) == 0
    exported = capsys.readouterr().out
    assert json.dumps(json.loads(exported), sort_keys=True) == json.dumps(read_standard(RICH), sort_keys=True)
    assert run(["contract", "export", str(project), "--out", str(project.parent / "out.yaml")]) == 0
    assert read_standard(project.parent / "out.yaml") == read_standard(RICH)
    assert run(["contract", "export", str(project), "--source", "returns"]) == 2


def test_contracts_of_several_documents_go_to_a_folder(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    visits = "contract: visits\nowner: v\ncolumns: {score: {type: number}}\n"
    write(project.parent / "contracts", orders=ORDERS, visits=visits)
    assert run(["contract", "export", str(project)]) == 2
    assert "Say --source, or --out FOLDER" in capsys.readouterr().err
    assert run(["contract", "export", str(project), "--out", str(project.parent / "odcs")]) == 0
    assert sorted(p.name for p in (project.parent / "odcs").iterdir()) == ["orders.odcs.yaml", "visits.odcs.yaml"]
