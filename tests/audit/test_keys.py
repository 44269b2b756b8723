"""What the audit says of keys: made-up claims and customers whose keys are written in two ways, missing, or double."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pilotage.audit.measuring.systems import measure_systems
from pilotage.audit.rules.owners import with_article
from pilotage.data import flow as data
from pilotage.platform.workspace import Workspace
from pilotage.usecase.flow import parse_definition
from tests.audit.claims import SECOND, Claims, audited, claims, named, serious

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


def bare(tables: Claims) -> None:
    """The claims are called by a bare id, and so are rows of letters on them, which say under claim_id whose they are.

    The first thousand ids of letters are those of claims, by chance; half of the letters are written much later.
    """
    for table in (tables.claims, tables.results):
        table["id"] = table.pop("claim_id")
    tables.text = tables.text.replace("claim_id", "id")
    rows = len(tables.claims["id"])
    written = tables.claims["filed_at"] - 3600 * SECOND
    written[: rows // 2] += 40 * 86_400 * SECOND
    owners = tables.claims["id"].astype(object)
    owners[:300] = "nobody"
    letters = {"id": np.roll(tables.claims["id"], 7), "claim_id": owners, "pages": np.arange(rows) % 9}
    tables.more["letters"] = letters | {"branch": tables.claims["branch"][::-1], "at": written}
    source = "  letters: {files: FOLDER/letters.parquet, key: [id], event_time: at, known_at: at}\n"
    tables.text = tables.text.replace("decision:\n  entity", f"{source}decision:\n  entity")


def test_an_id_of_other_rows_is_not_the_id_of_the_case(work: Workspace, tmp_path: Path) -> None:
    tables = claims(6, 2_000)
    bare(tables)
    measured, found = audited(work, tables, tmp_path / "claims")
    assert {orphans.source for orphans in measured.keys.orphans} == {"results"}
    assert {late.source for late in measured.leakage.late} == {"claims", "results"}
    assert {one.source for one in measured.leakage.separations} <= {"inputs", "claims", "results"}
    assert serious(found) == set()


def test_the_column_by_which_the_file_looks_a_case_up_names_it(work: Workspace, tmp_path: Path) -> None:
    tables = claims(6, 2_000)
    bare(tables)
    tables.text = tables.text.replace("rule:\n", "  pages: {latest: letters, by: {id: claim_id}, take: pages}\nrule:\n")
    _, found = audited(work, tables, tmp_path / "claims")
    orphans = [each for each in found if each.code == "orphans"]
    assert [(each.source, each.column) for each in orphans] == [("letters", "claim_id")]
    assert "name a claim_id that claims does not have" in orphans[0].message
    assert orphans[0].samples == ({"claim_id": "nobody"},)
    late = next(each for each in found if each.code == "known-after-decision" and each.source == "letters")
    assert late.severity == "blocks"
    assert late.share == pytest.approx((1_000 - 300) / 1_700, abs=0.02)


def test_an_id_of_other_rows_is_no_key_that_two_systems_share(work: Workspace, tmp_path: Path) -> None:
    """And their values under it are not compared: they are of different things."""
    tables = claims(6, 2_000)
    bare(tables)
    audited(work, tables, tmp_path / "claims")
    definition = parse_definition(tables.text.replace("FOLDER", str(tmp_path / "claims")), "claims.yaml")
    found = data.current_snapshots(work, definition)
    with data.assembled(work, definition, found) as engine:
        pairs = {frozenset((same.first, same.second)) for same in measure_systems(engine, definition, found).same_key}
    assert all("letters" not in pair for pair in pairs)


def test_events_that_most_cases_have_none_of_are_only_to_be_known(work: Workspace, tmp_path: Path) -> None:
    tables = claims(7, 2_000)
    rows = np.flatnonzero(np.isin(tables.customers["customer"], np.unique(tables.claims["customer"][:5])))
    letters = {name: values[rows] for name, values in tables.customers.items()}
    tables.more["letters"] = letters
    tables.text = tables.text.replace("rating: {latest: customers", "rating: {latest: letters").replace(
        "decision:\n  entity",
        "  letters: {files: FOLDER/letters.parquet, key: [row_id], event_time: since, known_at: known_at}\n"
        "decision:\n  entity",
    )
    _, found = audited(work, tables, tmp_path / "claims")
    finding = named(found, "keys-do-not-match")["customer"]
    assert finding.share > 0.5
    assert (finding.severity, finding.source) == ("informs", "letters")
    assert finding.repair.startswith("Nothing to do")


def test_several_rows_per_key_are_to_be_aggregated(work: Workspace, tmp_path: Path) -> None:
    tables = claims(4, 2_000)
    double = {name: values.copy() for name, values in tables.customers.items()}
    double["row_id"] += 1_000_000
    double["rating"] += 20
    tables.customers = {name: np.r_[values, double[name]] for name, values in tables.customers.items()}
    _, found = audited(work, tables, tmp_path / "claims")
    repair = named(found, "many-to-many")["customer"].repair
    assert "belong to one customer" in repair
    assert "`windows: customers` and `aggregate: count`, `sum` or `mean`" in repair


def test_names_are_spoken_with_their_article() -> None:
    assert [with_article(name) for name in ("id", "order_id", "row", "user_id", "uuid")] == [
        "an id",
        "an order_id",
        "a row",
        "a user_id",
        "a uuid",
    ]
