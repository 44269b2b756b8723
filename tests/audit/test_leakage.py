"""What the audit says of leaks: made-up claims with one planted leak each, and honest columns that look like one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pilotage.audit.measuring.skill import auc, error_of, rates_of_the_other_half, stratified_auc
from pilotage.platform.workspace import Workspace
from tests.audit.claims import Claims, audited, claims, named, serious


def renamed(tables: Claims, ids: list[str]) -> None:
    tables.claims["claim_id"] = np.array(ids)
    tables.results["claim_id"] = np.array(ids)


def filed_again(tables: Claims, share: float, other_outcome: bool) -> None:
    """Claims of the last fifth that repeat one of the first three fifths."""
    rows = len(tables.refused)
    late = tables.random.choice(np.arange(int(0.8 * rows), rows), int(share * 0.2 * rows), replace=False)
    early = tables.random.choice(int(0.6 * rows), len(late), replace=False)
    for name in ("customer", "branch", "amount", "age"):
        tables.claims[name][late] = tables.claims[name][early]
    refused = tables.results["refused"]
    refused[late] = 1 - refused[early] if other_outcome else refused[early]


def test_columns_that_are_the_outcome_are_refused_as_inputs(work: Workspace, tmp_path: Path) -> None:
    tables = claims(1)
    status = np.where(tables.refused, "closed", "open").astype(object)
    status[tables.some(0.004)] = "open"
    tables.claims["status"] = status
    tables.claims["paid"] = np.where(tables.refused, 0.0, tables.claims["amount"])
    tables.request("status", "category")
    tables.request("paid", "number")
    _, found = audited(work, tables, tmp_path / "claims")
    assert serious(found) == {("copy-of-the-label", "status"), ("copy-of-the-label", "paid")}
    copies = named(found, "copy-of-the-label")
    assert all(finding.severity == "blocks" for finding in copies.values())
    assert copies["paid"].message.startswith("paid (below ")
    assert copies["status"].message.startswith("status ('closed') is the outcome in 99.")
    assert all(finding.cost and finding.cost.kind == "skill" for finding in copies.values())


def test_identifiers_of_which_some_were_given_by_outcome_are_found(work: Workspace, tmp_path: Path) -> None:
    tables = claims(2)
    chosen = set(tables.some(0.1, tables.refused))
    renamed(tables, [f"R-{one}" if row in chosen else one for row, one in enumerate(tables.claims["claim_id"])])
    _, found = audited(work, tables, tmp_path / "claims")
    assert serious(found) == {("identifier-carries-label", "claim_id")}
    finding = named(found, "identifier-carries-label")["claim_id"]
    assert finding.figures["rate"] == 1
    assert finding.concerns == pytest.approx(len(chosen), abs=5)


def test_identifiers_whose_numbers_are_in_order_of_the_outcome_are_found(work: Workspace, tmp_path: Path) -> None:
    tables = claims(3)
    numbers = tables.random.permutation(len(tables.refused)) + np.where(tables.refused, 2_000, 0)
    renamed(tables, [f"{number}-{row}-{number:06}" for row, number in enumerate(numbers)])
    _, found = audited(work, tables, tmp_path / "claims")
    assert serious(found) == {("identifier-carries-label", "claim_id")}


def test_a_value_made_from_outcomes_is_found_behind_its_join(work: Workspace, tmp_path: Path) -> None:
    tables = claims(4)
    people, place = np.unique(tables.claims["customer"], return_inverse=True)
    refused = np.bincount(place, tables.refused.astype(float)) / np.bincount(place)
    assert (people == tables.customers["customer"]).all()
    tables.customers["rating"] = np.round(100 * refused + tables.random.normal(0, 5, len(people)), 1)
    _, found = audited(work, tables, tmp_path / "claims")
    assert ("leaks-through-join", "rating") in serious(found)
    figures = named(found, "leaks-through-join")["rating"].figures
    assert figures["rare_auc"] > 0.9 > figures["common_auc"]


def test_claims_filed_again_are_twins_with_the_same_outcome_and_contradict_with_another(
    work: Workspace, tmp_path: Path
) -> None:
    tables = claims(5)
    filed_again(tables, 0.05, other_outcome=False)
    filed_again(tables, 0.05, other_outcome=True)
    _, found = audited(work, tables, tmp_path / "claims")
    assert serious(found) == {("twins", "claim_id"), ("contradictory-labels", "")}
    twins, contradictions = named(found, "twins")["claim_id"], named(found, "contradictory-labels")[""]
    assert twins.share == pytest.approx(0.05, abs=0.01)
    assert contradictions.share == pytest.approx(0.02, abs=0.005)
    assert len({sample["outcome"] for sample in twins.samples}) == 1
    assert len({sample["outcome"] for sample in contradictions.samples}) == 2


def test_a_date_that_the_app_would_send_and_that_lies_after_the_decision_is_named(
    work: Workspace, tmp_path: Path
) -> None:
    tables = claims(7, 2_000)
    filed = tables.claims["filed_at"]
    tables.claims["settled_at"] = filed + np.timedelta64(3, "D")
    tables.claims["due_at"] = filed + np.timedelta64(30, "D")
    tables.claims["happened_at"] = filed - np.timedelta64(3, "D")
    for name in ("settled_at", "due_at", "happened_at"):
        tables.text = tables.text.replace("    age: {kind", f"    {name}: datetime\n    age: {{kind", 1)
        tables.text = tables.text.replace(
            "\nrule:", f"\n  {name}_hour: {{derived: EXTRACT(HOUR FROM {name})}}\nrule:", 1
        )
    _, found = audited(work, tables, tmp_path / "claims")
    later = named(found, "later-than-decision")
    assert {column: finding.severity for column, finding in later.items()} == {
        "settled_at": "warns",
        "due_at": "informs",
    }
    assert later["settled_at"].figures["inputs"] == ["settled_at_hour"]
    assert (later["settled_at"].share, len(later["settled_at"].samples)) == (1, 5)
    assert later["settled_at"].cost is not None and later["settled_at"].cost.kind == "skill"


def test_coarse_inputs_that_are_equal_by_chance_are_no_twins(work: Workspace, tmp_path: Path) -> None:
    tables = claims(6, 3_000)
    tables.claims["amount"] = np.round(tables.claims["amount"], -3)
    tables.customers["rating"] = np.round(tables.customers["rating"], -1)
    measured, found = audited(work, tables, tmp_path / "claims")
    assert (measured.leakage.twins.rows, measured.label.contradictions.rows) == (0, 0)
    assert serious(found) == set()


def test_the_area_counts_ties_half_and_is_taken_within_strata() -> None:
    labels = np.array([True, False, True, False])
    assert auc(np.array([3.0, 1.0, 2.0, 2.0]), labels) == pytest.approx(3.5 / 4)
    assert auc(np.array([1.0, 1.0, 1.0, 1.0]), labels) == 0.5
    assert auc(np.zeros(0), np.zeros(0, np.bool_)) == 0.5
    two = np.array([0, 0, 1, 1])
    area, errors = stratified_auc(np.array([2.0, 1.0, 5.0, 9.0]), labels, two)
    assert (area, errors) == (0.5, 0.0)
    assert stratified_auc(np.array([1.0, 0.0, 9.0, 8.0]), labels, two)[0] == 1
    assert error_of(0.5, 100, 100) == pytest.approx(0.041, abs=0.001)


def test_the_rate_of_the_other_half_does_not_know_the_own_outcome() -> None:
    labels = np.random.default_rng(1).random(4_000) < 0.3
    alone = np.arange(4_000)
    assert auc(rates_of_the_other_half(alone, labels), labels) == 0.5
