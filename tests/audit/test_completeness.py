"""What is missing from sources: by column, and since when."""

from __future__ import annotations

import pytest

from pilotage.audit.rules.steps import spell_of
from tests.audit.planted import judged, named, one, planted, shop_engine


def test_a_clean_shop_has_no_finding() -> None:
    assert judged(shop_engine()) == []


def test_missing_values_of_columns_in_use_are_counted_with_rows_to_look_at() -> None:
    finding = one(planted("UPDATE orders SET price = NULL WHERE hash(order_id) % 33 = 0"), "incomplete-column")
    assert (finding.source, finding.column, finding.severity) == ("orders", "price", "informs")
    assert finding.concerns == finding.figures["missing"] == 603
    assert finding.share == pytest.approx(603 / 20_000)
    assert finding.owner == "orders@example.com"
    assert len(finding.samples) == 5 and all(row["price"] == "" and row["order_id"] for row in finding.samples)


def test_a_column_that_stops_being_filled_is_named_with_the_day() -> None:
    finding = one(
        planted("UPDATE orders SET parcel_weight = NULL WHERE placed_at >= '2024-03-16'"), "incomplete-in-time"
    )
    assert (finding.column, finding.severity) == ("parcel_weight", "warns")
    assert finding.figures["start"] == "2024-03-16"
    assert finding.figures["inside"] == 1 and finding.figures["outside"] == 0
    assert finding.message.startswith("Since 2024-03-16 parcel_weight is missing in 100.0% of rows")


def test_a_column_missing_for_a_while_is_to_be_known() -> None:
    fault = "UPDATE orders SET price = NULL WHERE placed_at >= '2024-02-10' AND placed_at < '2024-02-13'"
    finding = one(planted(fault), "incomplete-in-time")
    assert finding.severity == "informs"
    assert "From 2024-02-10 to before 2024-02-13" in finding.message


def test_empty_columns_and_missing_keys_are_named() -> None:
    fault = "UPDATE orders SET store = NULL; UPDATE orders SET order_id = NULL WHERE hash(order_id) % 400 = 0"
    found = planted(fault)
    assert one(found, "empty-column").column == "store"
    missing = one(found, "incomplete-column")
    assert (missing.column, missing.severity) == ("order_id", "warns")
    assert "A row without its key is lost" in missing.repair


def test_a_column_that_nobody_uses_is_named_only_when_it_is_mostly_empty() -> None:
    some = (
        "ALTER TABLE orders ADD remark VARCHAR; UPDATE orders SET remark = customer_name WHERE hash(order_id) % 10 {}"
    )
    assert named(planted(some.format("< 9"))) == set()
    assert named(planted(some.format("< 2"))) == {("incomplete-column", "orders", "remark")}


def test_the_run_that_stands_out_is_found_among_shares() -> None:
    spell = spell_of([1, 0, 1, 9, 8, 1], [10] * 6)
    assert spell is not None
    assert (spell.start, spell.end) == (3, 5)
    assert (spell.inside, spell.outside) == (0.85, 0.075)
    assert spell_of([0, 0], [5, 5]) is None
    assert spell_of([], []) is None


def test_an_end_that_most_rows_have_not_met_is_no_missing_value() -> None:
    engine = shop_engine()
    engine.execute(
        "ALTER TABLE orders ADD deleted_at TIMESTAMP; ALTER TABLE orders ADD cancelled_by VARCHAR;"
        "UPDATE orders SET deleted_at = placed_at WHERE hash(order_id) % 40 = 0"
    )
    found = {f.column: f for f in judged(engine, only=["orders"]) if f.code in ("incomplete-column", "empty-column")}
    assert set(found) == {"deleted_at", "cancelled_by"}
    assert not any(finding.is_due for finding in found.values())
    assert "it has not happened" in found["deleted_at"].repair


def test_columns_that_stop_together_are_one_finding() -> None:
    found = planted("UPDATE orders SET parcel_weight = NULL, price = NULL WHERE placed_at >= '2024-03-16'")
    assert sorted(one(found, "incomplete-in-time").column.split(", ")) == ["parcel_weight", "price"]
