"""What the audit says of keys: made-up claims and customers whose keys are written in two ways, missing, or double."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pilotage.platform.workspace import Workspace
from tests.audit.claims import Claims, audited, claims, named, serious

WAYS = {"leading zeros": lambda key: key.lstrip("0") or "0", "case and blanks": lambda key: f" {key}"}


def rewritten(tables: Claims, share: float, way: str) -> None:
    rows = tables.some(share)
    keys = tables.claims["customer"].astype(object)
    keys[rows] = [WAYS[way](key) if key else key for key in keys[rows]]
    tables.claims["customer"] = keys


def test_keys_written_in_two_ways_are_told_from_those_that_are_not_there(work: Workspace, tmp_path: Path) -> None:
    tables = claims(1)
    rewritten(tables, 0.03, "leading zeros")
    rewritten(tables, 0.01, "case and blanks")
    keys = tables.claims["customer"]
    keys[tables.some(0.02)] = None
    _, found = audited(work, tables, tmp_path / "claims")
    assert serious(found) == {("keys-do-not-match", "customer")}
    finding = named(found, "keys-do-not-match")["customer"]
    assert finding.figures["would_match"]["leading zeros"] == pytest.approx(0.03, abs=0.004)
    assert finding.figures["would_match"]["case and blanks"] == pytest.approx(0.01, abs=0.002)
    assert "if leading zeros did not count" in finding.message
    assert finding.figures["empty"] == pytest.approx(0.02, abs=0.002)
    assert "2.0% of all have no customer" in finding.message
    assert finding.owner == "crm@example.com"
    assert set(finding.samples[0]) == {"customer of the decision", "customer in customers"}


def test_customers_that_are_not_there_match_in_no_way(work: Workspace, tmp_path: Path) -> None:
    tables = claims(2, 1_500)
    there = tables.random.random(len(tables.customers["customer"])) > 0.4
    tables.customers = {name: values[there] for name, values in tables.customers.items()}
    _, found = audited(work, tables, tmp_path / "claims")
    finding = named(found, "keys-do-not-match")["customer"]
    assert (finding.figures["would_match"], finding.figures["empty"]) == ({}, 0)


def test_rows_that_name_no_claim_are_found(work: Workspace, tmp_path: Path) -> None:
    tables = claims(3, 3_000)
    ids = tables.results["claim_id"].astype(object)
    rows = tables.some(0.01)
    ids[rows] = [f"x{one}" for one in ids[rows]]
    tables.results["claim_id"] = ids
    _, found = audited(work, tables, tmp_path / "claims")
    assert serious(found) == {("orphans", "claim_id")}
    finding = named(found, "orphans")["claim_id"]
    assert finding.concerns == pytest.approx(len(rows), abs=3)
    assert finding.source == "results"
    assert all(sample["claim_id"].startswith("x") for sample in finding.samples)


def test_customers_with_two_rows_at_one_instant_are_found_with_the_rows_a_join_would_make(
    work: Workspace, tmp_path: Path
) -> None:
    tables = claims(4)
    again = tables.random.random(len(tables.customers["customer"])) < 0.3
    double = {name: values[again].copy() for name, values in tables.customers.items()}
    double["row_id"] += 1_000_000
    double["rating"] += 20
    tables.customers = {name: np.r_[values, double[name]] for name, values in tables.customers.items()}
    _, found = audited(work, tables, tmp_path / "claims")
    assert serious(found) == {("many-to-many", "customer")}
    finding = named(found, "many-to-many")["customer"]
    assert finding.figures["rows_out"] > finding.figures["rows_in"]
    assert finding.share > 0.01
    assert finding.samples[0]["rows"] == "2"


def test_two_rows_at_one_instant_that_say_the_same_do_no_harm(work: Workspace, tmp_path: Path) -> None:
    tables = claims(5, 1_500)
    double = {name: values.copy() for name, values in tables.customers.items()}
    double["row_id"] += 1_000_000
    tables.customers = {name: np.r_[values, double[name]] for name, values in tables.customers.items()}
    _, found = audited(work, tables, tmp_path / "claims")
    assert ("many-to-many", "customer") not in serious(found)
    assert named(found, "many-to-many")["customer"].repair == "Nothing to do: the rows say the same."


def test_a_row_that_comes_too_late_for_the_decision_is_found_with_its_age(work: Workspace, tmp_path: Path) -> None:
    tables = claims(6, 3_000)
    later = {name: values.copy() for name, values in tables.customers.items()}
    later["row_id"] += 1_000_000
    later["since"][:] = np.datetime64("2013-03-15T00:00:00")
    later["known_at"][:] = np.datetime64("2013-06-15T00:00:00")
    tables.customers = {name: np.r_[values, later[name]] for name, values in tables.customers.items()}
    tables.text = tables.text.replace("within: 3000 days", "within: 120 days")
    measured, found = audited(work, tables, tmp_path / "claims")
    assert ("late-for-decision", "rating") in serious(found)
    available = {one.input: one for one in measured.availability}
    assert available["rating"].source == "customers"
    assert available["rating"].behind == pytest.approx(92 / 180, abs=0.03)
    assert available["rating"].age_median_seconds is not None
    assert (available["amount"].source, available["amount"].known) == ("", 1.0)


def test_a_key_that_has_another_name_in_its_source_is_measured_alike(work: Workspace, tmp_path: Path) -> None:
    """Also where the source has a column of the request's name that means something else."""
    same, other = claims(5, 2_000), claims(5, 2_000)
    for tables in (same, other):
        rewritten(tables, 0.05, "leading zeros")
    other.customers = {"no": other.customers["customer"], **other.customers}
    other.customers["customer"] = np.array(["x" for _ in other.customers["no"]])
    other.text = other.text.replace("by: customer,", "by: {customer: no},").replace(
        "use_case: claims", "use_case: more"
    )
    expected, said = audited(work, same, tmp_path / "same")
    found, told = audited(work, other, tmp_path / "other")
    assert found.keys.lookups == expected.keys.lookups
    (match,), (wanted,) = found.decisions.matches, expected.decisions.matches
    assert (match.by, match.share, match.empty) == (wanted.by, wanted.share, wanted.empty)
    assert found.availability == expected.availability
    assert serious(told) == serious(said) == {("keys-do-not-match", "customer")}
    assert set(named(told, "keys-do-not-match")["customer"].samples[0]) == {
        "customer of the decision",
        "no in customers",
    }
