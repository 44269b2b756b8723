"""What the audit says of outcomes: made-up claims with one planted fault each, and real files with known ones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from pilotage.audit.measured.label import Noise
from pilotage.audit.measuring.delays import steps
from pilotage.audit.rules.findings.label.doubts import noise_in_words
from pilotage.audit.rules.findings.label.times import wanted_duration
from pilotage.platform.clock import FixedClock
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from tests.audit.claims import Claims, audited, claims, judged, named, serious
from tests.audit.real_cases import bank, compas

DAY = np.timedelta64(1, "D")
FILES = "  files: {files: FOLDER/files.parquet, key: [claim_id], event_time: closed_at, known_at: closed_at}\n"


@pytest.fixture
def later(tmp_path: Path) -> Iterator[Workspace]:
    """An installation in 2017, when the two years after the last screening are over."""
    workspace = open_workspace(Settings(home=tmp_path / "later"), FixedClock(datetime(2017, 1, 1, tzinfo=UTC)))
    yield workspace
    workspace.close()


def investigated(tables: Claims) -> None:
    """After the decision a clerk writes down what tells the true outcome, in another system."""
    true = tables.results["refused"]
    tables.more["files"] = {
        "claim_id": tables.results["claim_id"].copy(),
        "finding": true * 50 + tables.random.normal(10, 3, len(true)),
        "closed_at": tables.results["known_at"],
    }
    tables.text = tables.text.replace("  customers:\n", FILES + "  customers:\n", 1)


def turned_over(tables: Claims, share: float) -> None:
    rows = tables.some(share)
    tables.results["refused"][rows] = 1 - tables.results["refused"][rows]


def test_nothing_serious_is_said_of_clean_claims(work: Workspace, tmp_path: Path) -> None:
    tables = claims(1)
    tables.claims["age"][tables.some(0.1)] = np.nan  # missing, but at random
    tables.claims["claim_id"] = np.array([f"K{number:07}" for number in range(len(tables.refused))])
    tables.results["claim_id"] = tables.claims["claim_id"].copy()
    investigated(tables)
    measured, found = audited(work, tables, tmp_path / "claims")
    assert serious(found) == set()
    assert not named(found, "missing-not-at-random")
    assert (measured.label.noise.hindsight, measured.label.noise.estimate) == (True, 0)


def test_values_missing_where_claims_are_refused_and_late_outcomes_are_found(work: Workspace, tmp_path: Path) -> None:
    tables = claims(3)
    tables.claims["age"][tables.some(0.1, tables.refused)] = np.nan
    tables.results["known_at"][tables.some(0.08)] += 10 * DAY
    _, found = audited(work, tables, tmp_path / "claims")
    assert serious(found) == {("missing-not-at-random", "age"), ("outcome-delay", "known_at")}
    finding = named(found, "missing-not-at-random")["age"]
    assert finding.figures["rate_missing"] == 1
    assert finding.figures["low"] < finding.figures["difference"] < finding.figures["high"]
    assert named(found, "outcome-delay")["known_at"].repair == "Write `matures: 12 days`."


def test_an_outcome_whose_clock_is_that_of_the_decision_is_found(work: Workspace, tmp_path: Path) -> None:
    tables = claims(6)
    tables.results["known_at"] = tables.claims["filed_at"]
    _, found = audited(work, tables, tmp_path / "claims")
    assert serious(found) == {("outcome-known-early", "known_at")}


def test_a_step_in_the_rate_is_found_with_its_day(work: Workspace, tmp_path: Path) -> None:
    tables = claims(7)
    later = np.arange(len(tables.refused)) > 0.6 * len(tables.refused)
    tables.results["refused"][tables.some(0.3, later & ~tables.refused)] = 1
    measured, found = audited(work, tables, tmp_path / "claims")
    assert serious(found) == {("shifting-outcome", "")}
    before, after = measured.label.regimes.regimes
    assert abs((after.first - before.first).days - 108) <= 3
    assert after.share > before.share + 0.15


def test_a_rate_that_does_not_move_has_no_step_and_one_that_moves_twice_has_two() -> None:
    rows = np.full(200, 100.0)
    random = np.random.default_rng(1)
    assert steps(rows, random.binomial(100, 0.2, 200).astype(float)) == []
    rates = np.repeat([0.05, 0.17, 0.52], [120, 60, 20])
    found = steps(rows, random.binomial(100, rates).astype(float))
    assert found == pytest.approx([120, 180], abs=2)


def test_outcomes_that_another_system_contradicts_look_wrong(work: Workspace, tmp_path: Path) -> None:
    pytest.importorskip("cleanlab")
    tables = claims(9)
    investigated(tables)
    turned_over(tables, 0.03)
    measured, found = audited(work, tables, tmp_path / "claims")
    assert serious(found) == {("label-noise", "")}
    assert 0.015 < measured.label.noise.estimate < 0.045
    assert measured.label.noise.hindsight
    assert len(named(found, "label-noise")[""].samples) == 5


def test_a_hard_problem_does_not_look_noisy_though_its_outcomes_surprise(work: Workspace, tmp_path: Path) -> None:
    tables = claims(11)
    turned_over(tables, 0.05)
    measured, found = audited(work, tables, tmp_path / "claims")
    assert not named(found, "label-noise")
    assert "was not measured: nothing that is known tells" in noise_in_words(measured.label.noise)


def test_without_cleanlab_the_answer_says_that_nothing_was_measured(
    work: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pilotage.audit.measuring.noise.find_spec", lambda name: None)
    measured, _ = audited(work, claims(12, 1_000), tmp_path / "claims")
    assert "pip install" in noise_in_words(measured.label.noise)
    assert noise_in_words(Noise(estimate=0.02, at_most=0.03)).startswith("About 2.0% of outcomes look wrong")
    said = noise_in_words(Noise(rows=2_000, auc=0.83, at_most=0.0))
    assert said.startswith("No outcomes look wrong among the 2,000 looked at. That is weak evidence:")
    assert "AUC of 0.83 from the inputs" in said and "at most 0.0%" not in said
    assert "share its errors" in noise_in_words(Noise(rows=2_000, auc=0.99, hindsight=True, at_most=0.0))


@pytest.mark.parametrize("rows", [0, 1])
def test_almost_no_claims_are_measured_without_a_crash(work: Workspace, tmp_path: Path, rows: int) -> None:
    tables = claims(13, 40)
    tables.results = {name: values[39 - rows :] for name, values in tables.results.items()}
    tables.results["refused"][:] = 1
    _, found = audited(work, tables, tmp_path / "claims")
    assert named(found, "one-class")[""].severity == "blocks"


def test_a_duration_is_as_long_as_needed() -> None:
    assert wanted_duration(50) == "1 minute"
    assert wanted_duration(3 * 3600 + 1) == "4 hours"
    assert wanted_duration(11.7 * 86_400) == "12 days"


def test_the_years_of_bank_full_are_told_apart(work: Workspace, tmp_path: Path) -> None:
    _, found = judged(work, bank(work, tmp_path))
    assert ("shifting-outcome", "") in serious(found)
    regimes = named(found, "shifting-outcome")[""].figures["regimes"]
    assert regimes[0]["share"] == pytest.approx(0.05, abs=0.005)
    assert regimes[-1]["share"] == pytest.approx(0.52, abs=0.01)
    assert not {"label-noise", "missing-not-at-random", "contradictory-labels"} & {code for code, _ in serious(found)}
    good = named(found, "too-good-to-be-true")["duration"]
    assert good.severity == "warns"
    assert good.figures["auc"] == pytest.approx(0.81, abs=0.01)
    assert {column for code, column in serious(found) if code == "too-good-to-be-true"} == {"duration"}


def test_the_spring_in_which_compas_kept_only_repeaters_is_found(later: Workspace, tmp_path: Path) -> None:
    """Barenstein, "ProPublica's COMPAS Data Revisited" (2019): after 1 April 2014 only those who repeated were kept."""
    _, found = judged(later, compas(later, tmp_path))
    assert serious(found) == {("shifting-outcome", "")}
    regimes = named(found, "shifting-outcome")[""].figures["regimes"]
    assert [regime["from"] for regime in regimes][1] == "2014-04-01"
    assert [regime["share"] for regime in regimes] == pytest.approx([0.362, 0.997], abs=0.005)
    assert named(found, "copy-of-the-label")["r_offense_date"].severity == "informs"
