"""How current sources are: clocks, gaps, breaks in volume."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import duckdb

from pilotage.audit.measuring.sources.times import ordered_pairs, without_strays
from pilotage.audit.rules.findings.currency.clocks import span
from pilotage.audit.rules.findings.currency.gaps import missing_days, missing_hours
from tests.audit.planted import TEXT, judged, one, planted, shop_engine

MONDAY = date(2024, 1, 1)
MIDNIGHT = datetime.fromisoformat("2024-01-01")


def test_days_without_rows_are_named_and_free_days_are_not() -> None:
    weeks = {MONDAY + timedelta(days=n): 40 for n in range(56) if n % 7 != 6}
    assert missing_days(weeks) == []
    tuesday = MONDAY + timedelta(days=22)
    assert missing_days({day: rows for day, rows in weeks.items() if day != tuesday}) == [tuesday]


def test_days_without_rows_are_chance_where_there_are_few_rows() -> None:
    assert missing_days({MONDAY + timedelta(days=n): 2 for n in range(30) if n % 5}) == []


def test_hours_without_rows_are_found_only_where_every_hour_has_some() -> None:
    hours = [(MIDNIGHT + timedelta(hours=n), 3) for n in range(24 * 20)]
    lost = hours[100][0]
    assert missing_hours([hour for hour in hours if hour[0] != lost], set()) == [lost]
    assert missing_hours([hour for hour in hours if hour[0].hour > 6], set()) == []


def test_a_few_rows_far_from_all_others_do_not_stretch_time() -> None:
    hours = [(MIDNIGHT + timedelta(hours=n), 3) for n in range(200)]
    strays = [(datetime.fromisoformat("1999-05-05"), 9), *hours, (datetime.fromisoformat("2031-01-01"), 2)]
    assert without_strays(strays) == hours
    assert without_strays([]) == []


def test_an_interruption_of_days_is_found_in_a_source() -> None:
    fault = "DELETE FROM orders WHERE placed_at >= '2024-02-10' AND placed_at < '2024-02-13'"
    finding = one(planted(fault), "gap-in-time")
    assert (finding.severity, finding.column) == ("warns", "placed_at")
    assert (finding.figures["days"], finding.figures["longest"], finding.figures["first"]) == (3, 3, "2024-02-10")


def test_rows_that_halve_for_good_are_named_with_the_day() -> None:
    fault = "DELETE FROM orders WHERE placed_at >= '2024-02-20' AND hash(order_id) % 2 = 0"
    finding = one(planted(fault), "volume-break")
    assert finding.severity == "warns"
    assert finding.figures["date"] == "2024-02-20"
    assert finding.message.startswith("Since 2024-02-20 there are 1")


def test_a_day_that_was_cut_or_came_twice_is_named() -> None:
    cut = "DELETE FROM orders WHERE placed_at >= '2024-02-20' AND placed_at < '2024-02-21' AND hash(order_id) % 20 > 0"
    finding = one(planted(cut), "volume-break")
    assert (finding.severity, finding.figures["days"]) == ("warns", ["2024-02-20"])
    twice = """INSERT INTO orders SELECT * REPLACE ('B' || order_id AS order_id, price + 1 AS price) FROM orders
    WHERE placed_at >= '2024-02-20' AND placed_at < '2024-02-21'"""
    finding = one(planted(twice), "volume-break")
    assert (finding.severity, finding.figures["days"]) == ("informs", ["2024-02-20"])


def test_rows_known_before_they_happened_are_shown() -> None:
    fault = "UPDATE orders SET known_at = placed_at - INTERVAL 3 DAY WHERE hash(order_id) % 50 = 0"
    finding = one(planted(fault), "known-early")
    assert finding.concerns == finding.figures["early"] == 423
    assert all(row["known_at"] < row["placed_at"] for row in finding.samples)


def test_lateness_is_told_by_its_half_its_19_of_20_and_its_last() -> None:
    fault = "UPDATE ledger SET known_at = placed_at + to_hours(CAST(hash(order_id) % 48 AS INTEGER))"
    text = TEXT.replace("price: request}", "price: request, paid: {latest: ledger, by: order_id, take: price}}")
    finding = one(planted(fault, ["ledger"], text), "known-late")
    assert (finding.source, finding.column) == ("ledger", "known_at")
    assert "19 of 20 within 45.0 hours" in finding.message or "19 of 20 within 44.0 hours" in finding.message
    assert finding.figures["longest_seconds"] == 47 * 3600


def test_a_source_that_stopped_is_stale() -> None:
    finding = one(planted("DELETE FROM ledger WHERE known_at > '2024-03-18'", ["orders", "ledger"]), "stale")
    assert (finding.source, finding.severity) == ("ledger", "warns")


def test_a_list_with_one_row_per_key_is_no_feed_that_stopped() -> None:
    """Its clock says when a customer came or changed; what comes with each case is a feed all the same."""
    by_store = "inputs: {last: {latest: ledger, by: KEY, take: price, within: 9 days}, store: request,"
    severities = {}
    for key in ("store", "order_id"):
        text = TEXT.replace("inputs: {store: request,", by_store.replace("KEY", key))
        text = text.replace("ledger.parquet, key: [order_id]", f"ledger.parquet, key: [{key}]")
        engine = shop_engine()
        engine.execute("DELETE FROM ledger WHERE known_at > '2024-03-10'")
        finding = one([each for each in judged(engine, text, ["orders", "ledger"]) if each.source == "ledger"], "stale")
        severities[key] = finding.severity
        assert "older than" not in finding.message or key == "order_id"
    assert severities == {"store": "informs", "order_id": "warns"}


def test_decisions_and_outcomes_without_a_clock_are_named() -> None:
    static = "  returns: {files: returns.parquet, key: [order_id], static: true}"
    lines = [static if line.startswith("  returns:") else line for line in TEXT.splitlines()]
    engine = shop_engine()
    engine.execute("ALTER TABLE returns ADD _seen_at TIMESTAMP; UPDATE returns SET _seen_at = '2024-03-24'")
    finding = one(judged(engine, "\n".join(lines), ["orders", "returns"]), "no-clock")
    assert (finding.source, finding.severity) == ("returns", "warns")


def test_lengths_of_time_are_told_in_a_unit_that_suits() -> None:
    assert [span(n) for n in (5, 600, 7200 * 2, 86_400 * 3)] == ["5 seconds", "10.0 minutes", "4.0 hours", "3.0 days"]


def test_columns_that_begin_and_end_the_same_thing_are_told_by_their_names() -> None:
    names = ["start_time", "end_time", "created_at", "updatedAt", "updated_at", "depTime", "arrTime", "end_date"]
    assert set(ordered_pairs(names)) == {
        ("start_time", "end_time"),
        ("created_at", "updated_at"),
        ("created_at", "updatedAt"),
        ("depTime", "arrTime"),
    }


def test_an_empty_source_and_one_of_one_row_and_one_without_values_are_measured() -> None:
    for rows in ("DELETE FROM {}", "DELETE FROM {} WHERE order_id <> 'A100007'", "UPDATE {} SET known_at = NULL"):
        engine = shop_engine()
        for table in ("orders", "ledger"):
            engine.execute(rows.format(table))
        judged(engine, only=["orders", "ledger"])
    engine = shop_engine()
    engine.execute("UPDATE orders SET store = NULL, product = NULL, quantity = NULL, price = NULL, placed_at = NULL")
    codes = {finding.code for finding in judged(engine, only=["orders"])}
    assert "empty-column" in codes


def test_engine_is_left_without_tables_of_the_audit() -> None:
    engine: duckdb.DuckDBPyConnection = shop_engine()
    judged(engine, only=["orders"])
    assert {row[0] for row in engine.execute("SHOW TABLES").fetchall()} == {"orders", "ledger", "returns"}
