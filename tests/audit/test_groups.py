"""Representation and outcome by group: COMPAS with its known numbers, and groups too small to be shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotage.audit.measured import Measured
from pilotage.audit.measured.face import OutcomeShape
from pilotage.audit.measured.groups import GroupColumn, GroupFigures
from pilotage.audit.measuring.groups import measure_groups
from pilotage.audit.records import Finding
from pilotage.audit.rules.findings import bias
from pilotage.audit.rules.intervals import wilson, z_for
from pilotage.audit.rules.suppression import HIDDEN_COUNT, suppressed
from tests.audit.people import TEXT, people
from tests.real_data import real_data

COMPAS = "SELECT id, age, sex, race, priors_count AS priors, two_year_recid AS returned, screening_date FROM '{}'"


def assembled(select: str) -> duckdb.DuckDBPyConnection:
    """The relations of an audit from a query with id, age, sex, race, priors, returned."""
    engine = duckdb.connect()
    engine.execute(f"""CREATE TABLE people AS
    SELECT CAST(id AS VARCHAR) AS id, CAST(age AS DOUBLE) AS age, sex, race, CAST(priors AS DOUBLE) AS priors, returned,
           TIMESTAMP '2013-01-01' AS screened_at FROM ({select})""")
    engine.execute("""CREATE TABLE training_set AS
    SELECT id AS entity, screened_at AS moment, age, race, priors, returned = 1 AS label FROM people""")
    return engine


def columns(select: str, text: str = TEXT) -> dict[str, GroupColumn]:
    with assembled(select) as engine:
        return {column.column: column for column in measure_groups(engine, people(text)).columns}


def findings(found: Any, text: str = TEXT) -> list[Finding]:
    figures: Any = dict.fromkeys(Measured.__struct_fields__)
    return list(
        bias.found(people(text), Measured(**{**figures, "groups": GroupFigures(tuple(found)), "shape": OutcomeShape()}))
    )


def column(*counts: tuple[str, int, int], missing: int = 0) -> GroupColumn:
    """A group column from (value, labelled decisions, positives)."""
    total = sum(rows for _, rows, _ in counts) + missing
    groups = []
    for value, rows, positives in counts:
        low, high = wilson(positives, rows) if rows else (None, None)
        rate = positives / rows if rows else None
        groups.append({"value": value, "decisions": rows, "share": rows / total, "labelled": rows})
        groups[-1] |= {"positives": positives, "rate": rate, "low": low, "high": high}
    body = {"column": "race", "decisions": total, "missing": missing, "groups": groups}
    return msgspec.convert(body, GroupColumn)


@pytest.fixture(scope="module")
def compas() -> Iterator[dict[str, GroupColumn]]:
    yield columns(COMPAS.format(real_data("compas")))


def test_compas_has_its_known_groups_and_rates(compas: dict[str, GroupColumn]) -> None:
    race = {group.value: group for group in compas["race"].groups}
    assert {value: group.decisions for value, group in race.items()} == {
        "African-American": 3696,
        "Asian": 32,
        "Caucasian": 2454,
        "Hispanic": 637,
        "Native American": 18,
        "Other": 377,
    }
    black, white = race["African-American"], race["Caucasian"]
    assert (black.positives, white.positives) == (1901, 966)
    assert (black.rate, black.low, black.high) == pytest.approx((0.5143, 0.4982, 0.5304), abs=1e-4)
    assert (white.rate, white.low, white.high) == pytest.approx((0.3936, 0.3745, 0.4131), abs=1e-4)
    sex = {group.value: (group.decisions, round(group.rate or 0, 4)) for group in compas["sex"].groups}
    assert sex == {"Female": (1395, 0.357), "Male": (5819, 0.4731)}
    assert compas["race"].missing == 0
    assert sum(group.share for group in race.values()) == pytest.approx(1)


def test_ages_stand_in_decades(compas: dict[str, GroupColumn]) -> None:
    bands = [group.value for group in compas["age"].groups]
    assert bands == ["10–19", "20–29", "30–39", "40–49", "50–59", "60–69", "70–79", "80–89", "90–99"]
    assert sum(group.decisions for group in compas["age"].groups) == 7214


def test_compas_findings_name_the_small_groups_and_the_difference(compas: dict[str, GroupColumn]) -> None:
    found = {(finding.code, finding.column): finding for finding in findings(compas.values())}
    assert "Asian and Native American of race have fewer than 50" in found["group-small", "race"].message
    assert found["group-small", "race"].concerns == 50
    differ = found["group-rates-differ", "race"]
    assert (differ.figures["largest"], differ.figures["smallest"]) == ("African-American", "Other")
    assert differ.figures["ratio"] == pytest.approx(1.45, abs=0.01)
    assert "51.4% (49.8% to 53.0%, n = 3,696)" in differ.message
    assert differ.severity == "informs"
    assert ("group-rates-differ", "sex") in found
    assert not any(finding.code == "group-unknown" for finding in found.values())


def test_a_difference_warns_where_the_risk_is_high(compas: dict[str, GroupColumn]) -> None:
    high = TEXT.replace("  users: Clerks", "  users: Clerks\n  risk: high")
    assert {f.severity for f in findings(compas.values(), high) if f.code == "group-rates-differ"} == {"warns"}


def test_a_finding_does_not_count_fewer_than_ten_persons() -> None:
    small = findings([column(("a", 500, 100), ("b", 4, 1))])[0]
    assert (small.code, small.concerns, small.share) == ("group-small", 0, 0)


def test_equal_rates_and_chance_among_many_groups_are_no_difference() -> None:
    assert not findings([column(("a", 500, 100), ("b", 500, 108))])
    even = column(*((f"g{number:02}", 100, 20 + number % 9) for number in range(20)))
    assert not findings([even])
    assert [f.code for f in findings([column(("a", 500, 50), ("b", 500, 150))])] == ["group-rates-differ"]
    assert [f.code for f in findings([column(("a", 500, 0), ("b", 500, 150))])] == ["group-rates-differ"]


def test_decisions_without_a_group_are_counted() -> None:
    assert [(f.code, f.severity) for f in findings([column(("a", 100, 20), missing=5)])] == [
        ("group-unknown", "informs")
    ]
    assert [(f.code, f.severity) for f in findings([column(("a", 100, 20), missing=50)])] == [
        ("group-unknown", "warns")
    ]
    assert not findings([column(("a", 1000, 20), missing=5)])


def test_at_most_twenty_values_stand_for_themselves_and_blanks_are_missing() -> None:
    select = """SELECT range AS id, 1 AS age, ' ' AS sex, 'r' || (range % 100) AS race, 0 AS priors, 1 AS returned
    FROM range(1000)"""
    found = columns(select)
    assert len(found["race"].groups) == 21
    assert (found["race"].groups[-1].value, found["race"].groups[-1].values) == ("other values", 80)
    assert found["race"].groups[-1].decisions == 800
    assert (found["sex"].missing, found["sex"].groups) == (1000, ())


def test_other_numbers_stand_in_quarters() -> None:
    text = TEXT.replace("groups: [race, sex, age]", "groups: [priors]")
    select = (
        "SELECT range AS id, 1 AS age, 'x' AS sex, 'r' AS race, range AS priors, range % 2 AS returned FROM range(1000)"
    )
    groups = columns(select, text)["priors"].groups
    assert [group.decisions for group in groups] == pytest.approx([250, 250, 250, 250], abs=2)


@pytest.mark.parametrize(
    "select",
    [
        "SELECT 1 AS id, 1 AS age, 'x' AS sex, 'r' AS race, 0 AS priors, 1 AS returned WHERE false",
        "SELECT 1 AS id, 1 AS age, 'x' AS sex, NULL AS race, 0 AS priors, NULL::INT AS returned",
        "SELECT range AS id, 'nan'::DOUBLE AS age, NULL AS sex, 'r' AS race, 0 AS priors, 1 AS returned FROM range(3)",
    ],
)
def test_empty_and_single_rows_are_measured(select: str) -> None:
    found = columns(select)
    assert set(found) == {"race", "sex", "age"}
    assert all(finding.severity != "blocks" for finding in findings(found.values()))


def test_the_group_is_the_one_known_when_the_decision_was_taken() -> None:
    with assembled("SELECT 1 AS id, 30 AS age, 'F' AS sex, 'r' AS race, 0 AS priors, 1 AS returned") as engine:
        engine.execute(
            "INSERT INTO people SELECT * REPLACE ('M' AS sex, TIMESTAMP '2014-01-01' AS screened_at) FROM people"
        )
        found = {column.column: column for column in measure_groups(engine, people()).columns}
    assert [(group.value, group.decisions) for group in found["sex"].groups] == [("F", 1)]


def test_intervals_are_wilsons() -> None:
    assert wilson(0, 10) == pytest.approx((0, 0.2775), abs=1e-4)
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(10, 10)[1] == pytest.approx(1)
    assert z_for(1) == pytest.approx(1.96, abs=1e-3)
    assert z_for(20) == pytest.approx(3.02, abs=1e-2)


# Small groups


def test_a_small_group_and_the_one_that_would_give_it_away_are_hidden() -> None:
    figures = bias.table(column(("a", 500, 100), ("b", 80, 20), ("c", 4, 1)))
    shown = {group["value"]: group for group in suppressed(figures)["groups"]}
    assert (shown["c"]["shown"], shown["c"]["decisions"], shown["c"]["rate"]) == (HIDDEN_COUNT, None, None)
    assert (shown["b"]["shown"], shown["b"]["decisions"]) == ("hidden", None)
    assert shown["a"]["decisions"] == 500 and "shown" not in shown["a"]


def test_large_groups_and_other_figures_come_back_as_they_are() -> None:
    figures = bias.table(column(("a", 500, 100), ("b", 80, 20)))
    assert suppressed(figures) == figures
    assert suppressed({"share_after": 0.5}) == {"share_after": 0.5}


@given(st.lists(st.integers(1, 60), min_size=1, max_size=8), st.integers(0, 30))
def test_no_hidden_count_can_be_had_by_subtraction(sizes: list[int], missing: int) -> None:
    figures = bias.table(column(*((f"g{n}", size, size // 2) for n, size in enumerate(sizes)), missing=missing))
    shared = suppressed(figures)
    shown = [group["decisions"] for group in shared["groups"]] + [shared["missing"]]
    hidden = [size for size, seen in zip([*sizes, missing], shown, strict=True) if seen is None]
    assert not any(0 < size < 10 for size in shown if size is not None)
    everything_hidden = len(hidden) == sum(size > 0 for size in [*sizes, missing])
    assert not hidden or everything_hidden or (len(hidden) >= 2 and sum(hidden) >= 10)
