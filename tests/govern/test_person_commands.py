"""``pilotage person``: what the host does with people, as typed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pilotage.cli.main import run
from pilotage.govern import flow
from pilotage.govern.records import Grant, Role
from pilotage.platform.workspace import Workspace


@pytest.fixture
def here(work: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("PILOTAGE_HOME", str(work.home))
    return work


def said(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_a_person_is_added_given_roles_and_shut_out(here: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["person", "add", "anna", "--role", "viewer", "--use-case", "late_arrival", "--json"]) == 0
    password = said(capsys)["password"]
    token = flow.log_in(here, "anna", password)
    assert run(["person", "give", "anna", "--role", "operator", "--use-case", "late_arrival"]) == 0
    assert "anna is operator of late_arrival now" in capsys.readouterr().out
    assert flow.principal_of_session(here, token) is None
    assert run(["person", "take", "anna", "--role", "viewer", "--use-case", "late_arrival"]) == 0
    capsys.readouterr()
    assert run(["person", "list", "--json"]) == 0
    (anna,) = said(capsys)
    assert anna["grants"] == [{"role": "operator", "use_case": "late_arrival"}] and anna["second_factor"] is False
    assert run(["person", "reset-password", "anna", "--json"]) == 0
    fresh = said(capsys)["password"]
    assert fresh != password and flow.log_in(here, "anna", fresh)
    assert run(["person", "disable", "anna"]) == 0
    assert run(["person", "list"]) == 0
    assert "disabled" in capsys.readouterr().out
    deeds = ("add-person", "give-role", "take-role", "reset-password", "disable-person")
    assert all(len(list(flow.entries(here, deed))) == 1 for deed in deeds)


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("person give nobody --role viewer", "There is no person named nobody"),
        ("person add anna --role auditor --use-case late_arrival", "for the whole installation"),
        ("person reset-second-factor nobody", "There is no person named nobody"),
        ("person link nobody sub", "PILOTAGE_OIDC_ISSUER is not set"),
        ("person give anna --role emperor", "role"),
    ],
)
def test_what_cannot_be_done_is_told(
    here: Workspace, capsys: pytest.CaptureFixture[str], typed: str, wanted: str
) -> None:
    assert run(typed.split()) == 2
    assert wanted in capsys.readouterr().err


def test_the_only_admin_is_kept(here: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    flow.first_start(here)
    assert run(["person", "take", "admin", "--role", "admin"]) == 2
    assert "only admin" in capsys.readouterr().err
    assert flow.person_named(here, "admin").grants == (Grant(Role.ADMIN),)
